/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A logger's payload becomes one for AMMP: every row of the transform's documentation, byte for
 * byte, and the cost of payloads that were made to be slow.
 */

#include "config.h"

#include "pen-ammp-payload.h"
#include "pen-test.h"

#include <string.h>

/* What is forwarded for `t` 0. */
#define DATA(members) "{\"time\":\"1970-01-01T00:00:00+00:00\",\"data\":{" members "}}"

/* A payload with the time 0 and these readings. */
#define READINGS(readings) "{\"t\":0,\"r\":[" readings "]}"

typedef struct
{
  const char *text;
  const char *expected;
} PayloadCase;

/* Says in one text what became of a payload: the payload that is forwarded, or what is wrong with
 * it; then the conflicts and the readings that were left out, a line each. */
static char *
test_payload_convert (PenAmmpPayload *payload,
                      const char *text,
                      gsize length,
                      PenAmmpMissingVid missing_vid)
{
  /* Without a byte to spare, so that a sanitizer or valgrind sees a read behind it. */
  g_autofree char *copy = length > 0 ? g_memdup2 (text, length) : NULL;
  g_autoptr (GBytes) converted = NULL;
  g_autoptr (GError) error = NULL;
  GString *result = g_string_new (NULL);

  if (!pen_ammp_payload_convert (payload, copy, length, missing_vid, &converted, &error))
    {
      g_assert_null (converted);
      g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_REJECT);
      g_string_append_printf (result, "%s: %s", pen_element_error_get_reason (error),
                              error->message);
      return g_string_free (result, FALSE);
    }
  g_assert_no_error (error);
  if (converted != NULL)
    {
      gsize n_converted;
      const char *data = g_bytes_get_data (converted, &n_converted);

      g_assert_true (pen_json_validate (data, n_converted, NULL));
      g_string_append_len (result, data, (gssize) n_converted);
    }
  else
    g_string_append (result, "empty");
  if (pen_ammp_payload_get_n_conflicts (payload) > 0)
    g_string_append_printf (result, "\nconflicts: %u", pen_ammp_payload_get_n_conflicts (payload));
  for (guint i = 0; i < pen_ammp_payload_get_n_skipped (payload); i++)
    {
      g_autofree char *description = pen_ammp_payload_describe_skip (payload, i);

      g_string_append_printf (result, "\n%s: %s", pen_ammp_payload_get_skip_reason (payload, i),
                              description);
    }
  return g_string_free (result, FALSE);
}

/* All in the same memory, as a transform does, and each also with fresh memory. */
static void
test_payload_check (const PayloadCase *cases, guint n_cases, PenAmmpMissingVid missing_vid)
{
  g_autoptr (PenAmmpPayload) payload = pen_ammp_payload_new ();

  for (guint i = 0; i < n_cases; i++)
    {
      gsize length = strlen (cases[i].text);
      g_autoptr (PenAmmpPayload) fresh = pen_ammp_payload_new ();
      g_autofree char *result = test_payload_convert (payload, cases[i].text, length, missing_vid);
      g_autofree char *again = test_payload_convert (fresh, cases[i].text, length, missing_vid);

      g_test_message ("case %u", i);
      g_assert_cmpstr (result, ==, cases[i].expected);
      g_assert_cmpstr (again, ==, cases[i].expected);
    }
}

