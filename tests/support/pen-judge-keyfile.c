/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The keyfile scanner, held against GKeyFile: whatever it accepts has the same groups, keys and raw
 * values there. Whatever it says of a place is true of the text. It aborts at a difference.
 */

#include "config.h"

#include "pen-judge-keyfile.h"

#include <string.h>

#include "pen-keyfile.h"
#include "pen-test.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* Where a line begins; the text's end behind the last one. No column counts a byte order mark,
 * which editors do not show. */
static const char *
pen_judge_find_line (const char *text, gsize length, guint line)
{
  const char *end = text + length;

  if (line == 1 && length >= 3 && memcmp (text, BYTE_ORDER_MARK, 3) == 0)
    return text + strlen (BYTE_ORDER_MARK);
  for (guint i = 1; i < line && text < end; i++)
    {
      const char *newline = memchr (text, '\n', (gsize) (end - text));

      text = newline != NULL ? newline + 1 : end;
    }
  return text;
}

/* At the place in the text stands what was read there. */
static void
pen_judge_place (const char *text, gsize length, PenPlace place, const char *read)
{
  const char *line = pen_judge_find_line (text, length, place.line);

  g_assert_cmpuint (place.line, >, 0);
  g_assert_cmpuint (place.column, >, 0);
  g_assert_cmpuint ((gsize) (text + length - line), >=, place.column - 1 + strlen (read));
  g_assert_cmpmem (line + place.column - 1, strlen (read), read, strlen (read));
}

static void
pen_judge_places (const char *text, gsize length, const PenKeyfile *keyfile)
{
  for (guint i = 0; i < keyfile->groups->len; i++)
    {
      const PenKeyfileGroup *group = keyfile->groups->pdata[i];
      g_autofree char *header = g_strdup_printf ("[%s]", group->name);

      pen_judge_place (text, length, group->place, header);
      for (guint j = 0; j < group->entries->len; j++)
        {
          const PenKeyfileEntry *entry = group->entries->pdata[j];

          pen_judge_place (text, length, entry->key_place, entry->key);
          pen_judge_place (text, length, entry->value_place, entry->value);
          g_assert_true (pen_keyfile_group_find (group, entry->key) == entry);
        }
    }
}

static void
pen_judge_findings (const char *text, gsize length, PenReport *report)
{
  g_autoptr (GPtrArray) findings
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  guint n_lines = 1;

  for (gsize i = 0; i < length; i++)
    n_lines += text[i] == '\n';
  pen_report_finish (report, findings);
  for (guint i = 0; i < findings->len; i++)
    {
      const PenDiagnostic *finding = findings->pdata[i];
      g_autofree char *line = pen_diagnostic_format (finding);

      g_assert_true (g_utf8_validate (line, -1, NULL));
      g_assert_null (strchr (line, '\n'));
      g_assert_cmpuint (finding->line, <=, n_lines);
    }
}

/* Groups of one name, which GKeyFile would merge, are told of by whoever reads the groups. */
static gboolean
pen_judge_has_duplicates (const PenKeyfile *keyfile)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < keyfile->groups->len; i++)
    {
      const PenKeyfileGroup *group = keyfile->groups->pdata[i];

      if (!g_hash_table_add (names, group->name))
        return TRUE;
    }
  return FALSE;
}

static void
pen_judge_group (GKeyFile *reference, const PenKeyfileGroup *group)
{
  gsize n_keys;
  g_auto (GStrv) keys = g_key_file_get_keys (reference, group->name, &n_keys, NULL);

  g_assert_cmpuint (n_keys, ==, group->entries->len);
  for (guint i = 0; i < n_keys; i++)
    {
      const PenKeyfileEntry *entry = group->entries->pdata[i];
      g_autofree char *value = g_key_file_get_value (reference, group->name, keys[i], NULL);

      g_assert_cmpstr (entry->key, ==, keys[i]);
      /* GKeyFile keeps blanks at the end of a line; the contract cuts them. */
      g_assert_cmpstr (entry->value, ==, g_strchomp (value));
    }
}

static void
pen_judge_compare (const char *text, gsize length, const PenKeyfile *keyfile)
{
  g_autoptr (GKeyFile) reference = g_key_file_new ();
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = NULL;
  gsize n_groups;

  /* GKeyFile says of an empty text that it is none. */
  if (length > 0)
    g_key_file_load_from_data (reference, text, length, G_KEY_FILE_NONE, &error);
  g_assert_no_error (error);
  names = g_key_file_get_groups (reference, &n_groups);
  g_assert_cmpuint (n_groups, ==, keyfile->groups->len);
  for (guint i = 0; i < n_groups; i++)
    {
      const PenKeyfileGroup *group = keyfile->groups->pdata[i];

      g_assert_cmpstr (group->name, ==, names[i]);
      pen_judge_group (reference, group);
    }
}

/* Returns whether the text was accepted. */
gboolean
pen_judge_keyfile (const char *text, gsize length)
{
  PenReport report;
  g_autoptr (PenKeyfile) keyfile = NULL;
  gboolean accepted;

  pen_report_init (&report, "site.pipeline");
  keyfile = pen_keyfile_scan (text, length, &report);
  accepted = report.n_errors == 0;
  pen_judge_findings (text, length, &report);
  pen_judge_places (text, length, keyfile);
  if (accepted && !pen_judge_has_duplicates (keyfile))
    pen_judge_compare (text, length, keyfile);
  return accepted;
}
