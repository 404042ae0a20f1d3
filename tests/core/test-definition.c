/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Definitions: what good keyfiles come to, and every word that is said of bad ones. Fixtures are
 * named as corpora are: y_ is good, n_ is faulty and has beside it all that is told of it. The
 * elements in them come from modules made for these tests.
 */

#include "config.h"

#include "pen-definition.h"
#include "pen-keyfile.h"
#include "pen-property.h"
#include "pen-test.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIN_FAULTY_FIXTURES 20

/* A folder with the fixtures that nobody else may enter, so that messages about their secrets do
 * not depend on where the source is. */
static char *fixtures;

static void
test_definition_copy_fixtures (void)
{
  g_autofree char *source = g_test_build_filename (G_TEST_DIST, "core", "fixtures", NULL);
  g_autoptr (GDir) dir = g_dir_open (source, 0, NULL);
  const char *name;

  fixtures = pen_test_make_folder ();
  g_assert_no_errno (g_chmod (fixtures, 0700));
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (source, name, NULL);
      g_autofree char *copy = g_build_filename (fixtures, name, NULL);
      gsize length = 0;
      g_autofree char *text = pen_test_read_file (path, &length);

      g_assert_true (g_file_set_contents (copy, text, (gssize) length, NULL));
    }
}

static char *
test_definition_get_fixture (const char *name)
{
  return g_build_filename (fixtures, name, NULL);
}

/* A folder with these modules alone, so that messages do not depend on what else was built. */
static char *modules;

static void
test_definition_link_modules (void)
{
  static const char *const names[] = { "sink-basin.so",      "source-future.so",
                                       "source-misnamed.so", "source-strainer.so",
                                       "source-unbound.so",  "source-undescribed.so",
                                       "source-well.so",     "transform-sieve.so" };

  modules = pen_test_make_folder ();
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *built
          = g_test_build_filename (G_TEST_BUILT, "core", "modules", names[i], NULL);
      g_autofree char *link = g_build_filename (modules, names[i], NULL);

      g_assert_no_errno (symlink (built, link));
    }
}

static PenRegistry *
test_definition_new_registry (void)
{
  const char *const folders[] = { modules, NULL };
  PenRegistry *registry = pen_registry_new (folders);

  g_ptr_array_set_size (pen_registry_get_folders (registry), 1);
  return registry;
}

static GPtrArray *
test_definition_new_findings (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
}

/* All findings, a line each, without the folders of this machine. */
static char *
test_definition_tell (GPtrArray *findings)
{
  g_autofree char *folder = g_strconcat (fixtures, "/", NULL);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < findings->len; i++)
    {
      g_autofree char *line = pen_diagnostic_format (g_ptr_array_index (findings, i));

      g_string_append_printf (text, "%s\n", line);
    }
  g_string_replace (text, folder, "", 0);
  g_string_replace (text, modules, "MODULES", 0);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Without the file's mode, which is not the fixtures' to decide. */
static PenDefinition *
test_definition_parse (const char *name, PenDefinitionFlags flags, char **told)
{
  g_autoptr (PenRegistry) registry = test_definition_new_registry ();
  g_autoptr (GPtrArray) findings = test_definition_new_findings ();
  g_autofree char *path = test_definition_get_fixture (name);
  gsize length = 0;
  g_autofree char *text = pen_test_read_file (path, &length);
  PenDefinition *definition = pen_definition_parse (path, text, length, registry, flags, findings);

  *told = test_definition_tell (findings);
  return definition;
}

static void
test_definition_set_environment (void)
{
  g_setenv ("PENSTOCK_TEST_WORD", "word", TRUE);
  g_setenv ("PENSTOCK_TEST_SECRET", "hunter1", TRUE);
  g_unsetenv ("PENSTOCK_TEST_MISSING");
  g_unsetenv ("PENSTOCK_TEST_PORT");
  g_unsetenv ("CREDENTIALS_DIRECTORY");
}

/* (element-type utf8): names of the fixtures that begin with @prefix */
static GPtrArray *
test_definition_list_fixtures (const char *prefix)
{
  g_autofree char *folder = test_definition_get_fixture ("");
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      if (g_str_has_prefix (name, prefix) && g_str_has_suffix (name, ".pipeline"))
        g_ptr_array_add (names, g_strdup (name));
    }
  return names;
}

