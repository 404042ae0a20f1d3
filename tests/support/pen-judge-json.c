/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All that the library does with a JSON text, held against the slow reader: one function for the
 * property test, the replay of the corpus, and the fuzz target. It aborts at a difference.
 *
 * How the scanner is driven (enter, skip, go on, leave early) is decided by numbers that come from
 * the text itself, so that a text that fails once fails again.
 */

#include "config.h"

#include "pen-judge-json.h"

#include <math.h>
#include <string.h>

#include "pen-slow-json.h"
#include "pen-slow-number.h"

/* The library may report as many bytes before or behind the slow reader's place: it points at where
 * a literal begins, and finds a bad digit in a pair of escapes before it asks if it is a pair. */
#define LONGEST_TOKEN 12
/* Comparing each key with each other one takes its time. */
#define MAX_MEMBERS 64

typedef struct
{
  const PenSlowJson *json;
  PenJsonScanner scanner;
  guint32 random;
} PenJudge;

static guint
pen_judge_random (PenJudge *judge, guint n_choices)
{
  judge->random = judge->random * 1664525 + 1013904223;
  return (judge->random >> 16) % n_choices;
}

static void
pen_judge_slice (const PenSlowJson *json, const PenJsonSlice *slice, gsize offset, gsize length)
{
  g_assert_cmpuint ((gsize) (slice->text - json->text), ==, offset);
  g_assert_cmpuint (slice->length, ==, length);
}

static gboolean
pen_judge_is_container (PenJsonType type)
{
  return type == PEN_JSON_ARRAY || type == PEN_JSON_OBJECT;
}

static gboolean
pen_judge_is_escaped (const PenSlowJson *json, gsize offset, gsize length)
{
  return length > 0 && memchr (json->text + offset, '\\', length) != NULL;
}

static void
pen_judge_key (const PenSlowJson *json, const PenJsonSlice *key, const PenSlowNode *node)
{
  pen_judge_slice (json, key, node->key_offset, node->key_length);
  g_assert_cmpint (key->type, ==, PEN_JSON_STRING);
  g_assert_cmpint (key->escaped, ==,
                   pen_judge_is_escaped (json, node->key_offset, node->key_length));
}

static void
pen_judge_whole (const PenSlowJson *json, const PenJsonSlice *value, const PenSlowNode *node)
{
  pen_judge_slice (json, value, node->offset, node->length);
  g_assert_cmpint (value->type, ==, node->type);
  if (node->type == PEN_JSON_STRING)
    g_assert_cmpint (value->escaped, ==, pen_judge_is_escaped (json, node->offset, node->length));
}

/* --- Verdicts --- */

static void
pen_judge_error (const PenSlowJson *json, const GError *error)
{
  const char *place = error != NULL ? strstr (error->message, "byte offset ") : NULL;
  guint64 offset;

  if (json->verdict == PEN_SLOW_JSON_ACCEPTED)
    {
      g_assert_no_error (error);
      return;
    }
  g_assert_error (error, PEN_JSON_ERROR,
                  (gint) (json->verdict == PEN_SLOW_JSON_TOO_DEEP ? PEN_JSON_ERROR_TOO_DEEP
                                                                  : PEN_JSON_ERROR_INVALID));
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_nonnull (place);
  offset = g_ascii_strtoull (place + strlen ("byte offset "), NULL, 10);
  g_assert_cmpuint (offset, <=, json->length);
  g_assert_cmpint (ABS ((gint64) offset - (gint64) json->failed_at), <, LONGEST_TOKEN);
}

static void
pen_judge_verdict (const PenSlowJson *json)
{
  g_autoptr (GError) error = NULL;
  gboolean valid = pen_json_validate (json->text, json->length, &error);

  g_assert_cmpint (valid, ==, json->verdict == PEN_SLOW_JSON_ACCEPTED);
  pen_judge_error (json, error);
  g_assert_cmpint (pen_json_validate (json->text, json->length, NULL), ==, valid);
}