static void
test_payload_reference (void)
{
  static const PayloadCase cases[] = {
    /* As loggers send it, on one line, and laid out by hand. */
    { "{\"t\":1625576100,\"r\":[{\"_d\":\"logger\",\"_vid\":\"gate-1\",\"boot_time\":1625563315,"
      "\"cpu_load\":0.06},{\"_d\":\"board\",\"_vid\":\"gate-1\",\"cpu_temp\":60.148},"
      "{\"_d\":\"tank\",\"_vid\":\"tank-1\",\"level\":5.670797228813171e-1,\"litres\":null},"
      "{\"_d\":\"dse\",\"_vid\":\"dse-1\",\"E\":86744200,\"V_L3\":229.70000000000002,\"mode\":"
      "\"auto\\u0020\",\"on\":true}],\"m\":{\"snap_rev\":670,\"x\":[1,2]}}",
      "{\"time\":\"2021-07-06T12:55:00+00:00\",\"data\":{\"gate-1\":{\"boot_time\":1625563315,"
      "\"cpu_load\":0.06,\"cpu_temp\":60.148},\"tank-1\":{\"level\":5.670797228813171e-1},"
      "\"dse-1\":{\"E\":86744200,\"V_L3\":229.70000000000002,\"mode\":\"auto\\u0020\",\"on\":"
      "true}}}" },
    { "{\n  \"t\": 1625576100,\n  \"r\": [\n    {\"_d\" : \"logger\", \"_vid\": \"gate-1\", "
      "\"boot_time\" :1625563315,\n\t \"cpu_load\": 0.06 },\r\n {\"_vid\":\"b\",\"x\": 1 "
      ",\"y\":2}\n"
      "]\n}\n",
      "{\"time\":\"2021-07-06T12:55:00+00:00\",\"data\":{\"gate-1\":{\"boot_time\":1625563315,"
      "\"cpu_load\":0.06},\"b\":{\"x\":1,\"y\":2}}}" },
  };

  test_payload_check (cases, G_N_ELEMENTS (cases), PEN_AMMP_MISSING_VID_SKIP);
}

static void
test_payload_keeps_values (void)
{
  static const char *const values[] = {
    "229.70000000000002",
    "17.2",
    "0.06",
    "50.0",
    "1e3",
    "-0",
    "18446744073709551616",
    "0.1234567890123456789012345678901234567890",
    "1e400",
    "true",
    "false",
    "\"\"",
    "\"\\u0041\\/\\n\xc3\xa9\"",
    "\"a string that is a good deal longer than what is copied as one piece of memory\"",
    "[]",
    "{}",
    "[ 1, null ,{\"_a\" : null}, \"x\" ]",
    "{ \"a\" : { \"_vid\":\"b\" } }",
  };

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autofree char *text = g_strdup_printf (READINGS ("{\"_vid\":\"a\",\"x\":%s,\"y\" : %s }"),
                                               values[i], values[i]);
      g_autofree char *expected
          = g_strdup_printf (DATA ("\"a\":{\"x\":%s,\"y\":%s}"), values[i], values[i]);
      PayloadCase payload_case = { text, expected };

      test_payload_check (&payload_case, 1, PEN_AMMP_MISSING_VID_SKIP);
    }
}

static void
test_payload_chooses_fields (void)
{
  static const PayloadCase cases[] = {
    { READINGS ("{\"_vid\":\"a\",\"x\":1,\"_s\":[{\"c\":1}],\"_\":2,\"__x\":3,\"y\":null}"),
      DATA ("\"a\":{\"x\":1}") },
    /* Fields before the vendor ID, a field without a name, a field called like the internals. */
    { READINGS ("{\"x\":1,\"\":2,\"vid\":3,\"_vid\":\"a\",\"d\":4}"),
      DATA ("\"a\":{\"x\":1,\"\":2,\"vid\":3,\"d\":4}") },
    /* Keys with escapes are compared by what they mean, and written as they came. */
    { READINGS ("{\"_v\\u0069d\":\"a\",\"\\u005fd\":1,\"\\u005f\":2,\"x\\u0079\":3,\"\\\"\":4}"),
      DATA ("\"a\":{\"x\\u0079\":3,\"\\\"\":4}") },
    { "{\"\\u0074\":0,\"\\u0072\":[{\"_vid\":\"a\",\"x\":1}]}", DATA ("\"a\":{\"x\":1}") },
    /* What else there is at the top does not matter. */
    { "{\"a\":[{}],\"t\":0,\"tt\":1,\"\":2,\"r\":[{\"_vid\":\"a\",\"x\":1}],\"m\":null,\"T\":[]}",
      DATA ("\"a\":{\"x\":1}") },
    { "{\"r\":[{\"_vid\":\"a\",\"x\":1}],\"t\":0}", DATA ("\"a\":{\"x\":1}") },
  };

  test_payload_check (cases, G_N_ELEMENTS (cases), PEN_AMMP_MISSING_VID_SKIP);
}

