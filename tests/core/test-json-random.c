/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Random texts, good and damaged: the library and the slow reader must come to the same verdict
 * and find the same pieces.
 */

#include "config.h"

#include <math.h>
#include <string.h>

#include "pen-guard.h"
#include "pen-judge-json.h"
#include "pen-random-json.h"
#include "pen-test.h"

#define LIMIT (1024 * 1024)
#define N_TEXTS 20000
#define N_PLACES 132

/* Puts brackets around the text, about as many as are allowed. */
static void
test_random_bury (GString *text)
{
  gint n_levels = g_test_rand_int_range (55, 70);

  for (gint i = 0; i < n_levels; i++)
    {
      gboolean is_object = pen_random_chance (3);

      g_string_prepend (text, is_object ? "{\"a\":" : "[");
      g_string_append (text, is_object ? "}" : "]");
    }
}

static void
test_random_judge (guint n_mutations)
{
  g_autoptr (PenGuard) guard = pen_guard_new (LIMIT);

  for (guint i = 0; i < N_TEXTS; i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      gint n_rounds = n_mutations == 0 ? 0 : g_test_rand_int_range (1, (gint32) n_mutations + 1);

      pen_random_json_space (text);
      pen_random_json_value (text, 5);
      if (pen_random_chance (20))
        test_random_bury (text);
      pen_random_json_space (text);
      for (gint round = 0; round < n_rounds; round++)
        pen_random_json_mutate (text);
      pen_judge_json (pen_guard_put (guard, text->str, text->len), text->len);
    }
}

static void
test_random_good (void)
{
  test_random_judge (0);
}

static void
test_random_damaged_once (void)
{
  test_random_judge (1);
}

static void
test_random_damaged_often (void)
{
  test_random_judge (6);
}

/* Every way to cut one long text. */
static void
test_random_cut (void)
{
  static const char text[] = "{\"key\":[1,-0.5e+10,\"a\\u0041\\ud83d\\ude00é€𝄞\",true,false,null],"
                             "\"0123456789abcdef\":{}}";
  g_autoptr (PenGuard) guard = pen_guard_new (LIMIT);

  for (gsize length = 0; length < sizeof text; length++)
    pen_judge_json (pen_guard_put (guard, text, length), length);
}

/* Every byte at every place of two blocks that are looked at together, inside a string. */
static void
test_random_byte_at_every_place (void)
{
  g_autoptr (PenGuard) guard = pen_guard_new (LIMIT);
  g_autofree char *text = g_strnfill (N_PLACES + 2, 'x');

  text[0] = '"';
  text[N_PLACES + 1] = '"';
  for (guint place = 1; place <= N_PLACES; place++)
    for (guint byte = 0; byte < 256; byte++)
      {
        text[place] = (char) byte;
        pen_judge_json (pen_guard_put (guard, text, N_PLACES + 2), N_PLACES + 2);
        text[place] = 'x';
      }
}

/* Pieces at every offset from the beginning of the text, with and without something behind them. */
static void
test_random_every_offset (void)
{
  static const char *const pieces[] = {
    "1",
    "-1",
    "0",
    "01",
    "1.",
    "1.5",
    "-0.25e-3",
    "1e",
    "1e+",
    "12345678901234567890",
    "\"\"",
    "\"a\"",
    "\"\\n\"",
    "\"\\u00e9\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\"",
    "\"\xc3\xa9\"",
    "\"\xe2\x82\"",
    "\"\xf0\x9d\x84\x9e\"",
    "\"0123456789abcdef0123456789abcdef\"",
    "true",
    "fals",
    "{\"a\":1}",
    "{\"a\" :\t1 , \"b\": \"c\"}",
    "{\"a\":1,}",
    "{\"key\":{\"key\":[]},\"k\":-1}",
    "{\"a\":",
    "{\"a\"",
    "{\"\\u0061\": 1,\n\"b\":2}",
  };
  g_autoptr (PenGuard) guard = pen_guard_new (LIMIT);

  for (gsize piece = 0; piece < G_N_ELEMENTS (pieces); piece++)
    for (gsize offset = 0; offset < N_PLACES; offset++)
      {
        g_autofree char *blanks = g_strnfill (offset, ' ');
        g_autofree char *end = g_strconcat (blanks, pieces[piece], NULL);
        g_autofree char *inside = g_strconcat ("[", blanks, pieces[piece], ",2]", NULL);

        pen_judge_json (pen_guard_put (guard, end, strlen (end)), strlen (end));
        pen_judge_json (pen_guard_put (guard, inside, strlen (inside)), strlen (inside));
      }
}