/* --- The scanner --- */

static void pen_judge_walk (PenJudge *judge, guint container);

/* Goes into the container just announced, over it, or leaves that to the next call. */
static void
pen_judge_walk_value (PenJudge *judge, guint index, PenJsonSlice *value)
{
  const PenSlowNode *node = pen_slow_json_get (judge->json, index);

  if (!pen_judge_is_container (node->type))
    {
      pen_judge_whole (judge->json, value, node);
      g_assert_false (pen_json_scanner_enter (&judge->scanner));
      return;
    }
  pen_judge_slice (judge->json, value, node->offset, 1);
  g_assert_cmpint (value->type, ==, node->type);
  switch (pen_judge_random (judge, 5))
    {
    case 0:
      g_assert_true (pen_json_scanner_skip (&judge->scanner, value));
      pen_judge_whole (judge->json, value, node);
      break;
    case 1:
      break;
    default:
      g_assert_true (pen_json_scanner_enter (&judge->scanner));
      pen_judge_walk (judge, index);
      break;
    }
}

/* Goes over some members at once, from @child on; returns the one behind them. */
static guint
pen_judge_walk_usual (PenJudge *judge, gboolean is_object, guint child)
{
  PenJsonMember members[4];
  guint n_wanted = pen_judge_random (judge, G_N_ELEMENTS (members) + 1);
  guint n_members = pen_json_scanner_next_usual (&judge->scanner, members, n_wanted);

  g_assert_cmpuint (n_members, <=, is_object ? n_wanted : 0);
  for (guint i = 0; i < n_members; i++)
    {
      const PenSlowNode *node = pen_slow_json_get (judge->json, child);

      g_assert_cmpuint (child, !=, PEN_SLOW_JSON_NONE);
      pen_judge_key (judge->json, &members[i].key, node);
      pen_judge_whole (judge->json, &members[i].value, node);
      child = node->next_sibling;
    }
  return child;
}

/* Goes over the container that was just entered, of an accepted text. */
static void
pen_judge_walk (PenJudge *judge, guint container)
{
  guint child = pen_slow_json_first_child (judge->json, container);
  gboolean is_object = pen_slow_json_get (judge->json, container)->type == PEN_JSON_OBJECT;
  PenJsonMember member;

  while (child != PEN_SLOW_JSON_NONE)
    {
      const PenSlowNode *node;

      if (pen_judge_random (judge, 20) == 0)
        {
          g_assert_true (pen_json_scanner_leave (&judge->scanner));
          return;
        }
      if (pen_judge_random (judge, 2) == 0)
        child = pen_judge_walk_usual (judge, is_object, child);
      if (child == PEN_SLOW_JSON_NONE)
        break;
      node = pen_slow_json_get (judge->json, child);
      g_assert_true (pen_json_scanner_next (&judge->scanner, &member));
      if (is_object)
        pen_judge_key (judge->json, &member.key, node);
      pen_judge_walk_value (judge, child, &member.value);
      child = node->next_sibling;
    }
  if (pen_judge_random (judge, 3) == 0)
    g_assert_true (pen_json_scanner_leave (&judge->scanner));
  else
    g_assert_false (pen_json_scanner_next (&judge->scanner, &member));
  g_assert_false (pen_json_scanner_failed (&judge->scanner));
}

/* Drives the scanner over a text that must fail somewhere; all that counts is that it ends. */
static void
pen_judge_stumble (PenJudge *judge)
{
  PenJsonMember member;
  PenJsonMember members[3];
  gsize n_calls = 0;

  while (!pen_json_scanner_failed (&judge->scanner) && n_calls++ <= judge->json->length)
    switch (pen_judge_random (judge, 8))
      {
      case 0:
        pen_json_scanner_skip (&judge->scanner, &member.value);
        break;
      case 1:
        if (pen_judge_random (judge, 8) == 0)
          pen_json_scanner_leave (&judge->scanner);
        break;
      case 2:
      case 3:
        pen_json_scanner_enter (&judge->scanner);
        break;
      case 4:
        pen_json_scanner_next_usual (&judge->scanner, members, G_N_ELEMENTS (members));
        break;
      default:
        pen_json_scanner_next (&judge->scanner, &member);
        break;
      }
}