static void
test_payload_merges (void)
{
  static const PayloadCase cases[] = {
    /* In the order in which vendor IDs and fields are first seen. */
    { READINGS ("{\"_vid\":\"b\",\"z\":1},{\"_vid\":\"a\",\"z\":2},{\"_vid\":\"b\",\"a\":3},"
                "{\"_vid\":\"c\",\"z\":4},{\"_vid\":\"b\",\"b\":5}"),
      DATA ("\"b\":{\"z\":1,\"a\":3,\"b\":5},\"a\":{\"z\":2},\"c\":{\"z\":4}") },
    /* The last value at the place of the first. */
    { READINGS ("{\"_vid\":\"a\",\"x\":1,\"y\":2,\"x\":3.0,\"z\":4}"),
      DATA ("\"a\":{\"x\":3.0,\"y\":2,\"z\":4}") "\nconflicts: 1" },
    { READINGS ("{\"_vid\":\"a\",\"x\":1,\"x\":\"long\",\"z\":4}"),
      DATA ("\"a\":{\"x\":\"long\",\"z\":4}") "\nconflicts: 1" },
    { READINGS ("{\"_vid\":\"a\",\"x\":1,\"y\":2},{\"_vid\":\"b\",\"x\":9},"
                "{\"_vid\":\"a\",\"y\":3,\"x\":[4],\"z\":5}"),
      DATA ("\"a\":{\"x\":[4],\"y\":3,\"z\":5},\"b\":{\"x\":9}") "\nconflicts: 2" },
    { READINGS ("{\"_vid\":\"a\",\"x\":1},{\"_vid\":\"a\",\"x\":2},{\"_vid\":\"a\",\"x\":3}"),
      DATA ("\"a\":{\"x\":3}") "\nconflicts: 2" },
    /* A later null takes nothing away; an earlier one is no first place. */
    { READINGS ("{\"_vid\":\"a\",\"x\":1,\"x\":null},{\"_vid\":\"a\",\"x\":null}"),
      DATA ("\"a\":{\"x\":1}") },
    { READINGS ("{\"_vid\":\"a\",\"x\":null,\"y\":1,\"x\":2}"), DATA ("\"a\":{\"y\":1,\"x\":2}") },
    /* Keys and vendor IDs by what they mean, written as they were first seen. */
    { READINGS ("{\"_vid\":\"a\\u0062\",\"x\\u0079\":1},{\"_vid\":\"ab\",\"xy\":2}"),
      DATA ("\"a\\u0062\":{\"x\\u0079\":2}") "\nconflicts: 1" },
    { READINGS ("{\"_vid\":\"ab\",\"a key of more than sixteen letters\":1},"
                "{\"_vid\":\"\\u0061b\",\"a key of more than sixteen \\u006cetters\":2}"),
      DATA ("\"ab\":{\"a key of more than sixteen letters\":2}") "\nconflicts: 1" },
    { READINGS ("{\"_vid\":\"a\",\"x\":1,\"x\\u0000\":2,\"x\\u0000\\u0000\":3}"),
      DATA ("\"a\":{\"x\":1,\"x\\u0000\":2,\"x\\u0000\\u0000\":3}") },
    /* Of two, the last one counts, whatever it is. */
    { READINGS ("{\"_vid\":\"a\",\"x\":1,\"_vid\":\"b\"}"), DATA ("\"b\":{\"x\":1}") },
    { READINGS ("{\"_vid\":\"a\",\"x\":1,\"_v\\u0069d\":null}"),
      "empty\nreading_no_vid: r[0] has a _vid that is null, not a string, and no _d" },
    { "{\"t\":5,\"r\":[{\"_vid\":\"a\",\"x\":1},3],\"\\u0074\":0,\"r\":[{\"_vid\":\"a\",\"y\":2}]}",
      DATA ("\"a\":{\"y\":2}") },
    { "{\"t\":\"x\",\"r\":[{\"_vid\":\"a\",\"x\":1},3],\"t\":0,\"r\":[]}", "empty" },
    /* A vendor ID of which no field is left does not appear, but holds its place. */
    { READINGS ("{\"_vid\":\"a\"},{\"_vid\":\"b\",\"x\":null},{\"_vid\":\"c\",\"x\":1}"),
      DATA ("\"c\":{\"x\":1}") },
    { READINGS ("{\"_vid\":\"a\"},{\"_vid\":\"b\",\"x\":1},{\"_vid\":\"a\",\"x\":2}"),
      DATA ("\"a\":{\"x\":2},\"b\":{\"x\":1}") },
    { READINGS (""), "empty" },
    { READINGS ("{\"_vid\":\"a\",\"x\":null}"), "empty" },
  };

  test_payload_check (cases, G_N_ELEMENTS (cases), PEN_AMMP_MISSING_VID_SKIP);
}