/* Every byte at every place of a number that is longer than two vectors. */
static void
test_random_byte_in_number (void)
{
  static const char *const numbers[]
      = { "123456789012345678901234567890123456789012", "-0.1234567890123456789012345678901234567",
          "12345678901234567890123456789.5e+12" };
  g_autoptr (PenGuard) guard = pen_guard_new (LIMIT);

  for (gsize n = 0; n < G_N_ELEMENTS (numbers); n++)
    for (gsize place = 0; numbers[n][place] != '\0'; place++)
      for (guint byte = 0; byte < 256; byte++)
        {
          g_autofree char *text
              = g_strdup_printf ("[%s,2                                 ]", numbers[n]);

          text[place + 1] = (char) byte;
          pen_judge_json (pen_guard_put (guard, text, strlen (numbers[n]) + 36),
                          strlen (numbers[n]) + 36);
        }
}

static double
test_random_double (void)
{
  guint64 bits = (guint64) (guint32) g_test_rand_int () << 32 | (guint32) g_test_rand_int ();
  double value;

  if (pen_random_chance (3))
    return g_test_rand_double_range (-1e4, 1e4);
  if (pen_random_chance (3))
    return g_test_rand_int_range (-100000, 100000) / 100.0;
  memcpy (&value, &bits, sizeof value);
  return value;
}

/* What the writer writes of a number is JSON and gives the same number when it is read. */
static void
test_random_written_numbers (void)
{
  for (guint i = 0; i < N_TEXTS; i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autoptr (GBytes) bytes = NULL;
      g_autoptr (PenJson) document = NULL;
      double value = test_random_double ();
      gint64 integer = (gint64) ((guint64) (guint32) g_test_rand_int () << 32);
      PenJsonWriter writer;
      double real;
      gint64 whole;

      pen_json_writer_init (&writer, text);
      pen_json_writer_begin_array (&writer);
      g_assert_cmpint (pen_json_writer_double (&writer, value), ==, isfinite (value) != 0);
      pen_json_writer_int64 (&writer, integer);
      pen_json_writer_uint64 (&writer, (guint64) integer);
      pen_json_writer_end_array (&writer);
      pen_judge_json (text->str, text->len);
      bytes = g_bytes_new (text->str, text->len);
      document = pen_json_new_from_bytes (bytes, NULL);
      if (isfinite (value))
        {
          g_assert_true (pen_json_get_double (document, 1, &real, NULL));
          g_assert_true (memcmp (&real, &value, sizeof value) == 0);
        }
      g_assert_true (pen_json_get_int64 (document, 2, &whole, NULL));
      g_assert_cmpint (whole, ==, integer);
      g_assert_cmpint (pen_json_get_int64 (document, 3, &whole, NULL), ==, integer >= 0);
    }
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/json/random/good", test_random_good);
  g_test_add_func ("/json/random/damaged-once", test_random_damaged_once);
  g_test_add_func ("/json/random/damaged-often", test_random_damaged_often);
  g_test_add_func ("/json/random/cut", test_random_cut);
  g_test_add_func ("/json/random/byte-at-every-place", test_random_byte_at_every_place);
  g_test_add_func ("/json/random/every-offset", test_random_every_offset);
  g_test_add_func ("/json/random/written-numbers", test_random_written_numbers);
  g_test_add_func ("/json/random/byte-in-number", test_random_byte_in_number);
  return g_test_run ();
}
