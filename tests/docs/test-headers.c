/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each public header compiles alone, as C and as C++, in the way that penstock.h includes it, and
 * refuses to be included in any other.
 */

#include "config.h"

#include "pen-test.h"

#include <string.h>

/* Runs the compiler over @code; its complaints are in @output. */
static gboolean
test_compiles (const char *language, const char *code, char **output)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = pen_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "header.c", NULL);
  g_autofree char *include = g_build_filename (g_getenv ("G_TEST_SRCDIR"), "..", "core", NULL);
  g_autofree char *command
      = g_strdup_printf ("cc -x %s -fsyntax-only -Wall -Wextra -Werror -Wno-unused-parameter"
                         " -I '%s' $(pkg-config --cflags gio-unix-2.0 gmodule-2.0 json-glib-1.0)"
                         " '%s'",
                         language, include, path);
  const char *arguments[] = { "/bin/sh", "-c", command, NULL };
  int status;

  pen_test_write_file (folder, "header.c", code);
  g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                output, &status, &error);
  g_assert_no_error (error);
  pen_test_remove_folder (g_steal_pointer (&folder));
  return g_spawn_check_wait_status (status, NULL);
}

/* (element-type utf8): what penstock.h includes, itself first. */
static GPtrArray *
test_list_headers (void)
{
  GPtrArray *headers = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *path
      = g_build_filename (g_getenv ("G_TEST_SRCDIR"), "..", "core", "penstock.h", NULL);
  g_autofree char *text = pen_test_read_file (path, NULL);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  g_ptr_array_add (headers, g_strdup ("penstock.h"));
  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], "#include \"") && strcmp (lines[i], "#include \"") != 0)
      g_ptr_array_add (headers, g_strndup (lines[i] + 10, strlen (lines[i]) - 11));
  g_assert_cmpuint (headers->len, >, 10);
  return headers;
}

static void
test_headers_compile_as (gconstpointer data)
{
  const char *language = data;
  g_autoptr (GPtrArray) headers = test_list_headers ();

  for (guint i = 0; i < headers->len; i++)
    {
      const char *header = g_ptr_array_index (headers, i);
      g_autofree char *code = g_strdup_printf ("#define PENSTOCK_INSIDE\n#include <%s>\n", header);
      g_autofree char *output = NULL;

      if (!test_compiles (language, code, &output))
        g_error ("%s does not compile alone as %s: %s", header, language, output);
    }
}

static void
test_headers_cpp (void)
{
  g_autofree char *output = NULL;

  if (test_compiles ("c++", "#include <type_traits>\n", &output))
    test_headers_compile_as ("c++");
  else
    g_test_skip ("there is no C++ compiler (apt install g++)");
}

static void
test_headers_guard (void)
{
  g_autoptr (GPtrArray) headers = test_list_headers ();

  for (guint i = 0; i < headers->len; i++)
    {
      const char *header = g_ptr_array_index (headers, i);
      g_autofree char *code = g_strdup_printf ("#include <%s>\n", header);
      g_autofree char *output = NULL;
      gboolean compiles = test_compiles ("c", code, &output);

      g_test_message ("%s", header);
      g_assert_true (compiles == (i == 0));
      if (i > 0)
        g_assert_nonnull (strstr (output, "Only <penstock.h> can be included directly"));
    }
}

int
main (int argc, char *argv[])
{
  pen_test_init (&argc, &argv);
  g_test_add_data_func ("/headers/alone/c", "c", test_headers_compile_as);
  g_test_add_func ("/headers/alone/c++", test_headers_cpp);
  g_test_add_func ("/headers/guard", test_headers_guard);
  return g_test_run ();
}
