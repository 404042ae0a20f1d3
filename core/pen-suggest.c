/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a misspelt word was probably meant to be: the candidate with the smallest edit distance, in
 * which two neighbours that changed places count once (the optimal string alignment distance), as
 * does a letter too many, too few, or wrong. Upper and lower case are the same, and so are '_' and
 * '-'. Nothing is suggested that is further off than a third of the word: a wrong suggestion is
 * worse than none. A word that only one candidate begins with is taken for an abbreviation. Long
 * words are not compared, so that text from outside cannot make it expensive.
 */

#include "config.h"

#include "pen-suggest.h"

#include <string.h>

#define MAX_WORD_BYTES 64
#define MAX_QUOTED_BYTES 80
#define MIN_ABBREVIATION_BYTES 3

static char
pen_suggest_fold (char letter)
{
  return letter == '_' ? '-' : g_ascii_tolower (letter);
}

static guint
pen_suggest_distance (const char *a, gsize a_length, const char *b, gsize b_length)
{
  guint rows[3][MAX_WORD_BYTES + 1] = { { 0 } };
  guint *before = rows[0];
  guint *above = rows[1];
  guint *row = rows[2];

  for (guint j = 0; j <= b_length; j++)
    above[j] = j;
  for (guint i = 1; i <= a_length; i++)
    {
      guint *recycled = before;
      char letter = pen_suggest_fold (a[i - 1]);

      row[0] = i;
      for (guint j = 1; j <= b_length; j++)
        {
          guint cost = letter == pen_suggest_fold (b[j - 1]) ? 0 : 1;

          row[j] = MIN (above[j - 1] + cost, MIN (above[j], row[j - 1]) + 1);
          if (i > 1 && j > 1 && letter == pen_suggest_fold (b[j - 2])
              && pen_suggest_fold (a[i - 2]) == pen_suggest_fold (b[j - 1]))
            row[j] = MIN (row[j], before[j - 2] + 1);
        }
      before = above;
      above = row;
      row = recycled;
    }
  return above[b_length];
}

/* The only candidate that begins with @word, or NULL. */
static const char *
pen_suggest_longer (const char *word, const char *const *candidates, gsize n_candidates)
{
  gsize length = strlen (word);
  const char *longer = NULL;

  for (gsize i = 0; length >= MIN_ABBREVIATION_BYTES && i < n_candidates; i++)
    {
      if (g_ascii_strncasecmp (candidates[i], word, length) != 0)
        continue;
      if (longer != NULL)
        return NULL;
      longer = candidates[i];
    }
  return longer;
}

/*
 * pen_suggest:
 * @word: a word that is none of @candidates
 * @candidates: (array length=n_candidates): what it could have been
 *
 * Returns: (nullable): the nearest candidate; the first of several that are as near
 *
 * Threads: any
 */
const char *
pen_suggest (const char *word, const char *const *candidates, gsize n_candidates)
{
  gsize length = strlen (word);
  const char *nearest = NULL;
  guint least = (guint) MAX (length, 3) / 3 + 1;

  if (length < 2 || length > MAX_WORD_BYTES)
    return NULL;
  for (gsize i = 0; i < n_candidates; i++)
    {
      gsize candidate_length = strlen (candidates[i]);
      guint distance;

      if (candidate_length < 2 || candidate_length > MAX_WORD_BYTES)
        continue;
      distance = pen_suggest_distance (word, length, candidates[i], candidate_length);
      if (distance < least)
        {
          nearest = candidates[i];
          least = distance;
        }
    }
  return nearest != NULL ? nearest : pen_suggest_longer (word, candidates, n_candidates);
}

/*
 * pen_suggest_hint:
 * @word: a word that is none of @candidates
 * @candidates: (element-type utf8): what it could have been
 *
 * Returns: (transfer full): the end of a message: `; did you mean 'host'?`, or nothing
 *
 * Threads: any
 */
char *
pen_suggest_hint (const char *word, GPtrArray *candidates)
{
  const char *nearest
      = pen_suggest (word, (const char *const *) candidates->pdata, candidates->len);

  return nearest == NULL ? g_strdup ("") : g_strdup_printf ("; did you mean '%s'?", nearest);
}

/*
 * pen_suggest_list:
 * @words: (element-type utf8): words
 * @conjunction: what stands before the last one: "and", "or"
 *
 * Returns: (transfer full): the words as people write a list of them
 *
 * Threads: any
 */
char *
pen_suggest_list (GPtrArray *words, const char *conjunction)
{
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < words->len; i++)
    {
      if (i > 0 && i + 1 == words->len)
        g_string_append_printf (list, " %s ", conjunction);
      else if (i > 0)
        g_string_append (list, ", ");
      g_string_append (list, g_ptr_array_index (words, i));
    }
  return g_string_free (list, FALSE);
}

/*
 * pen_quote:
 * @text: text from outside
 *
 * Makes text fit for a message, a log and a terminal: on one line, of bounded length, and with
 * nothing in it that a terminal would obey.
 *
 * Returns: (transfer full): the text in single quotes; control characters, and bytes that are not
 *   UTF-8, stand as their number
 *
 * Threads: any
 */
char *
pen_quote (const char *text)
{
  GString *quoted = g_string_new ("'");
  const char *p = text;

  while (*p != '\0' && p - text < MAX_QUOTED_BYTES)
    {
      gunichar letter = g_utf8_get_char_validated (p, -1);
      gboolean is_valid = letter != (gunichar) -1 && letter != (gunichar) -2;

      if (!is_valid)
        g_string_append_printf (quoted, "\\x%02x", (guint) (guchar) *p);
      else if (g_unichar_iscntrl (letter))
        g_string_append_printf (quoted, "\\x%02x", letter);
      else
        g_string_append_unichar (quoted, letter);
      p = is_valid ? g_utf8_next_char (p) : p + 1;
    }
  g_string_append (quoted, *p == '\0' ? "'" : "...'");
  return g_string_free (quoted, FALSE);
}