static void
test_definition_tells_all_faults (void)
{
  g_autoptr (GPtrArray) names = test_definition_list_fixtures ("n_");

  g_assert_cmpuint (names->len, >=, MIN_FAULTY_FIXTURES);
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      g_autofree char *stem = g_strndup (name, strlen (name) - strlen (".pipeline"));
      g_autofree char *expected_name = g_strconcat (stem, ".txt", NULL);
      g_autofree char *expected_path = test_definition_get_fixture (expected_name);
      g_autofree char *expected = pen_test_read_file (expected_path, NULL);
      g_autofree char *told = NULL;

      g_test_message ("%s", name);
      g_assert_null (test_definition_parse (name, PEN_DEFINITION_NONE, &told));
      g_assert_cmpstr (told, ==, expected);
      g_assert_null (strstr (told, "hunter"));
    }
}

/* Whatever is accepted is the same to GKeyFile. */
static void
test_definition_compare_to_gkeyfile (const char *text, gsize length)
{
  g_autoptr (GKeyFile) reference = g_key_file_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (PenKeyfile) keyfile = NULL;
  g_auto (GStrv) groups = NULL;
  PenReport report;

  g_key_file_load_from_data (reference, text, length, G_KEY_FILE_NONE, &error);
  g_assert_no_error (error);
  pen_report_init (&report, "x");
  keyfile = pen_keyfile_scan (text, length, &report);
  g_clear_pointer (&report.findings, g_ptr_array_unref);
  groups = g_key_file_get_groups (reference, NULL);
  g_assert_cmpuint (g_strv_length (groups), ==, keyfile->groups->len);
  for (guint i = 0; i < keyfile->groups->len; i++)
    {
      const PenKeyfileGroup *group = g_ptr_array_index (keyfile->groups, i);
      g_auto (GStrv) keys = g_key_file_get_keys (reference, groups[i], NULL, NULL);

      g_assert_cmpstr (group->name, ==, groups[i]);
      g_assert_cmpuint (g_strv_length (keys), ==, group->entries->len);
      for (guint j = 0; j < group->entries->len; j++)
        {
          const PenKeyfileEntry *entry = g_ptr_array_index (group->entries, j);
          g_autofree char *value = g_key_file_get_value (reference, groups[i], keys[j], NULL);

          g_assert_cmpstr (entry->key, ==, keys[j]);
          g_assert_cmpstr (entry->value, ==, g_strchomp (value));
        }
    }
}

static void
test_definition_accepts (void)
{
  g_autoptr (GPtrArray) names = test_definition_list_fixtures ("y_");

  g_assert_cmpuint (names->len, >=, 4);
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      g_autofree char *told = NULL;
      g_autoptr (PenDefinition) definition
          = test_definition_parse (name, PEN_DEFINITION_NONE, &told);
      g_autofree char *path = test_definition_get_fixture (name);
      gsize length = 0;
      g_autofree char *text = pen_test_read_file (path, &length);

      g_assert_cmpstr (told, ==, "");
      g_assert_nonnull (definition);
      test_definition_compare_to_gkeyfile (text, length);
    }
}

static void
test_definition_assert_flow (const PenDefinition *definition,
                             guint index,
                             PenElementKind kind,
                             const char *name,
                             const char *inputs)
{
  const PenElementDefinition *element = pen_definition_get_element (definition, index);
  g_autoptr (GString) list = g_string_new (NULL);

  for (guint i = 0; i < element->n_inputs; i++)
    g_string_append_printf (list, "%s%u", i > 0 ? "," : "", element->inputs[i]);
  g_assert_cmpint (element->kind, ==, kind);
  g_assert_cmpstr (element->name, ==, name);
  g_assert_cmpstr (list->str, ==, inputs);
}

static void
test_definition_flow (void)
{
  g_autofree char *told = NULL;
  g_autoptr (PenDefinition) definition
      = test_definition_parse ("y_flow.pipeline", PEN_DEFINITION_NONE, &told);

  g_assert_cmpuint (pen_definition_get_n_elements (definition), ==, 8);
  test_definition_assert_flow (definition, 0, PEN_KIND_SOURCE, "well", "");
  test_definition_assert_flow (definition, 1, PEN_KIND_SINK, "raw", "0");
  test_definition_assert_flow (definition, 2, PEN_KIND_TRANSFORM, "averages", "0");
  test_definition_assert_flow (definition, 3, PEN_KIND_SINK, "averages", "2");
  test_definition_assert_flow (definition, 4, PEN_KIND_SOURCE, "well2", "");
  test_definition_assert_flow (definition, 5, PEN_KIND_SINK, "both", "2,6");
  test_definition_assert_flow (definition, 6, PEN_KIND_TRANSFORM, "late", "4,0");
  test_definition_assert_flow (definition, 7, PEN_KIND_DEAD_LETTER, "basin", "");
  g_assert_cmpuint (pen_definition_get_element (definition, 5)->line, ==, 16);
  g_assert_cmpstr (pen_definition_get_element (definition, 7)->plugin->name, ==, "basin");
}

