/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every keyfile that is delivered is a good one and passes its own tests, and what a site publishes
 * comes out of the demo byte for byte, through a broker with TLS.
 */

#include "config.h"

#include "pen-test.h"

#include <string.h>
#include <sys/wait.h>

/* Runs @arguments; returns its exit status, with what it wrote in @output and @complaints. */
static int
test_run (const char *const *arguments, char **output, char **complaints)
{
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, output,
                complaints, &status, &error);
  g_assert_no_error (error);
  g_assert_true (WIFEXITED (status));
  return WEXITSTATUS (status);
}

static void
test_check (gconstpointer data)
{
  const char *path = data;
  const char *arguments[]
      = { g_getenv ("PENSTOCK_COMMAND"), "check", "--no-environment", path, NULL };
  g_autofree char *output = NULL;
  g_autofree char *complaints = NULL;
  int status = test_run (arguments, &output, &complaints);

  if (status != 0 || strstr (complaints, "0 errors, 0 warnings") == NULL)
    g_error ("%s: status %d: %s%s", path, status, output, complaints);
}

/* The keyfile's own tests, of which it has some. */
static void
test_test (gconstpointer data)
{
  const char *path = data;
  const char *arguments[] = { g_getenv ("PENSTOCK_COMMAND"), "test", path, NULL };
  g_autofree char *output = NULL;
  g_autofree char *complaints = NULL;
  int status = test_run (arguments, &output, &complaints);

  if (status != 0 || strstr (output, "\nok 1 - ") == NULL)
    g_error ("%s: status %d: %s%s", path, status, output, complaints);
}

/* Two tests for each *.pipeline below @folder; returns how many. */
static guint
test_add_keyfiles (const char *folder, guint prefix_length)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  guint n_found = 0;

  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      char *path = g_build_filename (folder, name, NULL);
      g_autofree char *check_path = g_strconcat ("/pipelines/check", path + prefix_length, NULL);
      g_autofree char *test_path = g_strconcat ("/pipelines/test", path + prefix_length, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_DIR))
        n_found += test_add_keyfiles (path, prefix_length);
      else if (g_str_has_suffix (name, ".pipeline"))
        {
          g_test_add_data_func_full (test_path, g_strdup (path), test_test, g_free);
          g_test_add_data_func_full (check_path, g_steal_pointer (&path), test_check, g_free);
          n_found++;
        }
      g_free (path);
    }
  return n_found;
}

/* Values of every kind that must not be touched, merged devices, and what has to go. */
static const char payloads[]
    = "{\"t\":1767225600,\"r\":[{\"_d\":\"logger\",\"_vid\":\"logger-1\",\"cpu_load\":0.06,"
      "\"fan\":null},{\"_d\":\"board\",\"_vid\":\"logger-1\",\"_s\":[{\"c\":\"hot\",\"l\":3}],"
      "\"temp\":36.103000000000002}],\"m\":{\"snap_rev\":14}}\n"
      "{\"t\":1767225660.0,\"r\":[{\"_vid\":\"meter-1\",\"E\":18446744073709551616,\"V\":"
      "229.70000000000002,\"f\":50.0,\"e\":1e3,\"z\":-0,\"on\":true,\"n\":\"\\u00e9\\/\"}]}\n";
static const char lines[]
    = "{\"time\":\"2026-01-01T00:00:00+00:00\",\"data\":{\"logger-1\":{\"cpu_load\":0.06,"
      "\"temp\":36.103000000000002}}}\n"
      "{\"time\":\"2026-01-01T00:01:00+00:00\",\"data\":{\"meter-1\":{\"E\":18446744073709551616,"
      "\"V\":229.70000000000002,\"f\":50.0,\"e\":1e3,\"z\":-0,\"on\":true,\"n\":\"\\u00e9\\/\"}}}"
      "\n";

static void
test_demo (void)
{
  char *folder = pen_test_make_folder ();
  g_autofree char *demo = g_build_filename (g_getenv ("G_TEST_SRCDIR"), "..", "tools/demo", NULL);
  g_autofree char *build = g_build_filename (g_getenv ("G_TEST_BUILDDIR"), "..", NULL);
  g_autofree char *input = g_build_filename (folder, "payloads.jsonl", NULL);
  g_autofree char *output = g_build_filename (folder, "lines.jsonl", NULL);
  const char *arguments[]
      = { demo, "--no-install", "--build", build, "--payloads", input, "--output", output, NULL };
  g_autofree char *screen = NULL;
  g_autofree char *complaints = NULL;
  g_autofree char *delivered = NULL;
  int status;

  pen_test_write_file (folder, "payloads.jsonl", payloads);
  status = test_run (arguments, &screen, &complaints);
  if (status != 0)
    g_error ("status %d: %s%s", status, screen, complaints);
  delivered = pen_test_read_file (output, NULL);
  g_assert_cmpstr (delivered, ==, lines);
  g_assert_nonnull (strstr (screen, "        0 lost\n"));
  pen_test_remove_folder (folder);
}

int
main (int argc, char *argv[])
{
  g_autofree char *folder = NULL;

  pen_test_init (&argc, &argv);
  folder = g_build_filename (g_getenv ("G_TEST_SRCDIR"), "..", "pipelines", NULL);
  g_assert_cmpuint (test_add_keyfiles (folder, strlen (folder)), >=, 2);
  g_test_add_func ("/pipelines/demo", test_demo);
  return g_test_run ();
}
