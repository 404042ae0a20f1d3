/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Random payloads, good, odd and damaged: the AMMP transform and the slow one must make the same
 * of them, byte for byte. Besides, payloads without oddities are held against json-glib, and
 * payloads made to be slow must be through before the test's time is over.
 */

#include "config.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "pen-ammp-transform.h"
#include "pen-corpus.h"
#include "pen-guard.h"
#include "pen-harness.h"
#include "pen-judge-ammp.h"
#include "pen-random-json.h"
#include "pen-test.h"

#define LIMIT (1024 * 1024)
#define N_TEXTS 12000
#define MANY 100000

/* --- Payloads --- */

static void
test_ammp_random_append_time (GString *text)
{
  static const char *const times[] = {
    "1625576100",   "1625576100.25", "1.6255761e9",  "-1",
    "-0.5",         "1e-400",        "-62135596800", "253402300799.999999999",
    "253402300800", "1625576100000", "null",         "\"1625576100\"",
    "[1]",          "16255761e2",
  };

  if (pen_random_chance (3))
    pen_random_json_number (text);
  else
    g_string_append (text, pen_random_pick (times, G_N_ELEMENTS (times)));
}

/* A name of a length at which hashes and copies change their way, often with one of its characters
 * written as an escape: the same name in another spelling. */
static void
test_ammp_random_append_twin (GString *text)
{
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  static const gsize lengths[] = { 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 49, 60 };
  gsize length = lengths[g_test_rand_int_range (0, G_N_ELEMENTS (lengths))];
  gint escaped = g_test_rand_int_range (0, (gint32) length * 2);

  g_string_append_c (text, '"');
  for (gsize i = 0; i < length; i++)
    if (escaped == (gint) i)
      g_string_append_printf (text, "\\u%04x", (guint) letters[i]);
    else
      g_string_append_c (text, letters[i]);
  g_string_append_c (text, '"');
}

static void
test_ammp_random_append_key (GString *text, guint n_keys)
{
  static const char *const odd[] = {
    "\"_vid\"",
    "\"_d\"",
    "\"_s\"",
    "\"\\u005fd\"",
    "\"_v\\u0069d\"",
    "\"\"",
    "\"_\"",
    "\"\\u0061\"",
    "\"\\u0000\"",
    "\"a\\\"b\"",
    "\"sixteen_bytes_16\"",
    "\"seventeen_bytes_17\"",
    "\"a_key_that_is_longer_than_two_vectors_of_16_bytes\"",
    "\"\xc3\xa9\"",
  };

  if (pen_random_chance (4))
    g_string_append (text, pen_random_pick (odd, G_N_ELEMENTS (odd)));
  else if (pen_random_chance (4))
    test_ammp_random_append_twin (text);
  else
    g_string_append_printf (text, "\"k%d\"", g_test_rand_int_range (0, (gint32) n_keys));
}

static void
test_ammp_random_append_vid (GString *text)
{
  static const char *const vids[] = {
    "\"strato-1\"",
    "\"strato-2\"",
    "\"str\\u0061to-1\"",
    "\"a\"",
    "\"\\u0061\"",
    "\"\"",
    "null",
    "7",
    "\"\\u0000\"",
    "{}",
    "\"an-identifier-longer-than-thirty-two-bytes\"",
  };

  if (pen_random_chance (4))
    test_ammp_random_append_twin (text);
  else
    g_string_append (text, pen_random_pick (vids, pen_random_chance (4) ? 11 : 5));
}

/* White space between tokens, in some payloads only: the plugin copies what has none as a piece. */
static void
test_ammp_random_append_space (GString *text, gboolean spaced)
{
  if (spaced)
    pen_random_json_space (text);
}

static void
test_ammp_random_append_reading (GString *text, guint n_keys, gboolean spaced)
{
  gint n_fields = g_test_rand_int_range (0, n_keys > 20 ? 200 : 6);

  if (pen_random_chance (15))
    {
      pen_random_json_value (text, 2);
      return;
    }
  g_string_append_c (text, '{');
  test_ammp_random_append_space (text, spaced);
  if (!pen_random_chance (10))
    {
      g_string_append (text, pen_random_chance (3) ? "\"_d\":\"dev\",\"_vid\":" : "\"_vid\":");
      test_ammp_random_append_space (text, spaced);
      test_ammp_random_append_vid (text);
    }
  else
    g_string_append (text, "\"_d\":\"dev\"");
  for (gint i = 0; i < n_fields; i++)
    {
      test_ammp_random_append_space (text, spaced);
      g_string_append_c (text, ',');
      test_ammp_random_append_space (text, spaced);
      test_ammp_random_append_key (text, n_keys);
      test_ammp_random_append_space (text, spaced);
      g_string_append_c (text, ':');
      test_ammp_random_append_space (text, spaced);
      pen_random_json_value (text, pen_random_chance (8) ? 3 : 0);
    }
  g_string_append_c (text, '}');
}