static void
test_definition_assert_list (PenElement *element, const char *property, const char *joined)
{
  g_auto (GStrv) items = NULL;
  g_autofree char *text = NULL;

  g_object_get (element, property, &items, NULL);
  text = g_strjoinv ("|", items);
  g_assert_cmpstr (text, ==, joined);
}

static void
test_definition_source_values (void)
{
  g_autofree char *told = NULL;
  g_autoptr (PenDefinition) definition
      = test_definition_parse ("y_values.pipeline", PEN_DEFINITION_NONE, &told);
  g_autoptr (PenElement) source = pen_definition_create_element (definition, 0);
  g_autofree char *secret = test_definition_get_fixture ("secret.txt");
  g_autofree char *host = NULL, *client_id = NULL, *username = NULL, *password = NULL;
  g_autofree char *cafile = NULL;
  guint qos = 9;
  int port = 0, tls = 9;
  gboolean is_clean = FALSE;
  gint64 keep_alive_us = 0;
  guint64 max_payload_bytes = 0;

  g_object_get (source, "host", &host, "port", &port, "qos", &qos, "client-id", &client_id,
                "clean-session", &is_clean, "username", &username, "password", &password, "tls",
                &tls, "cafile", &cafile, "keep-alive", &keep_alive_us, "max-payload",
                &max_payload_bytes, NULL);
  g_assert_cmpstr (host, ==, "broker.word");
  g_assert_cmpint (port, ==, 8883);
  g_assert_cmpuint (qos, ==, 0);
  g_assert_cmpstr (client_id, ==, "");
  g_assert_true (is_clean);
  g_assert_cmpstr (username, ==, "si$te$");
  g_assert_cmpstr (password, ==, "hunter5");
  g_assert_cmpint (tls, ==, 1);
  g_assert_cmpstr (cafile, ==, secret);
  g_assert_cmpint (keep_alive_us, ==, 90 * G_USEC_PER_SEC);
  g_assert_cmpuint (max_payload_bytes, ==, 64 * 1024 * 1024);
  test_definition_assert_list (source, "topics", "$share/g/a/#|b/;c\\d|mill-7/+|$x");
}

static void
test_definition_other_values (void)
{
  g_autofree char *told = NULL;
  g_autoptr (PenDefinition) definition
      = test_definition_parse ("y_values.pipeline", PEN_DEFINITION_NONE, &told);
  PenSettings *settings = pen_definition_get_settings (definition);
  g_autoptr (PenElement) transform = pen_definition_create_element (definition, 1);
  g_autoptr (PenElement) sink = pen_definition_create_element (definition, 2);
  g_autoptr (PenElement) dead_letter = pen_definition_create_element (definition, 3);
  g_autofree char *lost = test_definition_get_fixture ("lost/letters.jsonl");
  g_autofree char *mesh = NULL, *path = NULL, *lost_path = NULL, *name = NULL;
  g_autofree char *description = NULL;
  gint64 drain_timeout_us = 9;
  int level = 0, lost_level = 0;
  gint64 offset = 0;
  guint64 volume = 0;
  guint valves = 0;
  double slope = 0;

  g_assert_cmpstr (pen_definition_get_name (definition), ==, "values-1.0_x");
  g_assert_cmpstr (pen_settings_get_description (settings), ==,
                   "What #is not a comment, ; nor this = that");
  g_assert_cmpint (pen_settings_get_drain_timeout (settings), ==, 0);
  g_object_get (settings, "name", &name, "description", &description, "drain-timeout",
                &drain_timeout_us, NULL);
  g_assert_cmpstr (name, ==, pen_settings_get_name (settings));
  g_assert_cmpstr (description, ==, pen_settings_get_description (settings));
  g_assert_cmpint (drain_timeout_us, ==, 0);
  g_assert_true (pen_settings_get_spool (settings));
  g_assert_cmpuint (pen_settings_get_spool_size (settings), ==, (guint64) 1 << 40);
  g_assert_cmpint (pen_settings_get_spool_keep (settings), ==, 7 * 86400 * (gint64) G_USEC_PER_SEC);
  g_object_get (transform, "mesh", &mesh, NULL);
  g_assert_cmpstr (mesh, ==, "pa\\ss;w\303\266rd \"quoted\"");
  g_object_get (sink, "path", &path, "level", &level, "offset", &offset, "volume", &volume,
                "valves", &valves, "slope", &slope, NULL);
  g_assert_cmpstr (path, ==, "-");
  g_assert_cmpint (level, ==, -5);
  g_assert_cmpint (offset, ==, G_MININT64);
  g_assert_cmpuint (volume, ==, G_MAXUINT64);
  g_assert_cmpuint (valves, ==, 8);
  g_assert_cmpfloat (slope, ==, 0.125);
  g_assert_cmpuint (pen_sink_get_batch_events (PEN_SINK (sink)), ==, 7);
  g_assert_cmpint (pen_sink_get_linger (PEN_SINK (sink)), ==, 500000);
  g_object_get (dead_letter, "path", &lost_path, "level", &lost_level, NULL);
  g_assert_cmpstr (lost_path, ==, lost);
  g_assert_cmpint (lost_level, ==, 5);
}