static void
pen_judge_scanner (const PenSlowJson *json)
{
  PenJudge judge = { .json = json, .random = (guint32) json->length };
  g_autoptr (GError) error = NULL;
  PenJsonSlice value;
  gboolean begun;

  for (gsize i = 0; i < json->length; i++)
    judge.random = judge.random * 31 + (guint8) json->text[i];
  pen_json_scanner_init (&judge.scanner, json->text, json->length);
  begun = pen_json_scanner_begin (&judge.scanner, &value);
  if (json->verdict == PEN_SLOW_JSON_ACCEPTED)
    {
      g_assert_true (begun);
      pen_judge_walk_value (&judge, 0, &value);
    }
  else
    pen_judge_stumble (&judge);
  g_assert_cmpint (pen_json_scanner_finish (&judge.scanner, &error), ==,
                   json->verdict == PEN_SLOW_JSON_ACCEPTED);
  g_assert_cmpint (pen_json_scanner_failed (&judge.scanner), ==,
                   json->verdict != PEN_SLOW_JSON_ACCEPTED);
  pen_judge_error (json, error);
}

/* --- What can be asked of a slice --- */

static void
pen_judge_string (const PenSlowJson *json, const PenJsonSlice *slice, gsize offset, gsize length)
{
  gsize n_expected;
  gsize n_decoded;
  g_autofree char *expected = pen_slow_json_decode (json->text + offset, length, &n_expected);
  g_autofree char *decoded = pen_json_slice_decode (slice, &n_decoded);
  PenJsonSlice plain = { .text = decoded, .length = n_decoded, .type = PEN_JSON_STRING };
  gboolean has_nul = n_expected > 0 && memchr (expected, '\0', n_expected) != NULL;

  g_assert_cmpmem (decoded, n_decoded, expected, n_expected);
  g_assert_cmpint (decoded[n_decoded], ==, '\0');
  g_assert_cmpint (pen_json_key_equal (slice, expected), ==, !has_nul);
  /* A plain slice that begins with a quote would be taken for a string with its quotes. */
  if (n_decoded == 0 || decoded[0] != '"')
    {
      g_assert_true (pen_json_slice_equal (slice, &plain));
      g_assert_cmpuint (pen_json_slice_hash (slice), ==, pen_json_slice_hash (&plain));
    }
}

static void
pen_judge_number (const PenJsonSlice *slice)
{
  g_autofree char *text = g_strndup (slice->text, slice->length);
  g_autoptr (PenSlowNumber) number = pen_slow_number_new (text, slice->length);
  g_autoptr (GError) integer_error = NULL;
  g_autoptr (GError) real_error = NULL;
  double expected_real = g_ascii_strtod (text, NULL);
  gint64 expected_integer = 0;
  gint64 integer = 0;
  double real = 0;
  gboolean fits = pen_slow_number_to_int64 (number, &expected_integer);

  g_assert_cmpint (pen_json_slice_get_int64 (slice, &integer, &integer_error), ==, fits);
  if (fits)
    g_assert_cmpint (integer, ==, expected_integer);
  else
    g_assert_error (integer_error, PEN_JSON_ERROR, PEN_JSON_ERROR_RANGE);
  g_assert_cmpint (pen_json_slice_get_double (slice, &real, &real_error), ==,
                   isfinite (expected_real) != 0);
  if (isfinite (expected_real))
    g_assert_true (memcmp (&real, &expected_real, sizeof real) == 0);
  else
    g_assert_error (real_error, PEN_JSON_ERROR, PEN_JSON_ERROR_RANGE);
}

