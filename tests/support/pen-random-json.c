/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Random JSON texts, and random damage to them. Damage is small (a byte, a cut, a repeated piece, a
 * piece that matters to the grammar): texts of random bytes are refused at their first byte and
 * test nothing.
 */

#include "config.h"

#include "pen-random-json.h"

#include <string.h>

gboolean
pen_random_chance (guint one_in)
{
  return g_test_rand_int_range (0, (gint32) one_in) == 0;
}

const char *
pen_random_pick (const char *const *choices, guint n_choices)
{
  return choices[g_test_rand_int_range (0, (gint32) n_choices)];
}

void
pen_random_json_space (GString *text)
{
  static const char *const spaces[] = { " ", "\t", "\n", "\r", "  ", "\r\n  ", " \t \n \r " };

  if (pen_random_chance (4))
    g_string_append (text, pen_random_pick (spaces, G_N_ELEMENTS (spaces)));
}

/* A string with its quotes. Few letters, so that keys repeat, also in another spelling. */
void
pen_random_json_string (GString *text)
{
  static const char *const pieces[] = {
    "a",
    "b",
    "_",
    "_vid",
    "0123456789abcdef",
    "\\u0061",
    "\\u005F",
    "\\n",
    "\\\"",
    "\\\\",
    "\\/",
    "\\b",
    "\\f\\r\\t",
    "\\u0000",
    "é",
    "€",
    "\\ud83d\\uDE00",
    "𝄞",
    "\x7f",
    "{[]}:,",
    "\\uD800\\udc00",
    "\\uffff",
    " ",
    "\xc2\x80",
    "\xed\x9f\xbf",
    "\xf4\x8f\xbf\xbf",
  };
  gint n_pieces = g_test_rand_int_range (0, pen_random_chance (10) ? 12 : 3);

  g_string_append_c (text, '"');
  for (gint i = 0; i < n_pieces; i++)
    g_string_append (text, pen_random_pick (pieces, G_N_ELEMENTS (pieces)));
  g_string_append_c (text, '"');
}

static void
pen_random_json_digits (GString *text)
{
  gint n_digits = g_test_rand_int_range (1, pen_random_chance (6) ? 40 : 5);

  for (gint i = 0; i < n_digits; i++)
    g_string_append_c (text, (char) g_test_rand_int_range ('0', '9' + 1));
}

void
pen_random_json_number (GString *text)
{
  static const char *const edges[] = {
    "0",
    "-0",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "1e400",
    "-1E-400",
    "0e99999999999",
    "229.70000000000002",
    "5e-324",
    "1e99999999999999999999",
    "922337203685477580.7e1",
  };

  if (pen_random_chance (5))
    {
      g_string_append (text, pen_random_pick (edges, G_N_ELEMENTS (edges)));
      return;
    }
  if (pen_random_chance (4))
    g_string_append_c (text, '-');
  if (pen_random_chance (5))
    g_string_append_c (text, '0');
  else
    {
      g_string_append_c (text, (char) g_test_rand_int_range ('1', '9' + 1));
      if (pen_random_chance (2))
        pen_random_json_digits (text);
    }
  if (pen_random_chance (2))
    {
      g_string_append_c (text, '.');
      pen_random_json_digits (text);
    }
  if (pen_random_chance (5))
    g_string_append_printf (text, "%c%s%d", pen_random_chance (2) ? 'e' : 'E',
                            pen_random_chance (3)   ? "+"
                            : pen_random_chance (2) ? "-"
                                                    : "",
                            g_test_rand_int_range (0, 30));
}

static void
pen_random_json_container (GString *text, guint depth_left, gboolean is_object)
{
  gint n_children = g_test_rand_int_range (0, pen_random_chance (20) ? 30 : 5);

  g_string_append_c (text, is_object ? '{' : '[');
  for (gint i = 0; i < n_children; i++)
    {
      pen_random_json_space (text);
      if (is_object)
        {
          pen_random_json_string (text);
          pen_random_json_space (text);
          g_string_append_c (text, ':');
          pen_random_json_space (text);
        }
      pen_random_json_value (text, depth_left - 1);
      pen_random_json_space (text);
      if (i + 1 < n_children)
        g_string_append_c (text, ',');
    }
  if (n_children == 0)
    pen_random_json_space (text);
  g_string_append_c (text, is_object ? '}' : ']');
}

/* A value at most @depth_left deep, without white space around it. */
void
pen_random_json_value (GString *text, guint depth_left)
{
  static const char *const literals[] = { "null", "true", "false" };
  gint kind = g_test_rand_int_range (0, depth_left == 0 ? 5 : 9);

  if (kind < 1)
    g_string_append (text, pen_random_pick (literals, G_N_ELEMENTS (literals)));
  else if (kind < 3)
    pen_random_json_number (text);
  else if (kind < 5)
    pen_random_json_string (text);
  else
    pen_random_json_container (text, depth_left, kind % 2 == 0);
}

static void
pen_random_json_insert (GString *text, gsize at)
{
  static const char *const pieces[] = {
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "0",
    "-",
    ".",
    "e",
    "E",
    "+",
    " ",
    "\n",
    "\t",
    "1",
    "null",
    "true",
    "false",
    "\\u",
    "\\ud800",
    "\\udc00",
    "\x01",
    "\x1f",
    "\x80",
    "\xc0",
    "\xed\xa0\x80",
    "\xf4\x90\x80\x80",
    "\xef\xbb\xbf",
    "\xff",
    "NaN",
    "//",
    "\"a\":",
    "[[[[[[[[",
    "{\"\":{\"\":",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
  };

  if (pen_random_chance (40))
    g_string_insert_len (text, (gssize) at, "\0", 1);
  else
    g_string_insert (text, (gssize) at, pen_random_pick (pieces, G_N_ELEMENTS (pieces)));
}

/* Damages the text in one place; it may still be good afterwards. */
void
pen_random_json_mutate (GString *text)
{
  gsize at = (gsize) g_test_rand_int_range (0, (gint32) text->len + 1);
  gsize length = (gsize) g_test_rand_int_range (0, 9);
  g_autofree char *piece = NULL;

  length = MIN (length, text->len - at);
  switch (g_test_rand_int_range (0, 6))
    {
    case 0:
      if (at < text->len)
        text->str[at] = (char) (text->str[at] ^ (1 << g_test_rand_int_range (0, 8)));
      break;
    case 1:
      g_string_erase (text, (gssize) at, (gssize) length);
      break;
    case 2:
      g_string_truncate (text, at);
      break;
    case 3:
      piece = g_memdup2 (text->str + at, length + 1);
      g_string_insert_len (text, g_test_rand_int_range (0, (gint32) text->len + 1), piece,
                           (gssize) length);
      break;
    default:
      pen_random_json_insert (text, at);
      break;
    }
}