static void
test_ammp_random_append_readings (GString *text, guint n_keys, gboolean spaced)
{
  gint n_readings = g_test_rand_int_range (0, 7);

  if (pen_random_chance (30))
    {
      pen_random_json_value (text, 2);
      return;
    }
  g_string_append_c (text, '[');
  for (gint i = 0; i < n_readings; i++)
    {
      if (i > 0)
        g_string_append_c (text, ',');
      test_ammp_random_append_space (text, spaced);
      test_ammp_random_append_reading (text, n_keys, spaced);
      test_ammp_random_append_space (text, spaced);
    }
  g_string_append_c (text, ']');
}

static GString *
test_ammp_random_make_payload (void)
{
  GString *text = g_string_new ("{");
  guint n_keys = pen_random_chance (40) ? 300 : pen_random_chance (2) ? 4 : 20;
  gboolean spaced = pen_random_chance (3);
  gint n_members = pen_random_chance (5) ? g_test_rand_int_range (0, 7) : 3;

  for (gint i = 0; i < n_members; i++)
    {
      gint kind = n_members == 3 ? i : g_test_rand_int_range (0, 3);

      if (i > 0)
        g_string_append_c (text, ',');
      test_ammp_random_append_space (text, spaced);
      g_string_append (text, kind == 0   ? pen_random_chance (20) ? "\"\\u0074\":" : "\"t\":"
                             : kind == 1 ? "\"r\":"
                                         : "\"m\":");
      if (kind == 0)
        test_ammp_random_append_time (text);
      else if (kind == 1)
        test_ammp_random_append_readings (text, n_keys, spaced);
      else
        pen_random_json_value (text, 2);
    }
  return g_string_append_c (text, '}');
}

/* --- Against the slow transform --- */

/* Returns how many payloads were forwarded. */
static guint
test_ammp_random_judge (guint n_mutations)
{
  guint n_forwarded = 0;
  g_autoptr (PenGuard) guard = pen_guard_new (LIMIT);
  g_autoptr (PenAmmpPayload) payload = pen_ammp_payload_new ();

  for (guint i = 0; i < N_TEXTS; i++)
    {
      g_autoptr (GString) text = test_ammp_random_make_payload ();

      for (guint round = 0; round < n_mutations; round++)
        pen_random_json_mutate (text);
      if (pen_judge_ammp (payload, pen_guard_put (guard, text->str, text->len), text->len,
                          (PenSlowMissingVid) g_test_rand_int_range (0, 3)))
        n_forwarded++;
    }
  return n_forwarded;
}

static void
test_ammp_random_good (void)
{
  g_assert_cmpuint (test_ammp_random_judge (0), >, N_TEXTS / 4);
}

static void
test_ammp_random_damaged (void)
{
  g_assert_cmpuint (test_ammp_random_judge (1), >, N_TEXTS / 20);
}

/* Through the element, as the pipeline runs it. */
static void
test_ammp_random_element (void)
{
  g_autoptr (PenHarness) harness
      = pen_harness_new (g_object_new (PEN_TYPE_AMMP_TRANSFORM, "missing-vid", 1, NULL));

  pen_harness_start (harness);
  for (guint i = 0; i < 1000; i++)
    {
      g_autoptr (GString) text = test_ammp_random_make_payload ();
      g_autoptr (PenSlowAmmp) expected
          = pen_slow_ammp_new (text->str, text->len, PEN_SLOW_AMMP_DEVICE);
      gint64 n_dropped = pen_harness_get_count (harness, "events_dropped", "empty");
      gint64 n_replaced = pen_harness_get_count (harness, "values_replaced", "field_conflict");
      g_autofree char *forwarded = NULL;
      g_autofree char *reason = NULL;

      pen_harness_push_text (harness, text->str);
      forwarded = pen_harness_pull_text (harness);
      g_assert_cmpstr (forwarded, ==, expected->text != NULL ? expected->text->str : NULL);
      g_assert_cmpuint (pen_harness_get_n_events (harness), ==, 0);
      n_dropped = pen_harness_get_count (harness, "events_dropped", "empty") - n_dropped;
      g_assert_cmpint (n_dropped, ==, expected->rejected == NULL && expected->text == NULL);
      n_replaced
          = pen_harness_get_count (harness, "values_replaced", "field_conflict") - n_replaced;
      g_assert_cmpint (n_replaced, ==, expected->n_conflicts);
      if (expected->rejected != NULL)
        {
          g_assert_true (pen_harness_pull_rejection (harness, NULL, &reason, NULL));
          g_assert_cmpstr (reason, ==, expected->rejected);
        }
      for (guint skip = 0; skip < expected->skipped->len; skip++)
        {
          g_autofree char *skip_reason = NULL;

          g_assert_true (pen_harness_pull_rejection (harness, NULL, &skip_reason, NULL));
          g_assert_cmpstr (skip_reason, ==, expected->skipped->pdata[skip]);
        }
      g_assert_false (pen_harness_pull_rejection (harness, NULL, NULL, NULL));
    }
}

