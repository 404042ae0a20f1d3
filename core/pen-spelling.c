/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What somebody may have meant. The distance of two words is the number of letters to add, to leave
 * out, to replace, or to swap with a neighbour ("hots" is one away from "host"): the optimal string
 * alignment distance, in bytes, blind to case. Long words are not compared, so that a keyfile
 * from outside cannot make it expensive.
 */

#include "config.h"

#include "pen-spelling.h"

#include <string.h>

#define MAX_LENGTH 64

/**
 * pen_spelling_get_distance: (skip)
 * @a: a word
 * @b: another word
 *
 * Returns: how many slips of the pen lie between the two; %G_MAXUINT if one is too long to tell
 *
 * Threads: any
 */
guint
pen_spelling_get_distance (const char *a, const char *b)
{
  gsize a_length = strlen (a);
  gsize b_length = strlen (b);
  guint rows[3][MAX_LENGTH + 1];
  guint *before_last = rows[0], *last = rows[1], *current = rows[2];

  if (a_length > MAX_LENGTH || b_length > MAX_LENGTH)
    return G_MAXUINT;
  for (guint j = 0; j <= b_length; j++)
    current[j] = j;
  for (guint i = 1; i <= a_length; i++)
    {
      guint *oldest = before_last;

      before_last = last;
      last = current;
      current = oldest;
      current[0] = i;
      for (guint j = 1; j <= b_length; j++)
        {
          char x = g_ascii_tolower (a[i - 1]);
          char y = g_ascii_tolower (b[j - 1]);

          current[j] = MIN (MIN (last[j], current[j - 1]) + 1, last[j - 1] + (x != y));
          if (i > 1 && j > 1 && x == g_ascii_tolower (b[j - 2]) && y == g_ascii_tolower (a[i - 2]))
            current[j] = MIN (current[j], before_last[j - 2] + 1);
        }
    }
  return current[b_length];
}

/**
 * pen_spelling_get_nearest: (skip)
 * @word: what was written
 * @candidates: (array zero-terminated=1): what would have been right
 *
 * Finds what was probably meant: a third of the letters may be wrong, so that a short word is not
 * answered with a wild guess.
 *
 * Returns: (nullable): the nearest of @candidates, the first of several, or %NULL if none is near
 *
 * Threads: any
 */
const char *
pen_spelling_get_nearest (const char *word, const char *const *candidates)
{
  const char *nearest = NULL;
  guint least = MAX (strlen (word), 3) / 3 + 1;

  for (guint i = 0; candidates[i] != NULL; i++)
    {
      guint distance = pen_spelling_get_distance (word, candidates[i]);

      if (distance < least)
        {
          least = distance;
          nearest = candidates[i];
        }
    }
  return nearest;
}
