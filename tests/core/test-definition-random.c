/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Random pipelines, good and damaged: whatever is read as a definition holds together, and no
 * secret is in what is said about it.
 */

#include "config.h"

#include <string.h>

#include "pen-corpus.h"
#include "pen-definition.h"
#include "pen-guard.h"
#include "pen-judge-definition.h"
#include "pen-random-json.h"
#include "pen-test.h"

#define LIMIT (64 * 1024)
#define N_TEXTS 1500
#define SECRET "hunter2-Zw9"

typedef struct
{
  PenRegistry *registry;
  PenGuard *guard;
} Fixture;

static void
test_fixture_set_up (Fixture *fixture, gconstpointer data)
{
  fixture->registry = pen_registry_new (NULL);
  fixture->guard = pen_guard_new (LIMIT);
}

static void
test_fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  pen_registry_free (fixture->registry);
  pen_guard_free (fixture->guard);
}

static void
test_append_keys (GString *text, const char *const *keys, guint n_keys, gint n_lines)
{
  for (gint i = 0; i < n_lines; i++)
    g_string_append_printf (text, "%s\n", pen_random_pick (keys, n_keys));
}

static void
test_append_group (GString *text)
{
  static const char *const sources[] = { "[source file]\npath=-", "[source file b]\npath=in" };
  static const char *const transforms[]
      = { "[transform ammp]", "[transform ammp two]", "[transform ammp three]" };
  static const char *const sinks[] = {
    "[sink stdout]",   "[sink file]\npath=out",         "[sink file archive]\npath=out2",
    "[sink stdout x]", "[dead-letter file]\npath=dead", "[sink nonesuch]",
  };
  static const char *const keys[] = {
    "from=file",
    "from=ammp",
    "from=file;ammp",
    "from=two",
    "from=b;two;three",
    "from=nobody",
    "from=",
    "missing-vid=device",
    "missing-vid=${way}",
    "path=${site}-${x}",
    "format=dead-letters",
    "follow=true",
    "linger=${env:LINGER:-1s}",
    "linger=1",
    "batch-events=0",
    "nonsense=1",
  };
  gint kind = g_test_rand_int_range (0, 10);

  if (kind < 3)
    g_string_append (text, pen_random_pick (sources, G_N_ELEMENTS (sources)));
  else if (kind < 6)
    g_string_append (text, pen_random_pick (transforms, G_N_ELEMENTS (transforms)));
  else
    g_string_append (text, pen_random_pick (sinks, pen_random_chance (4) ? 6 : 5));
  g_string_append_c (text, '\n');
  if (pen_random_chance (2))
    test_append_keys (text, keys, pen_random_chance (5) ? G_N_ELEMENTS (keys) : 5, 1);
}

static GString *
test_make_pipeline (void)
{
  GString *text = g_string_new ("[source file]\npath=-\n");
  gint n_groups = g_test_rand_int_range (0, 5);

  if (pen_random_chance (3))
    g_string_prepend (text, "[pipeline]\ndescription=A site\n[variables]\nway=skip\n");
  else if (pen_random_chance (3))
    g_string_prepend (text, "[sites]\ncolumns=way;x\na=skip;${env:X:-1}\nb=device;1\n");
  for (gint i = 0; i < n_groups; i++)
    test_append_group (text);
  if (!pen_random_chance (4))
    g_string_append (text, "[sink stdout last]\n");
  return text;
}

static guint
test_judge_pipelines (Fixture *fixture, guint n_mutations)
{
  guint n_accepted = 0;

  for (guint i = 0; i < N_TEXTS; i++)
    {
      g_autoptr (GString) text = test_make_pipeline ();

      for (guint round = 0; round < n_mutations; round++)
        pen_random_json_mutate (text);
      if (pen_judge_definition (fixture->registry,
                                pen_guard_put (fixture->guard, text->str, text->len), text->len))
        n_accepted++;
    }
  return n_accepted;
}

static void
test_definition_good (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpuint (test_judge_pipelines (fixture, 0), >, N_TEXTS / 20);
}

static void
test_definition_damaged (Fixture *fixture, gconstpointer data)
{
  test_judge_pipelines (fixture, 2);
}

static void
test_judge_seed (const char *name, const char *text, gsize length, gpointer user_data)
{
  Fixture *fixture = user_data;

  pen_judge_definition (fixture->registry, pen_guard_put (fixture->guard, text, length), length);
}

