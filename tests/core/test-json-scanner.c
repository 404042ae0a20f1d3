/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The pull scanner: what it gives, what it refuses and where, and that it reads nothing behind the
 * text. Built twice: against the library, and with the scanner compiled without SIMD.
 */

#include "config.h"

#include "pen-test.h"

#include <string.h>

/* A copy without a byte to spare, so that a sanitizer or valgrind sees a read behind it. */
static char *
test_scanner_copy_exactly (const char *text, gsize length)
{
  return length > 0 ? g_memdup2 (text, length) : NULL;
}

static char *
test_scanner_validate (const char *text, gsize length)
{
  g_autofree char *copy = test_scanner_copy_exactly (text, length);
  g_autoptr (GError) error = NULL;

  if (pen_json_validate (copy, length, &error))
    return g_strdup ("valid");
  if (strstr (error->message, "nested") != NULL)
    g_assert_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_TOO_DEEP);
  else
    g_assert_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_INVALID);
  return g_strdup (error->message);
}

static void
test_scanner_append_slice (GString *trace, const PenJsonSlice *slice)
{
  g_string_append_len (trace, slice->text, (gssize) slice->length);
  if (slice->escaped)
    g_string_append_c (trace, '\\');
}

static void
test_scanner_trace_member (GString *trace, PenJsonType type, const PenJsonMember *member)
{
  g_string_append_c (trace, ' ');
  if (type == PEN_JSON_OBJECT)
    {
      test_scanner_append_slice (trace, &member->key);
      g_string_append_c (trace, '=');
    }
  test_scanner_append_slice (trace, &member->value);
}

static void
test_scanner_trace_container (PenJsonScanner *scanner, GString *trace, PenJsonType type)
{
  PenJsonMember member;

  while (pen_json_scanner_next (scanner, &member))
    {
      test_scanner_trace_member (trace, type, &member);
      if (pen_json_scanner_enter (scanner))
        test_scanner_trace_container (scanner, trace, member.value.type);
    }
  g_string_append (trace, pen_json_scanner_failed (scanner) ? " failed" : " .");
}

static void
test_scanner_gives_members (void)
{
  const char *text
      = " { \"a\" : 1 , \"b\\n\":[ true,[],{} ,\"x\\\\\", null],\"\":{\"c\":-0.5e+7}} ";
  g_autoptr (GString) trace = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  PenJsonScanner scanner;
  PenJsonSlice value;

  pen_json_scanner_init (&scanner, text, strlen (text));
  g_assert_true (pen_json_scanner_begin (&scanner, &value));
  g_assert_cmpint (value.type, ==, PEN_JSON_OBJECT);
  g_assert_true (pen_json_scanner_enter (&scanner));
  test_scanner_trace_container (&scanner, trace, value.type);
  g_assert_cmpstr (trace->str, ==,
                   " a=1 b\\n\\=[ true [ . { . \"x\\\\\"\\ null . ={ c=-0.5e+7 . .");
  g_assert_true (pen_json_scanner_finish (&scanner, &error));
  g_assert_no_error (error);
}

static void
test_scanner_skips_whole_values (void)
{
  const char *text = "{\"a\":{\"b\":[1,{\"c\":2}] },\"d\":3,\"e\":[4],\"f\":[5]}";
  PenJsonScanner scanner;
  PenJsonMember member;
  PenJsonSlice value;

  pen_json_scanner_init (&scanner, text, strlen (text));
  g_assert_true (pen_json_scanner_begin (&scanner, &value));
  g_assert_true (pen_json_scanner_enter (&scanner));
  g_assert_false (pen_json_scanner_enter (&scanner));
  g_assert_true (pen_json_scanner_next (&scanner, &member));
  g_assert_true (pen_json_scanner_skip (&scanner, &member.value));
  g_assert_cmpmem (member.value.text, member.value.length, "{\"b\":[1,{\"c\":2}] }", 18);
  g_assert_cmpint (member.value.type, ==, PEN_JSON_OBJECT);

  g_assert_true (pen_json_scanner_next (&scanner, &member));
  g_assert_true (pen_json_scanner_skip (&scanner, &member.value));
  g_assert_cmpmem (member.value.text, member.value.length, "3", 1);

  g_assert_true (pen_json_scanner_next (&scanner, &member));
  g_assert_cmpint (member.value.type, ==, PEN_JSON_ARRAY);
  g_assert_true (pen_json_scanner_next (&scanner, &member));
  g_assert_true (pen_json_key_equal (&member.key, "f"));
  g_assert_true (pen_json_scanner_leave (&scanner));
  g_assert_false (pen_json_scanner_leave (&scanner));
  g_assert_false (pen_json_scanner_failed (&scanner));
  g_assert_true (pen_json_scanner_finish (&scanner, NULL));
}