/* Nothing of this machine is looked at, and nothing is said of what that leaves open. */
static void
test_definition_settings_count (void)
{
  static const struct
  {
    const char *property;
    const char *value;
  } changes[] = { { "name", "mill" },  { "description", "Mill" }, { "drain-timeout", "1us" },
                  { "spool", "true" }, { "spool-size", "1MiB" },  { "spool-keep", "1us" } };

  for (gsize i = 0; i < G_N_ELEMENTS (changes); i++)
    {
      g_autoptr (PenSettings) defaults = pen_settings_new ();
      g_autoptr (PenSettings) settings = pen_settings_new ();
      g_auto (GValue) value = G_VALUE_INIT;
      GParamSpec *pspec
          = g_object_class_find_property (G_OBJECT_GET_CLASS (settings), changes[i].property);

      g_assert_true (pen_settings_equal (settings, defaults));
      g_assert_true (pen_property_parse (pspec, changes[i].value, &value));
      g_object_set_property (G_OBJECT (settings), changes[i].property, &value);
      g_assert_false (pen_settings_equal (settings, defaults));
    }
}

static void
test_definition_without_environment (void)
{
  static const char text[] = "[pipeline]\nname=${env:PENSTOCK_TEST_MISSING}\n"
                             "[variables]\nsite=${env:PENSTOCK_TEST_MISSING}\n"
                             "[source well]\nhost=${site}\nport=${env:PENSTOCK_TEST_MISSING}\n"
                             "topics=a;${file:gone}\nusername=x\npassword=${credential:gone}\n"
                             "cafile=gone.crt\nclean-session=false\n"
                             "[source well other]\nhost=nowhere.example\ntopics=x\n"
                             "port=${env:PENSTOCK_TEST_MISSING:-many}\n"
                             "[sink basin]\nfrom=well;other\n";
  g_autoptr (PenRegistry) registry = test_definition_new_registry ();
  g_autoptr (GPtrArray) findings = test_definition_new_findings ();
  g_autoptr (PenDefinition) definition = NULL;
  g_autofree char *told = NULL;

  definition = pen_definition_parse ("x.pipeline", text, strlen (text), registry,
                                     PEN_DEFINITION_NO_ENVIRONMENT, findings);
  told = test_definition_tell (findings);
  g_assert_null (definition);
  g_assert_cmpstr (told, ==,
                   "x.pipeline:16:6: error: bad value 'many' (from "
                   "'${env:PENSTOCK_TEST_MISSING:-many}') for 'port' in [source well other]; "
                   "expected a whole number from 1 to 65535\n");
}

/* A list of which a part is not known is not known, and a name that is not known is not the file's,
 * which may be none. */
static void
test_definition_leaves_unknown_alone (void)
{
  static const char text[] = "[pipeline]\nname=${env:PENSTOCK_TEST_MISSING}\n"
                             "[source well]\nhost=a\ntopics=a;${env:PENSTOCK_TEST_MISSING};b\n"
                             "[sink basin]\n";
  g_autoptr (PenRegistry) registry = test_definition_new_registry ();
  g_autoptr (GPtrArray) findings = test_definition_new_findings ();
  g_autoptr (PenDefinition) definition = NULL;
  g_autoptr (PenElement) source = NULL;
  g_autofree char *told = NULL;
  g_auto (GStrv) topics = NULL;

  definition = pen_definition_parse ("no name.pipeline", text, strlen (text), registry,
                                     PEN_DEFINITION_NO_ENVIRONMENT, findings);
  told = test_definition_tell (findings);
  g_assert_cmpstr (told, ==, "");
  g_assert_nonnull (definition);
  source = pen_definition_create_element (definition, 0);
  g_object_get (source, "topics", &topics, NULL);
  g_assert_null (topics);
}