static void
pen_judge_value (const PenSlowJson *json, const PenJsonSlice *slice, const PenSlowNode *node)
{
  gint64 integer;
  double real;

  if (node->type == PEN_JSON_NUMBER)
    {
      pen_judge_number (slice);
      return;
    }
  if (node->type == PEN_JSON_STRING)
    pen_judge_string (json, slice, node->offset + 1, node->length - 2);
  g_assert_false (pen_json_slice_get_int64 (slice, &integer, NULL));
  g_assert_false (pen_json_slice_get_double (slice, &real, NULL));
}

/* --- The document --- */

/* Of several members with one key, the last one counts. */
static void
pen_judge_member (const PenSlowJson *json, const PenJson *document, PenJsonNode object, guint slow)
{
  const PenSlowNode *node = pen_slow_json_get (json, slow);
  gsize length;
  g_autofree char *name
      = pen_slow_json_decode (json->text + node->key_offset, node->key_length, &length);
  guint last = slow;
  PenJsonSlice found;

  if (strlen (name) != length)
    return;
  for (guint other = node->next_sibling; other != PEN_SLOW_JSON_NONE;
       other = pen_slow_json_get (json, other)->next_sibling)
    {
      const PenSlowNode *candidate = pen_slow_json_get (json, other);
      gsize n_other;
      g_autofree char *other_name = pen_slow_json_decode (json->text + candidate->key_offset,
                                                          candidate->key_length, &n_other);

      if (n_other == length && memcmp (other_name, name, length) == 0)
        last = other;
    }
  pen_json_get_slice (document, pen_json_get_member (document, object, name), &found);
  pen_judge_slice (json, &found, pen_slow_json_get (json, last)->offset,
                   pen_slow_json_get (json, last)->length);
}

static void
pen_judge_node (const PenSlowJson *json, const PenJson *document, PenJsonNode node, guint slow)
{
  const PenSlowNode *expected = pen_slow_json_get (json, slow);
  guint slow_child = pen_slow_json_first_child (json, slow);
  PenJsonNode child = pen_json_get_first_child (document, node);
  PenJsonSlice slice;
  guint n_children = 0;

  pen_json_get_slice (document, node, &slice);
  pen_judge_whole (json, &slice, expected);
  pen_judge_value (json, &slice, expected);
  g_assert_cmpint (pen_json_get_node_type (document, node), ==, expected->type);
  g_assert_cmpuint (pen_json_get_length (document, node), ==, expected->n_children);
  g_assert_cmpint (pen_json_get_key (document, node, &slice), ==, expected->has_key);
  if (expected->has_key)
    {
      pen_judge_key (json, &slice, expected);
      pen_judge_string (json, &slice, expected->key_offset, expected->key_length);
    }
  for (; slow_child != PEN_SLOW_JSON_NONE; n_children++)
    {
      g_assert_cmpuint (child, !=, PEN_JSON_NO_NODE);
      if (expected->type == PEN_JSON_ARRAY)
        g_assert_cmpuint (pen_json_get_element (document, node, n_children), ==, child);
      else if (expected->n_children <= MAX_MEMBERS)
        pen_judge_member (json, document, node, slow_child);
      pen_judge_node (json, document, child, slow_child);
      slow_child = pen_slow_json_get (json, slow_child)->next_sibling;
      child = pen_json_get_next_sibling (document, child);
    }
  g_assert_cmpuint (child, ==, PEN_JSON_NO_NODE);
  g_assert_cmpuint (pen_json_get_element (document, node, n_children), ==, PEN_JSON_NO_NODE);
}

/* --- The writer --- */