/* --- Against json-glib --- */

/* Adds a reading with values that json-glib keeps; no null, no key twice. */
static void
test_ammp_random_build_reading (JsonBuilder *builder)
{
  gint first = g_test_rand_int_range (0, 6);

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "_d");
  json_builder_add_string_value (builder, "device");
  json_builder_set_member_name (builder, "_vid");
  json_builder_add_string_value (builder, pen_random_chance (2) ? "dse-1" : "strato \"2\"\n");
  for (gint i = first; i < 10; i++)
    {
      g_autofree char *name = g_strdup_printf ("field %d\t", i);

      json_builder_set_member_name (builder, name);
      if (pen_random_chance (3))
        json_builder_add_double_value (builder, g_test_rand_double_range (-1e6, 1e6));
      else if (pen_random_chance (2))
        json_builder_add_int_value (builder, g_test_rand_int ());
      else
        json_builder_add_boolean_value (builder, pen_random_chance (2));
    }
  json_builder_end_object (builder);
}

static JsonNode *
test_ammp_random_build (void)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  gint n_readings = g_test_rand_int_range (1, 6);

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "t");
  json_builder_add_int_value (builder, g_test_rand_int_range (0, G_MAXINT32));
  json_builder_set_member_name (builder, "r");
  json_builder_begin_array (builder);
  for (gint i = 0; i < n_readings; i++)
    test_ammp_random_build_reading (builder);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

/* What json-glib makes of the readings: objects that are merged member by member. */
static JsonObject *
test_ammp_random_merge (JsonObject *round)
{
  JsonArray *readings = json_object_get_array_member (round, "r");
  JsonObject *data = json_object_new ();

  for (guint i = 0; i < json_array_get_length (readings); i++)
    {
      JsonObject *reading = json_array_get_object_element (readings, i);
      const char *vid = json_object_get_string_member (reading, "_vid");
      g_autoptr (GList) names = json_object_get_members (reading);
      JsonObject *fields;

      if (!json_object_has_member (data, vid))
        json_object_set_object_member (data, vid, json_object_new ());
      fields = json_object_get_object_member (data, vid);
      for (GList *name = names; name != NULL; name = name->next)
        if (((const char *) name->data)[0] != '_')
          json_object_set_member (fields, name->data, json_object_dup_member (reading, name->data));
    }
  return data;
}

static void
test_ammp_random_json_glib (void)
{
  g_autoptr (PenAmmpPayload) payload = pen_ammp_payload_new ();

  for (guint i = 0; i < 500; i++)
    {
      g_autoptr (JsonNode) built = test_ammp_random_build ();
      g_autofree char *text = json_to_string (built, pen_random_chance (2));
      g_autoptr (JsonNode) round = json_from_string (text, NULL);
      g_autoptr (GBytes) converted = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = NULL;
      g_autoptr (JsonNode) data = json_node_new (JSON_NODE_OBJECT);
      g_autoptr (GDateTime) expected_time = NULL;
      g_autoptr (GDateTime) time = NULL;
      g_autofree char *result = NULL;

      pen_ammp_payload_convert (payload, text, strlen (text), PEN_AMMP_MISSING_VID_SKIP, &converted,
                                &error);
      g_assert_no_error (error);
      result = g_strndup (g_bytes_get_data (converted, NULL), g_bytes_get_size (converted));
      node = json_from_string (result, &error);
      g_assert_no_error (error);
      json_node_take_object (data, test_ammp_random_merge (json_node_get_object (round)));
      g_assert_true (
          json_node_equal (data, json_object_get_member (json_node_get_object (node), "data")));
      time = g_date_time_new_from_iso8601 (
          json_object_get_string_member (json_node_get_object (node), "time"), NULL);
      expected_time = g_date_time_new_from_unix_utc (
          json_object_get_int_member (json_node_get_object (round), "t"));
      g_assert_true (g_date_time_equal (time, expected_time));
    }
}