/* What a keyfile in a folder of its own comes to. */
static PenDefinition *
test_definition_load_text (const char *folder, const char *text, guint mode, char **told)
{
  g_autoptr (PenRegistry) registry = test_definition_new_registry ();
  g_autoptr (GPtrArray) findings = test_definition_new_findings ();
  g_autofree char *path = g_build_filename (folder, "site-7.pipeline", NULL);
  g_autoptr (GString) line = NULL;
  g_autofree char *lines = NULL;
  PenDefinition *definition;

  pen_test_write_file (folder, "site-7.pipeline", text);
  g_assert_no_errno (g_chmod (path, (int) mode));
  definition = pen_definition_load (path, registry, PEN_DEFINITION_NONE, findings);
  lines = test_definition_tell (findings);
  line = g_string_new (lines);
  g_string_replace (line, folder, "FOLDER", 0);
  *told = g_string_free (g_steal_pointer (&line), FALSE);
  return definition;
}

static void
test_definition_takes_name_from_file (void)
{
  char *folder = pen_test_make_folder ();
  g_autofree char *told = NULL;
  g_autoptr (PenDefinition) definition = test_definition_load_text (
      folder, "[source well]\nhost=a\ntopics=x\n[sink basin]\n", 0644, &told);

  g_assert_cmpstr (told, ==, "");
  g_assert_cmpstr (pen_definition_get_name (definition), ==, "site-7");
  g_assert_true (g_str_has_suffix (pen_definition_get_path (definition), "/site-7.pipeline"));
  g_assert_null (pen_settings_get_description (pen_definition_get_settings (definition)));
  g_assert_cmpint (pen_settings_get_drain_timeout (pen_definition_get_settings (definition)), ==,
                   10 * G_USEC_PER_SEC);
  pen_test_remove_folder (folder);
}

static void
test_definition_warns_of_secrets (void)
{
  static const char text[] = "[source well]\nhost=a\ntopics=x\nusername=site\n"
                             "password=hunter2\n[sink basin]\n";
  char *folder = pen_test_make_folder ();
  g_autofree char *told_open = NULL;
  g_autofree char *told_closed = NULL;
  g_autoptr (PenDefinition) open = test_definition_load_text (folder, text, 0644, &told_open);
  g_autoptr (PenDefinition) closed = test_definition_load_text (folder, text, 0640, &told_closed);

  g_assert_nonnull (open);
  g_assert_nonnull (closed);
  g_assert_cmpstr (told_closed, ==,
                   "FOLDER/site-7.pipeline:5:10: warning: the secret 'password' stands in the file "
                   "itself; put it into ${env:NAME}, ${file:PATH} or ${credential:NAME}\n");
  g_assert_cmpstr (told_open, ==,
                   "FOLDER/site-7.pipeline:5:10: warning: the secret 'password' stands in the file "
                   "itself; put it into ${env:NAME}, ${file:PATH} or ${credential:NAME}\n"
                   "FOLDER/site-7.pipeline:5:10: warning: every user of this machine can read this "
                   "file, and so its secrets (mode 0644); do: chmod o-rwx "
                   "'FOLDER/site-7.pipeline'\n");
  pen_test_remove_folder (folder);
}

/* A secret's file that everyone may read, in a folder that everyone, or nobody else, may enter. */
static char *
test_definition_tell_secret_file (const char *text, int mode, int folder_mode)
{
  char *folder = pen_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "password", NULL);
  g_autofree char *told = NULL;
  g_autoptr (PenDefinition) definition = NULL;

  pen_test_write_file (folder, "password", "hunter2\n");
  g_assert_no_errno (g_chmod (path, mode));
  g_assert_no_errno (g_chmod (folder, folder_mode));
  definition = test_definition_load_text (folder, text, 0644, &told);
  g_assert_nonnull (definition);
  pen_test_remove_folder (folder);
  return g_steal_pointer (&told);
}

