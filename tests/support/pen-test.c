/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What every test program begins with; how a test waits: on a condition, with a deadline; and the
 * folders that it writes to.
 */

#include "config.h"

#include "pen-test.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/mount.h>

static GMutex pen_test_log_lock; /* pen_test_log */
static GString *pen_test_log;

static const char *
pen_test_get_field (const GLogField *fields, gsize n_fields, const char *key)
{
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, key))
      return fields[i].value;
  return NULL;
}

/* What elements say is kept for the test; everything else is GLib's business, and fatal if it is a
 * warning. */
static GLogWriterOutput
pen_test_write_log (GLogLevelFlags level,
                    const GLogField *fields,
                    gsize n_fields,
                    gpointer user_data)
{
  const char *element = pen_test_get_field (fields, n_fields, "PENSTOCK_ELEMENT");
  const char *message = pen_test_get_field (fields, n_fields, "MESSAGE");

  if (element == NULL || message == NULL)
    return g_log_writer_default (level, fields, n_fields, user_data);
  g_mutex_lock (&pen_test_log_lock);
  g_string_append_printf (pen_test_log, "%s: %s\n", element, message);
  g_mutex_unlock (&pen_test_log_lock);
  return G_LOG_WRITER_HANDLED;
}

/* Warnings are fatal in here and not through G_DEBUG, which would also reach gtester itself. */
void
pen_test_init (int *argc, char ***argv)
{
/* GLib 2.74 leaks the names of the folders that it isolates each test in (g_set_user_dirs), and
 * LeakSanitizer cannot tell these from ours: it sees no further up than g_malloc (). */
#ifdef __SANITIZE_ADDRESS__
  g_test_init (argc, argv, NULL);
#else
  g_test_init (argc, argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
#endif
  pen_test_log = g_string_new (NULL);
  g_log_set_writer_func (pen_test_write_log, NULL, NULL);
}

/* Whether an element has logged a message that matches @pattern, of * and ?, since the log was
 * taken last. */
gboolean
pen_test_has_logged (const char *pattern)
{
  g_auto (GStrv) lines = NULL;

  g_mutex_lock (&pen_test_log_lock);
  lines = g_strsplit (pen_test_log->str, "\n", -1);
  g_mutex_unlock (&pen_test_log_lock);
  for (char **line = lines; *line != NULL; line++)
    {
      const char *message = strstr (*line, ": ");

      if (message != NULL && g_pattern_match_simple (pattern, message + strlen (": ")))
        return TRUE;
    }
  return FALSE;
}

/* (transfer full): what elements have logged since the last call, "transform ammp: …" a line. */
char *
pen_test_take_log (void)
{
  char *text = NULL;

  g_mutex_lock (&pen_test_log_lock);
  text = g_strdup (pen_test_log->str);
  g_string_truncate (pen_test_log, 0);
  g_mutex_unlock (&pen_test_log_lock);
  return text;
}

static gboolean
pen_test_expire (gpointer user_data)
{
  gboolean *expired = user_data;

  *expired = TRUE;
  return G_SOURCE_CONTINUE;
}

static gboolean
pen_test_look_again (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

/* Runs the default main context until @condition holds; FALSE when @timeout_ms is over first. */
gboolean
pen_test_wait (PenTestCondition condition, gpointer user_data, guint timeout_ms)
{
  gboolean expired = FALSE;
  guint deadline = g_timeout_add (timeout_ms, pen_test_expire, &expired);
  guint tick = g_timeout_add (5, pen_test_look_again, NULL);
  gboolean met = condition (user_data);

  while (!met && !expired)
    {
      g_main_context_iteration (NULL, TRUE);
      met = condition (user_data);
    }
  g_source_remove (deadline);
  g_source_remove (tick);
  return met;
}

/* A new folder below the temporary one; free with pen_test_remove_folder (). */
char *
pen_test_make_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("penstock-test-XXXXXX", &error);

  g_assert_no_error (error);
  return folder;
}

void
pen_test_remove_folder (char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
        pen_test_remove_folder (g_steal_pointer (&path));
      else
        g_unlink (path);
    }
  g_rmdir (folder);
  g_free (folder);
}

/* Calls @func with a folder that is a file system of its own, of @size bytes; skips the test where
 * nobody may mount one. */
void
pen_test_run_on_small_disk (guint64 size, PenTestFolderFunc func)
{
  char *folder = pen_test_make_folder ();
  g_autofree char *options = g_strdup_printf ("size=%" G_GUINT64_FORMAT, size);

  if (mount ("penstock-test", folder, "tmpfs", 0, options) == 0)
    {
      func (folder);
      g_assert_no_errno (umount (folder));
    }
  else
    {
      g_autofree char *reason
          = g_strdup_printf ("no right to mount a small file system: %s", g_strerror (errno));

      g_test_skip (reason);
    }
  pen_test_remove_folder (folder);
}

char *
pen_test_read_file (const char *path, gsize *length)
{
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (path, &text, length, &error);
  g_assert_no_error (error);
  return text;
}

void
pen_test_write_file (const char *folder, const char *name, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}