/* --- Payloads made to be slow --- */

typedef void (*TestAppendFunc) (GString *text, guint index);

/* MANY pieces with commas between them, inside a frame. */
static GString *
test_ammp_random_repeat (const char *begin, TestAppendFunc append, const char *end)
{
  GString *text = g_string_new (begin);

  for (guint i = 0; i < MANY; i++)
    {
      if (i > 0)
        g_string_append_c (text, ',');
      append (text, i);
    }
  return g_string_append (text, end);
}

static GString *
test_ammp_random_convert (const GString *text, guint *n_conflicts, guint *n_skipped)
{
  g_autoptr (PenAmmpPayload) payload = pen_ammp_payload_new ();
  g_autoptr (GBytes) converted = NULL;
  g_autoptr (GError) error = NULL;
  const char *data;
  gsize length;

  pen_ammp_payload_convert (payload, text->str, text->len, PEN_AMMP_MISSING_VID_SKIP, &converted,
                            &error);
  g_assert_no_error (error);
  *n_conflicts = pen_ammp_payload_get_n_conflicts (payload);
  *n_skipped = pen_ammp_payload_get_n_skipped (payload);
  if (converted == NULL)
    return g_string_new (NULL);
  data = g_bytes_get_data (converted, &length);
  return g_string_new_len (data, (gssize) length);
}

static void
test_ammp_random_check_many (const char *begin,
                             TestAppendFunc append,
                             const char *end,
                             TestAppendFunc append_expected,
                             guint expected_conflicts)
{
  g_autoptr (GString) text = test_ammp_random_repeat (begin, append, end);
  g_autoptr (GString) expected = test_ammp_random_repeat (
      "{\"time\":\"1970-01-01T00:00:00+00:00\",\"data\":{", append_expected, "}}");
  guint n_conflicts;
  guint n_skipped;
  g_autoptr (GString) actual = test_ammp_random_convert (text, &n_conflicts, &n_skipped);

  g_assert_true (g_string_equal (actual, expected));
  g_assert_cmpuint (n_conflicts, ==, expected_conflicts);
  g_assert_cmpuint (n_skipped, ==, 0);
}

static void
test_ammp_random_append_vendor (GString *text, guint index)
{
  g_string_append_printf (text, "{\"_vid\":\"v%u\",\"a\":%u}", index, index);
}

static void
test_ammp_random_append_vendor_out (GString *text, guint index)
{
  g_string_append_printf (text, "\"v%u\":{\"a\":%u}", index, index);
}

static void
test_ammp_random_many_vendors (void)
{
  test_ammp_random_check_many ("{\"t\":0,\"r\":[", test_ammp_random_append_vendor, "]}",
                               test_ammp_random_append_vendor_out, 0);
}

static void
test_ammp_random_append_escaped_vendor (GString *text, guint index)
{
  g_string_append_printf (text, "{\"_vid\":\"\\u0076%u\",\"a\":%u}", index, index);
}

static void
test_ammp_random_append_escaped_vendor_out (GString *text, guint index)
{
  g_string_append_printf (text, "\"\\u0076%u\":{\"a\":%u}", index, index);
}

static void
test_ammp_random_many_escaped_vendors (void)
{
  test_ammp_random_check_many ("{\"t\":0,\"r\":[", test_ammp_random_append_escaped_vendor, "]}",
                               test_ammp_random_append_escaped_vendor_out, 0);
}

static void
test_ammp_random_append_field (GString *text, guint index)
{
  g_string_append_printf (text, "\"f%u\":%u", index, index);
}

static void
test_ammp_random_append_field_out (GString *text, guint index)
{
  g_string_append_printf (text, "%s\"f%u\":%u%s", index == 0 ? "\"v\":{" : "", index, index,
                          index == MANY - 1 ? "}" : "");
}

static void
test_ammp_random_many_fields (void)
{
  test_ammp_random_check_many ("{\"t\":0,\"r\":[{\"_vid\":\"v\",", test_ammp_random_append_field,
                               "}]}", test_ammp_random_append_field_out, 0);
}

static void
test_ammp_random_append_device (GString *text, guint index)
{
  g_string_append_printf (text, "{\"_vid\":\"v\",\"f%u\":%u}", index, index);
}