static void
test_definition_warns_of_secret_files (void)
{
  static const char direct[] = "[source well]\nhost=a\ntopics=x\nusername=site\n"
                               "password=${file:password}\n[sink basin]\n";
  static const char variable[] = "[variables]\nword=${file:password}\n"
                                 "[source well]\nhost=a\ntopics=x\nusername=site\n"
                                 "password=${word}\n[sink basin]\n";
  static const char harmless[] = "[source well]\nhost=${file:password}\ntopics=x\n[sink basin]\n";
  g_autofree char *closed = test_definition_tell_secret_file (direct, 0640, 0755);
  g_autofree char *sheltered = test_definition_tell_secret_file (direct, 0644, 0700);
  g_autofree char *open = test_definition_tell_secret_file (direct, 0644, 0755);
  g_autofree char *through = test_definition_tell_secret_file (variable, 0604, 0755);
  g_autofree char *no_secret = test_definition_tell_secret_file (harmless, 0644, 0755);

  g_assert_cmpstr (closed, ==, "");
  g_assert_cmpstr (sheltered, ==, "");
  g_assert_cmpstr (no_secret, ==, "");
  g_assert_cmpstr (open, ==,
                   "FOLDER/site-7.pipeline:5:10: warning: every user of this machine can read "
                   "'FOLDER/password', from where the secret 'password' comes (mode 0644); do: "
                   "chmod o-rwx 'FOLDER/password'\n");
  g_assert_cmpstr (through, ==,
                   "FOLDER/site-7.pipeline:7:10: warning: every user of this machine can read "
                   "'FOLDER/password', from where the secret 'password' comes (mode 0604); do: "
                   "chmod o-rwx 'FOLDER/password'\n");
}

static void
test_definition_hides_secrets_from_checks (void)
{
  /* The well complains of its host by name; here the host is what the password is as well. */
  static const char text[] = "[source well]\nhost=${env:PENSTOCK_TEST_HOST}\ntopics=x\n"
                             "username=site\npassword=${env:PENSTOCK_TEST_HOST}\n[sink basin]\n";
  char *folder = pen_test_make_folder ();
  g_autofree char *told = NULL;
  g_autoptr (PenDefinition) definition = NULL;

  g_setenv ("PENSTOCK_TEST_HOST", "nowhere.example", TRUE);
  definition = test_definition_load_text (folder, text, 0640, &told);
  g_assert_nonnull (definition);
  g_assert_cmpstr (told, ==,
                   "FOLDER/site-7.pipeline:2:6: warning: 'host' in [source well]: there is no "
                   "'(not shown)'\n");
  pen_test_remove_folder (folder);
}

static void
test_definition_hides_files_from_checks (void)
{
  static const char text[]
      = "[source well]\nhost=${file:host}\ntopics=x\n[sink basin]\npath=${file:host}\n";
  char *folder = pen_test_make_folder ();
  g_autofree char *told = NULL;
  g_autoptr (PenDefinition) definition = NULL;

  pen_test_write_file (folder, "host", "nowhere.example\n");
  definition = test_definition_load_text (folder, text, 0640, &told);
  g_assert_nonnull (definition);
  g_assert_cmpstr (told, ==,
                   "FOLDER/site-7.pipeline:2:6: warning: 'host' in [source well]: there is no "
                   "'(not shown)'\n");
  pen_test_remove_folder (folder);
}

static void
test_definition_write_good (const char *folder, const char *name)
{
  pen_test_write_file (folder, name, "[source well]\nhost=a\ntopics=x\n[sink basin]\n");
}