static void
test_scanner_leaves (void)
{
  const char *text = "[[1,[2,3],4],5]";
  PenJsonScanner scanner;
  PenJsonMember member;
  PenJsonSlice value;

  pen_json_scanner_init (&scanner, text, strlen (text));
  g_assert_true (pen_json_scanner_begin (&scanner, &value));
  g_assert_true (pen_json_scanner_enter (&scanner));
  g_assert_true (pen_json_scanner_next (&scanner, &member));
  g_assert_true (pen_json_scanner_enter (&scanner));
  g_assert_true (pen_json_scanner_next (&scanner, &member));
  g_assert_true (pen_json_scanner_next (&scanner, &member));
  /* [2,3] is announced: leaving leaves what is around it. */
  g_assert_true (pen_json_scanner_leave (&scanner));
  g_assert_true (pen_json_scanner_next (&scanner, &member));
  g_assert_cmpmem (member.value.text, member.value.length, "5", 1);
  g_assert_false (pen_json_scanner_next (&scanner, &member));
  g_assert_false (pen_json_scanner_next (&scanner, &member));
  g_assert_true (pen_json_scanner_finish (&scanner, NULL));
}

/* Each text, alone, with blanks, and with something behind it that no vector may take part in. */
static void
test_scanner_accepts (void)
{
  static const char *const texts[] = {
    "0",
    "-0",
    "-0.0e-0",
    "1E+2",
    "123456789012345678901234567890123456789012345678901234567890",
    "1234567890123456789012345678901",
    "12345678901234567890123456789012",
    "0.1234567890123456789012345678901234",
    "1.1e1234567890123456789012345678901234",
    "true",
    "false",
    "null",
    "\"\"",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uD834\\uDd1e\"",
    "\"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
    "\"fifteen letters\"",
    "\"sixteen letters!\"",
    "\"a string of thirty-two letters..\"",
    "\"a string with an escape behind\\tits first sixteen letters\"",
    "[]",
    "{}",
    "[ ]",
    "{ }",
    "[[],{},[{}]]",
    "{\"a\":1,\"a\":2}",
    "\t[\r\n1 , 2 ]\n",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      for (guint n_blanks = 0; n_blanks < 40; n_blanks++)
        {
          g_autofree char *blanks = g_strnfill (n_blanks, ' ');
          g_autofree char *text = g_strconcat (texts[i], blanks, NULL);
          g_autofree char *result = test_scanner_validate (text, strlen (text));

          g_assert_cmpstr (result, ==, "valid");
        }
    }
}

typedef struct
{
  const char *text;
  const char *message;
} RefusedText;