static void
test_ammp_random_many_devices (void)
{
  test_ammp_random_check_many ("{\"t\":0,\"r\":[", test_ammp_random_append_device, "]}",
                               test_ammp_random_append_field_out, 0);
}

static void
test_ammp_random_append_twice (GString *text, guint index)
{
  g_string_append_printf (text, "{\"_vid\":\"v%u\",\"a\":null,\"a\":1,\"\\u0061\":%u}", index / 2,
                          index);
}

/* The last of four values of each vendor ID. */
static void
test_ammp_random_many_conflicts (void)
{
  g_autoptr (GString) text
      = test_ammp_random_repeat ("{\"t\":0,\"r\":[", test_ammp_random_append_twice, "]}");
  guint n_conflicts;
  guint n_skipped;
  g_autoptr (GString) actual = test_ammp_random_convert (text, &n_conflicts, &n_skipped);
  g_autofree char *last = g_strdup_printf ("\"v%d\":{\"a\":%d}}}", MANY / 2 - 1, MANY - 1);

  g_assert_cmpuint (n_conflicts, ==, MANY + MANY / 2);
  g_assert_true (g_str_has_suffix (actual->str, last));
}

static void
test_ammp_random_append_bad (GString *text, guint index)
{
  g_string_append (text, index % 2 == 0 ? "7" : "{\"a\":1}");
}

static void
test_ammp_random_many_skipped (void)
{
  g_autoptr (GString) text
      = test_ammp_random_repeat ("{\"t\":0,\"r\":[", test_ammp_random_append_bad, "]}");
  guint n_conflicts;
  guint n_skipped;
  g_autoptr (GString) actual = test_ammp_random_convert (text, &n_conflicts, &n_skipped);

  g_assert_cmpuint (n_skipped, ==, MANY);
  g_assert_cmpuint (actual->len, ==, 0);
}

static void
test_ammp_random_append_member (GString *text, guint index)
{
  g_string_append_printf (text, "\"t\":%u,\"r\":[{\"_vid\":\"v\",\"a\":%u}]", index % 60, index);
}

static void
test_ammp_random_many_rounds (void)
{
  g_autoptr (GString) text = test_ammp_random_repeat ("{", test_ammp_random_append_member, "}");
  guint n_conflicts;
  guint n_skipped;
  g_autoptr (GString) actual = test_ammp_random_convert (text, &n_conflicts, &n_skipped);

  g_assert_cmpstr (actual->str, ==,
                   "{\"time\":\"1970-01-01T00:00:39+00:00\",\"data\":{\"v\":{\"a\":99999}}}");
}

/* --- Seeds of the fuzz target --- */

static void
test_ammp_random_judge_seed (const char *name, const char *text, gsize length, gpointer user_data)
{
  PenAmmpPayload *payload = user_data;
  g_autoptr (PenGuard) guard = pen_guard_new (LIMIT);
  const char *guarded = pen_guard_put (guard, text, length);

  for (int missing_vid = 0; missing_vid < 3; missing_vid++)
    pen_judge_ammp (payload, guarded, length, (PenSlowMissingVid) missing_vid);
}

static void
test_ammp_random_corpus (void)
{
  g_autoptr (PenAmmpPayload) payload = pen_ammp_payload_new ();

  g_assert_cmpuint (
      pen_corpus_foreach ("transforms/ammp/corpus", test_ammp_random_judge_seed, payload), >, 10);
  g_assert_cmpuint (pen_corpus_foreach ("core/corpus/json", test_ammp_random_judge_seed, payload),
                    >, 400);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/ammp/corpus", test_ammp_random_corpus);
  g_test_add_func ("/ammp/random/good", test_ammp_random_good);
  g_test_add_func ("/ammp/random/damaged", test_ammp_random_damaged);
  g_test_add_func ("/ammp/random/element", test_ammp_random_element);
  g_test_add_func ("/ammp/random/json-glib", test_ammp_random_json_glib);
  g_test_add_func ("/ammp/many/vendors", test_ammp_random_many_vendors);
  g_test_add_func ("/ammp/many/escaped-vendors", test_ammp_random_many_escaped_vendors);
  g_test_add_func ("/ammp/many/fields", test_ammp_random_many_fields);
  g_test_add_func ("/ammp/many/devices", test_ammp_random_many_devices);
  g_test_add_func ("/ammp/many/conflicts", test_ammp_random_many_conflicts);
  g_test_add_func ("/ammp/many/skipped", test_ammp_random_many_skipped);
  g_test_add_func ("/ammp/many/rounds", test_ammp_random_many_rounds);
  return g_test_run ();
}