static void
test_payload_skips_readings (void)
{
  static const PayloadCase cases[] = {
    { READINGS ("1,{\"_vid\":\"a\",\"x\":1},null,\"x\",[{\"_vid\":\"b\",\"x\":1}],true"),
      DATA ("\"a\":{\"x\":1}") "\nreading_not_object: r[0] is a number, not an object"
                               "\nreading_not_object: r[2] is null, not an object"
                               "\nreading_not_object: r[3] is a string, not an object"
                               "\nreading_not_object: r[4] is an array, not an object"
                               "\nreading_not_object: r[5] is true, not an object" },
    { READINGS ("{\"x\":1},{\"_vid\":null,\"_d\":\"d\"},{\"_vid\":\"\",\"_d\":\"d\"},{\"_vid\":5},"
                "{\"_vid\":[\"a\"]},{\"_vid\":{}},{\"_vid\":false,\"_d\":\"\"},"
                "{\"x\":2,\"_vid\":\"a\"}"),
      DATA ("\"a\":{\"x\":2}") "\nreading_no_vid: r[0] has no _vid, and no _d"
                               "\nreading_no_vid: r[1] (device \"d\") has a _vid that is null, "
                               "not a string"
                               "\nreading_no_vid: r[2] (device \"d\") has an empty _vid"
                               "\nreading_no_vid: r[3] has a _vid that is a number, not a string, "
                               "and no _d"
                               "\nreading_no_vid: r[4] has a _vid that is an array, not a string, "
                               "and no _d"
                               "\nreading_no_vid: r[5] has a _vid that is an object, not a string, "
                               "and no _d"
                               "\nreading_no_vid: r[6] (device \"\") has a _vid that is false, "
                               "not a string" },
    { READINGS ("{},3"), "empty\nreading_no_vid: r[0] has no _vid, and no _d"
                         "\nreading_not_object: r[1] is a number, not an object" },
    /* A device key is shown up to a whole character. */
    { READINGS ("{\"_d\":\"a device key that is as long as nobody should ever have made a"
                "\xe2\x82\xac\xe2\x82\xac\"}"),
      "empty\nreading_no_vid: r[0] (device \"a device key that is as long as nobody should ever "
      "have made a…) has no _vid" },
  };

  test_payload_check (cases, G_N_ELEMENTS (cases), PEN_AMMP_MISSING_VID_SKIP);
}