static const RefusedText refused_texts[] = {
  { "", "invalid JSON at byte offset 0: the text ends, expected a value" },
  { " ", "invalid JSON at byte offset 1: the text ends, expected a value" },
  { "\xef\xbb\xbf{}", "invalid JSON at byte offset 0: found a byte order mark, expected a value" },
  { "NaN", "invalid JSON at byte offset 0: found 'N', expected a value" },
  { "nul", "invalid JSON at byte offset 0: found 'n', expected a value" },
  { "truf", "invalid JSON at byte offset 0: found 't', expected a value" },
  { "-", "invalid JSON at byte offset 1: the text ends, expected a digit" },
  { "+1", "invalid JSON at byte offset 0: found '+', expected a value" },
  { "01", "invalid JSON at byte offset 1: found '1', expected nothing after the value" },
  { "-01", "invalid JSON at byte offset 2: found '1', expected nothing after the value" },
  { "1.",
    "invalid JSON at byte offset 2: the text ends, expected a digit after the decimal point" },
  { ".5", "invalid JSON at byte offset 0: found '.', expected a value" },
  { "1e", "invalid JSON at byte offset 2: the text ends, expected a digit of the exponent" },
  { "1e+", "invalid JSON at byte offset 3: the text ends, expected a digit of the exponent" },
  { "[1.e5                                         ]",
    "invalid JSON at byte offset 3: found 'e', expected a digit after the decimal point" },
  { "[-x                                           ]",
    "invalid JSON at byte offset 2: found 'x', expected a digit" },
  { "[01                                           ]",
    "invalid JSON at byte offset 2: found '1', expected ',' or ']'" },
  { "\"a", "invalid JSON at byte offset 2: the text ends, expected the end of a string" },
  { "\"a\nb\"",
    "invalid JSON at byte offset 2: found byte 0x0a, expected an escape for a control character" },
  { "\"\\", "invalid JSON at byte offset 2: the text ends, expected the rest of an escape" },
  { "\"\\x\"",
    "invalid JSON at byte offset 2: found 'x', expected one of \"\\/bfnrtu after a backslash" },
  { "\"\\u12g4\"",
    "invalid JSON at byte offset 5: found 'g', expected four hexadecimal digits after "
    "\"\\u\"" },
  { "\"\\ud800\"",
    "invalid JSON at byte offset 7: found '\"', expected a low surrogate escape after "
    "the high one" },
  { "\"\\ud800\\u0041\"", "invalid JSON at byte offset 7: found '\\', expected a low surrogate "
                          "escape after the high one" },
  { "\"\\udc00\"", "invalid JSON at byte offset 1: found '\\', expected a high surrogate escape "
                   "before a low one" },
  { "\"\x80\"", "invalid JSON at byte offset 1: found byte 0x80, expected UTF-8" },
  { "\"\xc0\x80\"", "invalid JSON at byte offset 1: found byte 0xc0, expected UTF-8" },
  { "\"\xe0\x9f\x80\"",
    "invalid JSON at byte offset 2: found byte 0x9f, expected the rest of a UTF-8 sequence" },
  { "\"\xed\xa0\x80\"",
    "invalid JSON at byte offset 2: found byte 0xa0, expected the rest of a UTF-8 sequence" },
  { "\"\xf4\x90\x80\x80\"",
    "invalid JSON at byte offset 2: found byte 0x90, expected the rest of a UTF-8 sequence" },
  { "\"\xf5\x80\x80\x80\"", "invalid JSON at byte offset 1: found byte 0xf5, expected UTF-8" },
  { "\"\xf0\x9d\x84",
    "invalid JSON at byte offset 4: the text ends, expected the rest of a UTF-8 sequence" },
  { "[", "invalid JSON at byte offset 1: the text ends, expected a value" },
  { "[1", "invalid JSON at byte offset 2: the text ends, expected ',' or ']'" },
  { "[1,", "invalid JSON at byte offset 3: the text ends, expected a value" },
  { "[1,]", "invalid JSON at byte offset 3: found ']', expected a value" },
  { "[,1]", "invalid JSON at byte offset 1: found ',', expected a value" },
  { "[1 2]", "invalid JSON at byte offset 3: found '2', expected ',' or ']'" },
  { "[1}", "invalid JSON at byte offset 2: found '}', expected ',' or ']'" },
  { "{", "invalid JSON at byte offset 1: the text ends, expected a key in double quotes" },
  { "{1:2}", "invalid JSON at byte offset 1: found '1', expected a key in double quotes" },
  { "{\"a\"}", "invalid JSON at byte offset 4: found '}', expected ':' after a key" },
  { "{\"a\":}", "invalid JSON at byte offset 5: found '}', expected a value" },
  { "{\"a\":1,}", "invalid JSON at byte offset 7: found '}', expected a key in double quotes" },
  { "{\"a\":1]", "invalid JSON at byte offset 6: found ']', expected ',' or '}'" },
  { "{} {}", "invalid JSON at byte offset 3: found '{', expected nothing after the value" },
  { "1,", "invalid JSON at byte offset 1: found ',', expected nothing after the value" },
  { "[1]\xa0", "invalid JSON at byte offset 3: found byte 0xa0, expected nothing after the value" },
};