static void
test_definition_loads_folders (void)
{
  char *folder = pen_test_make_folder ();
  g_autofree char *single = g_build_filename (folder, "single.pipeline", NULL);
  g_autofree char *missing = g_build_filename (folder, "missing.pipeline", NULL);
  g_autofree char *empty = g_build_filename (folder, "empty.pipeline", NULL);
  const char *const paths[] = { single, folder, missing, empty, NULL };
  g_autoptr (PenRegistry) registry = test_definition_new_registry ();
  g_autoptr (GPtrArray) findings = test_definition_new_findings ();
  g_autoptr (GPtrArray) definitions = NULL;
  g_autofree char *lines = NULL;
  g_autoptr (GString) told = NULL;
  guint n_faulty = 0;

  test_definition_write_good (folder, "single.pipeline");
  test_definition_write_good (folder, "b.pipeline");
  test_definition_write_good (folder, "a.pipeline");
  test_definition_write_good (folder, ".hidden.pipeline");
  test_definition_write_good (folder, "notes.txt");
  pen_test_write_file (folder, "c.pipeline", "[source well]\n");
  pen_test_write_file (folder, "d.pipeline",
                       "[pipeline]\nname=a\n[source well]\nhost=a\ntopics=x\n[sink basin]\n");
  g_assert_no_errno (g_mkdir (empty, 0700));
  definitions = pen_definition_load_all (paths, registry, PEN_DEFINITION_NONE, findings, &n_faulty);
  lines = test_definition_tell (findings);
  told = g_string_new (lines);
  g_string_replace (told, folder, "FOLDER", 0);

  g_assert_cmpuint (definitions->len, ==, 3);
  g_assert_cmpstr (pen_definition_get_name (g_ptr_array_index (definitions, 0)), ==, "single");
  g_assert_cmpstr (pen_definition_get_name (g_ptr_array_index (definitions, 1)), ==, "a");
  g_assert_cmpstr (pen_definition_get_name (g_ptr_array_index (definitions, 2)), ==, "b");
  g_assert_cmpuint (n_faulty, ==, 5);
  g_assert_cmpstr (told->str, ==,
                   "FOLDER/c.pipeline:1:1: error: [source well] needs 'host': Where to draw from\n"
                   "FOLDER/c.pipeline:1:1: error: [source well] needs 'topics': What to draw\n"
                   "FOLDER/c.pipeline:1:1: error: there is no sink in this file; end with a [sink "
                   "PLUGIN]\n"
                   "FOLDER/d.pipeline:2:6: error: there is a pipeline 'a' already, in "
                   "'FOLDER/a.pipeline'; a name is used once\n"
                   "FOLDER/single.pipeline: error: this file is given twice\n"
                   "FOLDER/missing.pipeline: error: cannot be read: No such file or directory\n"
                   "FOLDER/empty.pipeline: error: this folder has no *.pipeline files\n");
  pen_test_remove_folder (folder);
}

static void
test_definition_refuses_large_files (void)
{
  char *folder = pen_test_make_folder ();
  g_autofree char *text = g_strnfill (16 * 1024 * 1024 + 1, '#');
  g_autofree char *told = NULL;

  g_assert_null (test_definition_load_text (folder, text, 0644, &told));
  g_assert_cmpstr (told, ==,
                   "FOLDER/site-7.pipeline: error: cannot be read: it has more than 16777216 "
                   "bytes\n");
  pen_test_remove_folder (folder);
}

/* Whatever is done to a good file: it is refused with a reason, or it is one to GKeyFile too. */
static void
test_definition_survives_mutation (void)
{
  static const char *const pieces[] = { "\n",   "[",    "]", "=",  ";",   "$",     "{",
                                        "}",    "#",    " ", "\\", "x",   "from=", "[sink basin]\n",
                                        "\xc3", "\x01", "-", "9",  "well" };
  g_autoptr (PenRegistry) registry = test_definition_new_registry ();
  g_autofree char *path = test_definition_get_fixture ("y_values.pipeline");
  g_autofree char *text = pen_test_read_file (path, NULL);
  guint n_accepted = 0;

  for (guint i = 0; i < 1000; i++)
    {
      g_autoptr (GPtrArray) findings = test_definition_new_findings ();
      g_autoptr (GString) mutant = g_string_new (text);
      g_autoptr (PenDefinition) definition = NULL;

      for (int n = g_test_rand_int_range (1, 4); n > 0; n--)
        {
          gssize at = g_test_rand_int_range (0, (int) mutant->len - 4);

          if (g_test_rand_bit ())
            g_string_erase (mutant, at, g_test_rand_int_range (1, 4));
          else
            g_string_insert (mutant, at, pieces[g_test_rand_int_range (0, G_N_ELEMENTS (pieces))]);
        }
      definition = pen_definition_parse (path, mutant->str, mutant->len, registry,
                                         PEN_DEFINITION_NONE, findings);
      if (definition == NULL)
        g_assert_cmpuint (findings->len, >, 0);
      else
        test_definition_compare_to_gkeyfile (mutant->str, mutant->len);
      n_accepted += definition != NULL;
    }
  g_test_message ("%u of 1000 were accepted", n_accepted);
  g_assert_cmpuint (n_accepted, >, 0);
  g_assert_cmpuint (n_accepted, <, 1000);
}