static void
test_payload_takes_devices (void)
{
  static const PayloadCase cases[] = {
    { READINGS ("{\"_d\":\"d\",\"x\":1},{\"_vid\":\"\",\"_d\":\"e\",\"x\":2},"
                "{\"_vid\":\"v\",\"_d\":\"f\",\"x\":3},{\"_vid\":\"d\",\"y\":4}"),
      DATA ("\"d\":{\"x\":1,\"y\":4},\"e\":{\"x\":2},\"v\":{\"x\":3}") },
    { READINGS ("{\"_d\":\"d\",\"x\":1,\"\\u005fd\":\"e\"}"), DATA ("\"e\":{\"x\":1}") },
    { READINGS ("{\"_d\":\"\",\"x\":1},{\"_d\":5,\"x\":2},{\"x\":3},{\"_d\":\"d\",\"_d\":null}"),
      "empty\nreading_no_vid: r[0] (device \"\") has no _vid"
      "\nreading_no_vid: r[1] has no _vid, and no _d"
      "\nreading_no_vid: r[2] has no _vid, and no _d"
      "\nreading_no_vid: r[3] has no _vid, and no _d" },
  };

  test_payload_check (cases, G_N_ELEMENTS (cases), PEN_AMMP_MISSING_VID_DEVICE);
}

static void
test_payload_rejects_without_vid (void)
{
  static const PayloadCase cases[] = {
    { READINGS ("{\"_vid\":\"a\",\"x\":1}"), DATA ("\"a\":{\"x\":1}") },
    { READINGS ("3,{\"_vid\":\"a\",\"x\":1}"),
      DATA ("\"a\":{\"x\":1}") "\nreading_not_object: r[0] is a number, not an object" },
    { READINGS ("3,{\"_vid\":\"a\",\"x\":1},{\"_d\":\"d\"},{\"_vid\":3}"),
      "reading_no_vid: r[2] (device \"d\") has no _vid" },
    { "{\"t\":0,\"r\":[{}],\"r\":[{\"_vid\":\"a\",\"x\":1}]}", DATA ("\"a\":{\"x\":1}") },
    /* Faults of the rows above come first. */
    { "{\"t\":null,\"r\":[{}]}", "bad_timestamp: t is null, not a number" },
  };

  test_payload_check (cases, G_N_ELEMENTS (cases), PEN_AMMP_MISSING_VID_REJECT);
}

static void
test_payload_rejects (void)
{
  static const PayloadCase cases[] = {
    { "", "invalid_json: invalid JSON at byte offset 0: the text ends, expected a value" },
    { " \n", "invalid_json: invalid JSON at byte offset 2: the text ends, expected a value" },
    { "\xef\xbb\xbf{}",
      "invalid_json: invalid JSON at byte offset 0: found a byte order mark, expected a value" },
    { "{\"t\":0,\"r\":[{\"_vid\":\"a\",\"x\":1}]",
      "invalid_json: invalid JSON at byte offset 31: the text ends, expected ',' or '}'" },
    { READINGS ("{\"_vid\":\"a\",\"x\":NaN}"),
      "invalid_json: invalid JSON at byte offset 28: found 'N', expected a value" },
    { READINGS ("{\"_vid\":\"a\",\"x\":01}"),
      "invalid_json: invalid JSON at byte offset 29: found '1', expected ',' or '}'" },
    { READINGS ("{\"_vid\":\"a\",\"x\":1}") "x",
      "invalid_json: invalid JSON at byte offset 32: found 'x', expected nothing after the value" },
    /* Also in what is thrown away. */
    { READINGS ("{\"_vid\":\"a\",\"_s\":[\"\xff\"]}"),
      "invalid_json: invalid JSON at byte offset 31: found byte 0xff, expected UTF-8" },
    { "{\"m\":{\"a\":\"\\ud800\"}}", "invalid_json: invalid JSON at byte offset 17: found '\"', "
                                     "expected a low surrogate escape after the high one" },
    { "{\"m\":\"\t\"}", "invalid_json: invalid JSON at byte offset 6: found byte 0x09, expected an "
                        "escape for a control character" },
    { "[{\"a\":1]", "invalid_json: invalid JSON at byte offset 7: found ']', expected ',' or '}'" },
    { "[]", "not_object: the payload is an array, not an object" },
    { " null ", "not_object: the payload is null, not an object" },
    { "\"{}\"", "not_object: the payload is a string, not an object" },
    { "1", "not_object: the payload is a number, not an object" },
    { "{}", "bad_timestamp: t is missing" },
    { "{\"r\":[]}", "bad_timestamp: t is missing" },
    { "{\"t\":null,\"r\":[]}", "bad_timestamp: t is null, not a number" },
    { "{\"t\":true,\"r\":[]}", "bad_timestamp: t is true, not a number" },
    { "{\"t\":[0],\"r\":[]}", "bad_timestamp: t is an array, not a number" },
    { "{\"t\":{},\"r\":[]}", "bad_timestamp: t is an object, not a number" },
    { "{\"t\":\"1625576100\",\"r\":[]}",
      "bad_timestamp: t is the string \"1625576100\", not a number" },
    { "{\"t\":0,\"r\":[],\"t\":null}", "bad_timestamp: t is null, not a number" },
    { "{\"t\":1625576100000,\"r\":5}",
      "bad_timestamp: t is 1625576100000: outside years 1 to 9999; are these milliseconds?" },
    { "{\"t\":0}", "bad_readings: r is missing" },
    { "{\"t\":0,\"r\":null}", "bad_readings: r is null, not an array" },
    { "{\"t\":0,\"r\":{\"_vid\":\"a\"}}", "bad_readings: r is an object, not an array" },
    { "{\"t\":0,\"r\":[{\"_vid\":\"a\",\"x\":1}],\"r\":7}",
      "bad_readings: r is a number, not an array" },
  };

  test_payload_check (cases, G_N_ELEMENTS (cases), PEN_AMMP_MISSING_VID_SKIP);
}