static void
test_definition_seeds (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpuint (pen_corpus_foreach ("core/corpus/keyfile", test_judge_seed, fixture), >, 10);
}

static void
test_find_no_secret (Fixture *fixture, const GString *text)
{
  g_autoptr (GPtrArray) diagnostics
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  g_autoptr (PenDefinition) definition
      = pen_definition_parse ("site.pipeline", text->str, text->len, fixture->registry,
                              PEN_DEFINITION_NO_ENVIRONMENT, diagnostics);

  for (guint j = 0; j < diagnostics->len; j++)
    {
      const PenDiagnostic *diagnostic = diagnostics->pdata[j];

      g_assert_null (strstr (diagnostic->message, SECRET));
    }
}

/* A password in a line that went wrong. */
static void
test_definition_keeps_misspelt_secrets (Fixture *fixture, gconstpointer data)
{
  static const char *const lines[] = {
    "[source mqtt]\npassword " SECRET,
    "[source mqtt]\npassword: " SECRET,
    "[source mqtt]\npassword:" SECRET,
    "[source mqtt]\npassword\t" SECRET,
    "[source mqtt]\npasword=" SECRET,
    "[source mqtt]\npass word=" SECRET,
    "[source mqtt]\nPassword = " SECRET,
    "[source mqtt]\npassword[de]=" SECRET,
    "[source mqtt] password=" SECRET,
    "[source mqtt] password: " SECRET,
    "[source mqt]\npassword=" SECRET,
    "[sourc mqtt]\npassword=" SECRET,
    "password=" SECRET "\n[source mqtt]",
    "[source mqtt\npassword=" SECRET,
    "[source mqtt]\npassword=a\npassword=" SECRET,
    "[variables]\np " SECRET "\n[source mqtt]\npassword=${p}",
    "[variables]\np=" SECRET "\n[source mqtt]\npassword=${p",
    "[variables]\np=" SECRET "\n[source mqtt]\npassword=${q}",
    "[sites]\ncolumns=p\na=" SECRET "\n[source mqtt]\npassword=${q}",
    "[sites]\ncolumns=n;p\na;b;" SECRET "\n[source mqtt]\npassword=${p}",
    "[sites]\ncolumns=n;p\na;b;" SECRET "=x\n[source mqtt]\npassword=${p}",
    "[sites]\ncolums=n;p\na=b;" SECRET "\n[source mqtt]\npassword=${p}",
    "[sites]\ncolumns=p\na=b;" SECRET "\n[source mqtt]\npassword=${p}",
    "[sites]\na=" SECRET "\n[source mqtt]\npassword=${site}",
    "[sites]\ncolumns=p\na " SECRET "\n[source mqtt]\npassword=${p}",
    "[sites]\ncolumns=p\na=" SECRET "\nb=" SECRET "\n[source mqtt]\npassword=${p}\nqos=${p}",
    "[sites]\ncolumns=p\na=${" SECRET "}\n[source mqtt]\npassword=${p}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_autoptr (GString) text = g_string_new (lines[i]);

      g_string_append (text, "\ntopics=a/b\nhost=broker.example\n[sink stdout]\n");
      test_find_no_secret (fixture, text);
    }
}

/* The password stands where it belongs; everything around it is damaged. */
static void
test_definition_keeps_secrets (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < N_TEXTS; i++)
    {
      g_autoptr (GString) text = g_string_new ("[variables]\np=" SECRET "\n");
      g_autoptr (GString) rest = g_string_new ("qos=1\ntopics=a/b\nhost=broker.example\n[sink "
                                               "stdout]\n[dead-letter file]\npath=dead\n");

      pen_random_json_mutate (rest);
      g_string_append (text, "[source mqtt]\n");
      g_string_append (text, pen_random_chance (2) ? "password=" SECRET "\n" : "password=${p}\n");
      g_string_append_len (text, rest->str, (gssize) rest->len);
      test_find_no_secret (fixture, text);
    }
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
#define ADD(path, func)                                                                            \
  g_test_add (path, Fixture, NULL, test_fixture_set_up, func, test_fixture_tear_down)
  ADD ("/definition/random/good", test_definition_good);
  ADD ("/definition/random/damaged", test_definition_damaged);
  ADD ("/definition/random/seeds", test_definition_seeds);
  ADD ("/definition/random/keeps-secrets", test_definition_keeps_secrets);
  ADD ("/definition/random/keeps-misspelt-secrets", test_definition_keeps_misspelt_secrets);
#undef ADD
  return g_test_run ();
}