/* Two accepted texts hold the same: as text, or, if only @decoded ones are comparable, decoded. */
static void
pen_judge_same (const PenSlowJson *a, const PenSlowJson *b, gboolean decoded)
{
  g_assert_cmpint (b->verdict, ==, PEN_SLOW_JSON_ACCEPTED);
  g_assert_cmpuint (a->nodes->len, ==, b->nodes->len);
  for (guint i = 0; i < a->nodes->len; i++)
    {
      const PenSlowNode *left = pen_slow_json_get (a, i);
      const PenSlowNode *right = pen_slow_json_get (b, i);
      gboolean is_string = left->type == PEN_JSON_STRING;
      gsize n_left = left->length;
      gsize n_right = right->length;
      g_autofree char *left_text
          = decoded && is_string ? pen_slow_json_decode (a->text + left->offset, n_left, &n_left)
                                 : g_strndup (a->text + left->offset, n_left);
      g_autofree char *right_text
          = decoded && is_string ? pen_slow_json_decode (b->text + right->offset, n_right, &n_right)
                                 : g_strndup (b->text + right->offset, n_right);

      g_assert_cmpint (left->type, ==, right->type);
      g_assert_cmpuint (left->n_children, ==, right->n_children);
      g_assert_cmpint (left->has_key, ==, right->has_key);
      if (!pen_judge_is_container (left->type))
        g_assert_cmpmem (left_text, n_left, right_text, n_right);
      if (left->has_key && !decoded)
        g_assert_cmpmem (a->text + left->key_offset, left->key_length, b->text + right->key_offset,
                         right->key_length);
    }
}

static void
pen_judge_write (const PenSlowJson *json, PenJsonWriter *writer, guint index)
{
  const PenSlowNode *node = pen_slow_json_get (json, index);
  guint child = pen_slow_json_first_child (json, index);
  g_autofree char *key = NULL;
  g_autofree char *string = NULL;
  gsize length;

  if (node->has_key)
    {
      key = pen_slow_json_decode (json->text + node->key_offset, node->key_length, &length);
      pen_json_writer_key (writer, key);
    }
  if (node->type == PEN_JSON_STRING)
    {
      string = pen_slow_json_decode (json->text + node->offset + 1, node->length - 2, &length);
      pen_json_writer_string (writer, string, (gssize) length);
    }
  else if (node->type == PEN_JSON_NUMBER)
    pen_json_writer_raw (writer, json->text + node->offset, node->length);
  else if (node->type == PEN_JSON_NULL)
    pen_json_writer_null (writer);
  else if (!pen_judge_is_container (node->type))
    pen_json_writer_boolean (writer, node->type == PEN_JSON_TRUE);
  else if (node->type == PEN_JSON_OBJECT)
    pen_json_writer_begin_object (writer);
  else
    pen_json_writer_begin_array (writer);
  for (; child != PEN_SLOW_JSON_NONE; child = pen_slow_json_get (json, child)->next_sibling)
    pen_judge_write (json, writer, child);
  if (node->type == PEN_JSON_OBJECT)
    pen_json_writer_end_object (writer);
  if (node->type == PEN_JSON_ARRAY)
    pen_json_writer_end_array (writer);
}

static void
pen_judge_writer (const PenSlowJson *json)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (PenSlowJson) again = NULL;
  PenJsonWriter writer;

  pen_json_writer_init (&writer, text);
  pen_judge_write (json, &writer, 0);
  again = pen_slow_json_parse (text->str, text->len);
  pen_judge_same (json, again, TRUE);
  for (guint i = 0; i < again->nodes->len; i++)
    if (pen_judge_is_container (pen_slow_json_get (again, i)->type))
      g_assert_cmpuint (pen_slow_json_get (again, i)->n_children == 0, ==,
                        pen_slow_json_get (again, i)->length == 2);
}