static void
test_payload_bounds_depth (void)
{
  g_autofree char *opening = g_strnfill (61, '[');
  g_autofree char *closing = g_strnfill (61, ']');
  g_autofree char *allowed
      = g_strdup_printf (READINGS ("{\"_vid\":\"a\",\"x\":%s%s}"), opening, closing);
  g_autofree char *expected = g_strdup_printf (DATA ("\"a\":{\"x\":%s%s}"), opening, closing);
  g_autofree char *too_deep
      = g_strdup_printf (READINGS ("{\"_vid\":\"a\",\"x\":[%s%s]},x"), opening, closing);
  g_autofree char *invalid_first = g_strdup_printf ("{\"t\":x,\"m\":[[[%s%s]]]}", opening, closing);
  PayloadCase cases[] = {
    { allowed, expected },
    { too_deep, "too_deep: JSON is nested deeper than 64 levels at byte offset 89" },
    { invalid_first, "invalid_json: invalid JSON at byte offset 5: found 'x', expected a value" },
  };

  test_payload_check (cases, G_N_ELEMENTS (cases), PEN_AMMP_MISSING_VID_SKIP);
}

typedef void (*AppendItem) (GString *text, guint i);

static void
test_payload_append_vendor (GString *text, guint i)
{
  g_string_append_printf (text, "%s{\"_vid\":\"%x\",\"x\":1}", i > 0 ? "," : "", i);
}

static void
test_payload_append_field (GString *text, guint i)
{
  g_string_append_printf (text, ",\"%x\":1", i);
}

/* Every field a second time, so that each is looked for among all. */
static void
test_payload_append_duplicate (GString *text, guint i)
{
  g_string_append_printf (text, ",\"%x\":%u", i % 50000, i < 50000 ? 1 : 2);
}

static void
test_payload_append_escaped (GString *text, guint i)
{
  g_string_append_printf (text, ",\"\\u%04x\\u%04x\":1", 0x100 + i / 256, 0x100 + i % 256);
}

