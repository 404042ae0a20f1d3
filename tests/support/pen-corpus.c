/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Folders of small files that tests replay. The first letters of a file's name say what must become
 * of it: y_ is accepted, n_ is refused, i_ is what the RFC leaves to the implementation, and what
 * ours has chosen follows: i_accepted_, i_invalid_, i_too_deep_.
 */

#include "config.h"

#include "pen-corpus.h"

#include <string.h>

#include "pen-test.h"

static gint
pen_corpus_compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* @folder is below tests/; files come in the order of their names. Returns how many there were. */
guint
pen_corpus_foreach (const char *folder, PenCorpusFunc func, gpointer user_data)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, folder, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (path, 0, &error);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  g_assert_no_error (error);
  while ((name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, pen_corpus_compare_names);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *file = g_build_filename (path, names->pdata[i], NULL);
      gsize length;
      g_autofree char *text = pen_test_read_file (file, &length);

      func (names->pdata[i], text, length, user_data);
    }
  return names->len;
}

PenSlowVerdict
pen_corpus_get_verdict (const char *name)
{
  if (g_str_has_prefix (name, "y_") || g_str_has_prefix (name, "i_accepted_"))
    return PEN_SLOW_JSON_ACCEPTED;
  if (g_str_has_prefix (name, "i_too_deep_"))
    return PEN_SLOW_JSON_TOO_DEEP;
  if (!g_str_has_prefix (name, "n_") && !g_str_has_prefix (name, "i_invalid_"))
    g_error ("the name of %s does not say what must become of it", name);
  return PEN_SLOW_JSON_INVALID;
}