static void
test_scanner_refuses (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused_texts); i++)
    {
      const RefusedText *refused = &refused_texts[i];
      g_autofree char *result = test_scanner_validate (refused->text, strlen (refused->text));

      g_assert_cmpstr (result, ==, refused->message);
    }
  {
    g_autofree char *result = test_scanner_validate ("[1]\0", 4);

    g_assert_cmpstr (result, ==,
                     "invalid JSON at byte offset 3: found byte 0x00, expected nothing after the "
                     "value");
  }
}

static char *
test_scanner_nest (guint depth, char opening, const char *inside)
{
  g_autofree char *before = g_strnfill (depth, opening);

  return g_strconcat (before, inside, NULL);
}

static void
test_scanner_bounds_depth (void)
{
  g_autofree char *after = g_strnfill (64, ']');
  g_autofree char *allowed = test_scanner_nest (64, '[', after);
  g_autofree char *too_deep = test_scanner_nest (100000, '[', "");
  g_autofree char *invalid_first = test_scanner_nest (64, '[', "x[");
  g_autofree char *too_deep_first = test_scanner_nest (65, '[', "x");
  g_autofree char *result_allowed = test_scanner_validate (allowed, strlen (allowed));
  g_autofree char *result_too_deep = test_scanner_validate (too_deep, strlen (too_deep));
  g_autofree char *result_invalid_first
      = test_scanner_validate (invalid_first, strlen (invalid_first));
  g_autofree char *result_too_deep_first
      = test_scanner_validate (too_deep_first, strlen (too_deep_first));

  g_assert_cmpstr (result_allowed, ==, "valid");
  g_assert_cmpstr (result_too_deep, ==, "JSON is nested deeper than 64 levels at byte offset 64");
  g_assert_cmpstr (result_invalid_first, ==,
                   "invalid JSON at byte offset 64: found 'x', expected a value");
  g_assert_cmpstr (result_too_deep_first, ==,
                   "JSON is nested deeper than 64 levels at byte offset 64");
}

/* Every cut of a text is invalid, and the scanner says so at its end, without reading on. */
static void
test_scanner_refuses_every_cut (void)
{
  static const char *const texts[] = {
    "{\"a key of some length\":[-12.5e3,\"\\ud834\\udd1e \xf0\x9d\x84\x9e\",true,"
    "123456789012345678901234567890123.25]}",
    "{\"a\":1, \"b\": 2, \"c\": 3.25,\"d\":null,\"e\":\"f\",\"g\":-1,\"h\":{},\"i\":0}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    for (gsize length = 0; length < strlen (texts[i]); length++)
      {
        g_autofree char *result = test_scanner_validate (texts[i], length);

        g_assert_cmpstr (result, !=, "valid");
      }
}

static void
test_scanner_stays_failed (void)
{
  PenJsonScanner scanner;
  PenJsonMember member;
  PenJsonSlice value;
  g_autoptr (GError) error = NULL;

  pen_json_scanner_init (&scanner, "[1,x", 4);
  g_assert_true (pen_json_scanner_begin (&scanner, &value));
  g_assert_false (pen_json_scanner_begin (&scanner, &value));
  g_assert_true (pen_json_scanner_enter (&scanner));
  g_assert_true (pen_json_scanner_next (&scanner, &member));
  g_assert_false (pen_json_scanner_next (&scanner, &member));
  g_assert_true (pen_json_scanner_failed (&scanner));
  g_assert_false (pen_json_scanner_next (&scanner, &member));
  g_assert_false (pen_json_scanner_skip (&scanner, &value));
  g_assert_false (pen_json_scanner_enter (&scanner));
  g_assert_false (pen_json_scanner_leave (&scanner));
  g_assert_false (pen_json_scanner_finish (&scanner, &error));
  g_assert_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_INVALID);
}

/* Returns a text that begins with a member of this length, so that what follows stands anywhere
 * among the bytes that the scanner looks at together. */
static char *
test_scanner_move (guint n_before, const char *text)
{
  g_autofree char *before = g_strnfill (n_before, 'x');

  return g_strconcat ("{\"\":\"", before, "\",", text, NULL);
}