static void
pen_judge_layouts (const PenSlowJson *json, GBytes *bytes)
{
  g_autoptr (GError) unfold_error = NULL;
  g_autoptr (GError) prettify_error = NULL;
  g_autoptr (GBytes) line = pen_json_unfold (bytes, &unfold_error);
  g_autofree char *pretty = pen_json_prettify (bytes, &prettify_error);
  g_autoptr (PenSlowJson) unfolded = NULL;
  g_autoptr (PenSlowJson) prettified = NULL;
  const char *data;
  gsize length;

  pen_judge_error (json, unfold_error);
  pen_judge_error (json, prettify_error);
  g_assert_cmpint (line != NULL, ==, json->verdict == PEN_SLOW_JSON_ACCEPTED);
  g_assert_cmpint (pretty != NULL, ==, json->verdict == PEN_SLOW_JSON_ACCEPTED);
  if (line == NULL)
    return;
  data = g_bytes_get_data (line, &length);
  g_assert_null (memchr (data, '\n', length));
  g_assert_null (memchr (data, '\r', length));
  unfolded = pen_slow_json_parse (data, length);
  pen_judge_same (json, unfolded, FALSE);
  prettified = pen_slow_json_parse (pretty, strlen (pretty));
  pen_judge_same (json, prettified, FALSE);
}

/* Whatever bytes the writer is given for a string, it writes one string, and what was ASCII comes
 * back as it was. */
static void
pen_judge_written_bytes (const char *text, gsize length)
{
  g_autoptr (GString) written = g_string_new (NULL);
  g_autoptr (PenSlowJson) json = NULL;
  g_autofree char *decoded = NULL;
  gsize n_decoded;
  PenJsonWriter writer;
  gsize n_ascii = 0;

  pen_json_writer_init (&writer, written);
  pen_json_writer_string (&writer, text, (gssize) length);
  json = pen_slow_json_parse (written->str, written->len);
  g_assert_cmpint (json->verdict, ==, PEN_SLOW_JSON_ACCEPTED);
  g_assert_cmpint (pen_slow_json_get (json, 0)->type, ==, PEN_JSON_STRING);
  decoded = pen_slow_json_decode (written->str + 1, written->len - 2, &n_decoded);
  while (n_ascii < length && (guint8) text[n_ascii] < 0x80)
    n_ascii++;
  g_assert_cmpuint (n_decoded, >=, n_ascii);
  g_assert_cmpmem (decoded, n_ascii, text, n_ascii);
  if (n_ascii == length)
    g_assert_cmpuint (n_decoded, ==, length);
}

/* A payload on one line: JSON, or any bytes without a line break. */
static void
pen_judge_line (const PenSlowJson *json, GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) line = pen_line_format_payload (PEN_LINE_FORMAT_LINES, bytes, &error);
  gboolean has_break = json->length > 0 && memchr (json->text, '\n', json->length) != NULL;
  gsize length;
  const char *data;

  g_assert_cmpint (line != NULL, ==, !has_break || json->verdict == PEN_SLOW_JSON_ACCEPTED);
  if (line == NULL)
    {
      g_assert_nonnull (error);
      return;
    }
  data = g_bytes_get_data (line, &length);
  g_assert_cmpuint (length, ==, json->length);
  g_assert_true (length == 0 || memchr (data, '\n', length) == NULL);
  if (!has_break)
    g_assert_true (line == bytes);
}

/* @text should end where its memory does. */
void
pen_judge_json (const char *text, gsize length)
{
  g_autoptr (PenSlowJson) json = pen_slow_json_parse (text, length);
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, length);
  g_autoptr (GError) error = NULL;
  g_autoptr (PenJson) document = pen_json_new_from_bytes (bytes, &error);

  pen_judge_verdict (json);
  pen_judge_scanner (json);
  pen_judge_error (json, error);
  pen_judge_layouts (json, bytes);
  pen_judge_line (json, bytes);
  pen_judge_written_bytes (text, length);
  g_assert_cmpint (document != NULL, ==, json->verdict == PEN_SLOW_JSON_ACCEPTED);
  if (document == NULL)
    return;
  g_assert_cmpuint (pen_json_get_n_nodes (document), ==, json->nodes->len);
  pen_judge_node (json, document, 0, 0);
  pen_judge_writer (json);
}