/* Every example of the document is a pipeline that loads. */
static void
test_definition_accepts_documented_examples (void)
{
  g_autoptr (PenRegistry) registry = pen_registry_new (NULL);
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "..", "docs", "keyfile.md", NULL);
  g_autofree char *text = pen_test_read_file (path, NULL);
  g_auto (GStrv) blocks = g_strsplit (text, "```", -1);
  guint n_examples = 0;

  if (pen_registry_find (registry, PEN_KIND_SOURCE, "mqtt", NULL) == NULL)
    {
      g_test_skip ("the examples use a source mqtt, which was not built");
      return;
    }
  for (guint i = 1; blocks[i] != NULL; i += 2)
    {
      g_autoptr (GPtrArray) findings = test_definition_new_findings ();
      g_autoptr (PenDefinition) definition = NULL;
      g_autofree char *told = NULL;

      if (!g_str_has_prefix (blocks[i], "ini\n"))
        continue;
      definition = pen_definition_parse ("example.pipeline", blocks[i] + strlen ("ini\n"),
                                         strlen (blocks[i]) - strlen ("ini\n"), registry,
                                         PEN_DEFINITION_NO_ENVIRONMENT, findings);
      told = test_definition_tell (findings);
      g_assert_null (strstr (told, "error:"));
      g_assert_nonnull (definition);
      n_examples++;
    }
  g_assert_cmpuint (n_examples, >=, 4);
}

static PenDefinition *
test_load_with_input (PenRegistry *registry, const char *folder, const char *content)
{
  const char *text = "[source well]\nhost=h\ntopics=t\ncafile=ca.crt\n[sink basin]\n";
  g_autofree char *path = g_build_filename (folder, "site.pipeline", NULL);
  g_autoptr (GPtrArray) findings = test_definition_new_findings ();
  PenDefinition *definition;

  pen_test_write_file (folder, "ca.crt", content);
  definition
      = pen_definition_parse (path, text, strlen (text), registry, PEN_DEFINITION_NONE, findings);
  g_assert_nonnull (definition);
  return definition;
}

/* What a file holds that is part of the configuration counts, not when it was written. */
static void
test_definition_content (void)
{
  char *folder = pen_test_make_folder ();
  g_autoptr (PenRegistry) registry = test_definition_new_registry ();
  g_autoptr (PenDefinition) first = test_load_with_input (registry, folder, "a certificate\n");
  g_autoptr (PenDefinition) same = test_load_with_input (registry, folder, "a certificate\n");
  g_autoptr (PenDefinition) other = test_load_with_input (registry, folder, "a new one\n");

  g_assert_true (pen_definition_equal (first, same));
  g_assert_false (pen_definition_equal (first, other));
  pen_test_remove_folder (folder);
}

int
main (int argc, char **argv)
{
  int result;

  pen_test_init (&argc, &argv);
  test_definition_set_environment ();
  test_definition_link_modules ();
  test_definition_copy_fixtures ();
  g_test_add_func ("/definition/tells-all-faults", test_definition_tells_all_faults);
  g_test_add_func ("/definition/accepts", test_definition_accepts);
  g_test_add_func ("/definition/flow", test_definition_flow);
  g_test_add_func ("/definition/source-values", test_definition_source_values);
  g_test_add_func ("/definition/other-values", test_definition_other_values);
  g_test_add_func ("/definition/settings-count", test_definition_settings_count);
  g_test_add_func ("/definition/without-environment", test_definition_without_environment);
  g_test_add_func ("/definition/leaves-unknown-alone", test_definition_leaves_unknown_alone);
  g_test_add_func ("/definition/takes-name-from-file", test_definition_takes_name_from_file);
  g_test_add_func ("/definition/warns-of-secrets", test_definition_warns_of_secrets);
  g_test_add_func ("/definition/warns-of-secret-files", test_definition_warns_of_secret_files);
  g_test_add_func ("/definition/hides-secrets-from-checks",
                   test_definition_hides_secrets_from_checks);
  g_test_add_func ("/definition/hides-files-from-checks", test_definition_hides_files_from_checks);
  g_test_add_func ("/definition/loads-folders", test_definition_loads_folders);
  g_test_add_func ("/definition/refuses-large-files", test_definition_refuses_large_files);
  g_test_add_func ("/definition/accepts-documented-examples",
                   test_definition_accepts_documented_examples);
  g_test_add_func ("/definition/survives-mutation", test_definition_survives_mutation);
  g_test_add_func ("/definition/content", test_definition_content);
  result = g_test_run ();
  pen_test_remove_folder (modules);
  pen_test_remove_folder (fixtures);
  return result;
}