static void
test_scanner_at_every_place (void)
{
  const char *text
      = "\"a\":1,\"bc\":22.25, \"a longer key, with a blank\": \"and a \\\"string\\\" behind it\","
        "\"d\":[1,-2,3e4,true],\"\":\"\",\"e\":null,\"f\":{\"g\":12345678901234567890,\"h\" :0},"
        "\"\xc3\xa9\":0.5,\n\"i\":7 ,\"j\":  8,\"k\":\n9,\"l\":\"a string that is longer than what "
        "one "
        "look at the bits tells of it, by far\",\"m\":"
        "1234567890123456789012345678901234567890123456789012345678901234567890.5,\"n\":0}";
  const char *expected
      = " a=1 bc=22.25 a longer key, with a blank=\"and a \\\"string\\\" behind it\"\\ d=[ 1 -2 "
        "3e4 true"
        " . =\"\" e=null f={ g=12345678901234567890 h=0 . \xc3\xa9=0.5 i=7 j=8 k=9 l=\"a string "
        "that "
        "is longer than what one look at the bits tells of it, by far\" "
        "m=1234567890123456789012345678901234567890123456789012345678901234567890.5 n=0 .";

  for (guint n_before = 0; n_before < 1100; n_before++)
    {
      g_autofree char *moved = test_scanner_move (n_before, text);
      gsize length = strlen (moved);
      g_autofree char *copy = test_scanner_copy_exactly (moved, length);
      g_autoptr (GString) trace = g_string_new (NULL);
      PenJsonScanner scanner;
      PenJsonMember member;

      pen_json_scanner_init (&scanner, copy, length);
      g_assert_true (pen_json_scanner_begin (&scanner, &member.value));
      g_assert_true (pen_json_scanner_enter (&scanner));
      g_assert_true (pen_json_scanner_next (&scanner, &member));
      test_scanner_trace_container (&scanner, trace, PEN_JSON_OBJECT);
      g_assert_cmpstr (trace->str, ==, expected);
      g_assert_true (pen_json_scanner_finish (&scanner, NULL));
    }
}

/* Keys of every length around that of what one look tells, which is a little more or less
 * depending on where it begins. */
static void
test_scanner_accepts_long_keys (void)
{
  for (guint n_letters = 0; n_letters < 140; n_letters++)
    for (guint n_digits = 1; n_digits <= 8; n_digits++)
      {
        g_autofree char *letters = g_strnfill (n_letters, 'k');
        g_autofree char *digits = g_strnfill (n_digits, '1');
        g_autofree char *text
            = g_strdup_printf ("{\"a\":1,\"b\":%s,\"%s\":2,\"%s\": 3.5}", digits, letters, letters);
        g_autofree char *result = test_scanner_validate (text, strlen (text));

        g_assert_cmpstr (result, ==, "valid");
      }
}

/* A member with each fault, at every place. */
static const char *const faulty_members[] = {
  "\"b\":01",
  "\"b\":1.",
  "\"b\":1.x",
  "\"b\":1e",
  "\"b\":1e+",
  "\"b\":-",
  "\"b\":-x",
  "\"b\":+1",
  "\"b\"=1",
  "\"b:1",
  "b:1",
  "\"b\" 1",
  "\"b\":\"\x01\"",
  "\"\x1f\":1",
  "\"b\\x\":1",
  "\"b\":nul",
  "\"b\":1 2",
  "\"b\":\"\\u12\"",
  "\"b\":1\x80",
  "\"\xc3\":1",
  "\"b\":",
  ",\"b\":1",
  "\"b\"::1",
  "\"b\":[1}",
  "\"b\\:1,\"c\":1",
  "\"b\x01:1",
  "\"b\x80:1",
  "\"b\":1\"",
  "\"b\":x",
  "\"b\":1x",
  "\"b\":1.2.3",
  "\"b\":1.25.",
  "\"b\":1..2",
  "\"b\":1.",
  "\"b\":.5",
  "\"b\":01",
  "\"b\":nul",
  "\"b\":null0",
  "\"b\":\"\x01\"",
  "\"b\":12345678901234567890123456789012345678901234567890123456789012345678901234567890x",
  "\"b\":\"123456789012345678901234567890123456789012345678901234567890\n1234567890\"",
};