static gdouble
test_payload_time_items (const char *before,
                         AppendItem append,
                         guint n_items,
                         const char *after,
                         guint n_expected)
{
  g_autoptr (PenAmmpPayload) payload = pen_ammp_payload_new ();
  g_autoptr (GString) text = g_string_new (before);
  g_autoptr (GBytes) converted = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GTimer) timer = NULL;
  const char *data;
  gsize length;
  guint n_found = 0;
  gdouble elapsed;

  for (guint i = 0; i < n_items; i++)
    append (text, i);
  g_string_append (text, after);
  timer = g_timer_new ();
  g_assert_true (pen_ammp_payload_convert (payload, text->str, text->len, PEN_AMMP_MISSING_VID_SKIP,
                                           &converted, &error));
  elapsed = g_timer_elapsed (timer, NULL);
  g_assert_no_error (error);
  data = g_bytes_get_data (converted, &length);
  g_assert_true (pen_json_validate (data, length, NULL));
  for (gsize i = 0; i < length; i++)
    n_found += data[i] == ':';
  g_assert_cmpuint (n_found, ==, n_expected);
  return elapsed;
}

/* A quadratic cost would take minutes; the bound leaves room for valgrind and slow machines. */
static void
test_payload_cost_is_linear (void)
{
  gdouble elapsed = 0;
  const guint around = 6; /* colons that are not of the items, those of the time included */

  elapsed += test_payload_time_items ("{\"t\":0,\"r\":[", test_payload_append_vendor, 100000, "]}",
                                      5 + 2 * 100000);
  elapsed += test_payload_time_items ("{\"t\":0,\"r\":[{\"_vid\":\"a\"", test_payload_append_field,
                                      100000, "}]}", around + 100000);
  elapsed += test_payload_time_items ("{\"t\":0,\"r\":[{\"_vid\":\"a\"",
                                      test_payload_append_duplicate, 100000, "}]}", around + 50000);
  elapsed += test_payload_time_items ("{\"t\":0,\"r\":[{\"_vid\":\"a\"",
                                      test_payload_append_escaped, 50000, "}]}", around + 50000);
  g_test_message ("%.3f s", elapsed);
  g_assert_cmpfloat (elapsed, <, 20);
}

/* Small payloads after a large one are right, and right again. */
static void
test_payload_reuses_memory (void)
{
  g_autoptr (PenAmmpPayload) payload = pen_ammp_payload_new ();

  for (guint n_items = 1; n_items < 100000; n_items = n_items * 5 + 1)
    {
      g_autoptr (GString) text = g_string_new ("{\"t\":0,\"r\":[");
      const char *small = READINGS ("{\"_vid\":\"0\",\"x\":1},7");
      g_autofree char *result = NULL;
      g_autofree char *again = NULL;

      for (guint i = 0; i < n_items; i++)
        test_payload_append_vendor (text, i);
      g_string_append (text, ",9]}");
      result = test_payload_convert (payload, text->str, text->len, PEN_AMMP_MISSING_VID_SKIP);
      g_assert_true (g_str_has_prefix (result, "{\"time\":\"1970-01-01T00:00:00+00:00\",\"data\":{"
                                               "\"0\":{\"x\":1}"));
      again = test_payload_convert (payload, small, strlen (small), PEN_AMMP_MISSING_VID_SKIP);
      g_assert_cmpstr (
          again, ==,
          DATA ("\"0\":{\"x\":1}") "\nreading_not_object: r[1] is a number, not an object");
    }
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/ammp-payload/reference", test_payload_reference);
  g_test_add_func ("/ammp-payload/keeps-values", test_payload_keeps_values);
  g_test_add_func ("/ammp-payload/chooses-fields", test_payload_chooses_fields);
  g_test_add_func ("/ammp-payload/merges", test_payload_merges);
  g_test_add_func ("/ammp-payload/skips-readings", test_payload_skips_readings);
  g_test_add_func ("/ammp-payload/takes-devices", test_payload_takes_devices);
  g_test_add_func ("/ammp-payload/rejects-without-vid", test_payload_rejects_without_vid);
  g_test_add_func ("/ammp-payload/rejects", test_payload_rejects);
  g_test_add_func ("/ammp-payload/bounds-depth", test_payload_bounds_depth);
  g_test_add_func ("/ammp-payload/cost-is-linear", test_payload_cost_is_linear);
  g_test_add_func ("/ammp-payload/reuses-memory", test_payload_reuses_memory);
  return g_test_run ();
}