static void
test_scanner_refuses_at_every_place (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (faulty_members); i++)
    for (guint n_before = 380; n_before < 530; n_before++)
      {
        g_autofree char *faulty = g_strconcat ("\"a\":1,", faulty_members[i], ",\"c\":1}", NULL);
        /* Once more with the end of the text far away. */
        g_autofree char *faulty_early = g_strconcat (
            "\"a\":1,", faulty_members[i],
            ",\"c\":1,\"and a member that is long enough to keep the end of the text "
            "from what is looked at together\":\"with the members before it\"}",
            NULL);
        g_autofree char *text = test_scanner_move (n_before, faulty);
        g_autofree char *text_early = test_scanner_move (n_before, faulty_early);
        g_autofree char *result = test_scanner_validate (text, strlen (text));
        g_autofree char *result_early = test_scanner_validate (text_early, strlen (text_early));

        g_assert_cmpstr (result_early, !=, "valid");
        g_assert_cmpstr (result, !=, "valid");
      }
}

/* An object of usual members and others, read with and without next_usual (): the same comes out
 * wherever it begins, however many are asked for, and however soon the text ends behind it. */
static void
test_scanner_usual_members (void)
{
  const char *text
      = "\"a\":1,\"b\": 2.5, \"c\":0,\"d\":0.25,\"e\":null,\"f\":\"g\",\"h\":\"\",\"i\":12345.67,"
        "\"j\":-1,\"k\":1e5,\"l\":true,\"m\":[1],\"n\":\"\\n\",\"\":7,\"o\" :8,\"p\":\"\xc3\xa9\","
        "\"q\":10}";
  const char *expected
      = " a=1 b=2.5 c=0 d=0.25 e=null f=\"g\" h=\"\" i=12345.67 j=-1 k=1e5 l=true m=[ 1 . "
        "n=\"\\n\"\\ =7 o=8 p=\"\xc3\xa9\" q=10 .";

  for (guint n_before = 0; n_before < 1100; n_before++)
    {
      g_autofree char *moved = test_scanner_move (n_before, text);
      gsize length = strlen (moved);
      g_autofree char *copy = test_scanner_copy_exactly (moved, length);
      g_autoptr (GString) trace = g_string_new (NULL);
      PenJsonScanner scanner;
      PenJsonMember members[5];
      guint n_members;

      pen_json_scanner_init (&scanner, copy, length);
      g_assert_true (pen_json_scanner_begin (&scanner, &members[0].value));
      g_assert_cmpuint (pen_json_scanner_next_usual (&scanner, members, 5), ==, 0);
      g_assert_true (pen_json_scanner_enter (&scanner));
      g_assert_true (pen_json_scanner_next (&scanner, &members[0]));
      n_members = pen_json_scanner_next_usual (&scanner, members, n_before % 6);
      g_assert_cmpuint (n_members, <=, n_before % 6);
      for (guint i = 0; i < n_members; i++)
        test_scanner_trace_member (trace, PEN_JSON_OBJECT, &members[i]);
      test_scanner_trace_container (&scanner, trace, PEN_JSON_OBJECT);
      g_assert_cmpstr (trace->str, ==, expected);
      g_assert_true (pen_json_scanner_finish (&scanner, NULL));
    }
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/json-scanner/gives-members", test_scanner_gives_members);
  g_test_add_func ("/json-scanner/skips-whole-values", test_scanner_skips_whole_values);
  g_test_add_func ("/json-scanner/leaves", test_scanner_leaves);
  g_test_add_func ("/json-scanner/accepts", test_scanner_accepts);
  g_test_add_func ("/json-scanner/refuses", test_scanner_refuses);
  g_test_add_func ("/json-scanner/bounds-depth", test_scanner_bounds_depth);
  g_test_add_func ("/json-scanner/refuses-every-cut", test_scanner_refuses_every_cut);
  g_test_add_func ("/json-scanner/at-every-place", test_scanner_at_every_place);
  g_test_add_func ("/json-scanner/accepts-long-keys", test_scanner_accepts_long_keys);
  g_test_add_func ("/json-scanner/refuses-at-every-place", test_scanner_refuses_at_every_place);
  g_test_add_func ("/json-scanner/usual-members", test_scanner_usual_members);
  g_test_add_func ("/json-scanner/stays-failed", test_scanner_stays_failed);
  return g_test_run ();
}
