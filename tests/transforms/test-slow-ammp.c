/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The AMMP transform that other tests take for the truth, held against the rows of its table as
 * they are written, one example each.
 */

#include "config.h"

#include <string.h>

#include "pen-slow-ammp.h"
#include "pen-test.h"

/* @expected begins with '!' for a rejection; the reasons of skipped readings follow after a '+'. */
static void
test_slow_ammp_check (PenSlowMissingVid missing_vid, const char *payload, const char *expected)
{
  g_autoptr (PenSlowAmmp) ammp = pen_slow_ammp_new (payload, strlen (payload), missing_vid);
  g_autoptr (GString) actual = g_string_new (NULL);

  if (ammp->rejected != NULL)
    g_string_printf (actual, "!%s", ammp->rejected);
  else
    g_string_assign (actual, ammp->text != NULL ? ammp->text->str : "");
  for (guint i = 0; i < ammp->skipped->len; i++)
    g_string_append_printf (actual, "+%s", (const char *) ammp->skipped->pdata[i]);
  g_assert_cmpstr (actual->str, ==, expected);
}

static void
test_slow_ammp_forwards (void)
{
  static const struct
  {
    const char *payload, *expected;
  } cases[] = {
    { "{\"t\":0,\"r\":[{\"_vid\":\"v\",\"_d\":\"d\",\"a\":1.50,\"n\":null,\"s\":\"x\\n\"}],\"m\":{}"
      "}",
      "{\"time\":\"1970-01-01T00:00:00+00:00\",\"data\":{\"v\":{\"a\":1.50,\"s\":\"x\\n\"}}}" },
    { "{\"t\":0,\"r\":[{\"_vid\":\"v\",\"a\":1},{\"_vid\":\"w\",\"a\":2},{\"_vid\":\"v\",\"b\":3}]"
      "}",
      "{\"time\":\"1970-01-01T00:00:00+00:00\",\"data\":{\"v\":{\"a\":1,\"b\":3},\"w\":{\"a\":2}}"
      "}" },
    { "{\"t\":0,\"r\":[{\"_vid\":\"v\",\"a\":1,\"b\":2,\"\\u0061\":3,\"b\":null}]}",
      "{\"time\":\"1970-01-01T00:00:00+00:00\",\"data\":{\"v\":{\"a\":3,\"b\":2}}}" },
    { "{\"t\":0,\"t\":1,\"r\":7,\"r\":[{\"_v\\u0069d\":\"v\",\"_vid\":\"w\",\"a\":[ 1, null ]}]}",
      "{\"time\":\"1970-01-01T00:00:01+00:00\",\"data\":{\"w\":{\"a\":[ 1, null ]}}}" },
    { "{\"t\":0,\"r\":[{\"_vid\":\"v\"},{\"_vid\":\"w\",\"a\":1},{\"_vid\":\"v\",\"a\":2}]}",
      "{\"time\":\"1970-01-01T00:00:00+00:00\",\"data\":{\"v\":{\"a\":2},\"w\":{\"a\":1}}}" },
    { "{\"t\":0,\"r\":[{\"_vid\":\"v\",\"\\u005fd\":1,\"_s\":2,\"\":3}]}",
      "{\"time\":\"1970-01-01T00:00:00+00:00\",\"data\":{\"v\":{\"\":3}}}" },
    { "{\"t\":0,\"r\":[1,{\"a\":2},{\"_vid\":\"\",\"a\":1},{\"_vid\":\"v\",\"a\":3}]}",
      "{\"time\":\"1970-01-01T00:00:00+00:00\",\"data\":{\"v\":{\"a\":3}}}"
      "+reading_not_object+reading_no_vid+reading_no_vid" },
    { "{\"t\":0,\"r\":[{\"_vid\":\"v\",\"a\":null}]}", "" },
    { "{\"t\":0,\"r\":[]}", "" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    test_slow_ammp_check (PEN_SLOW_AMMP_SKIP, cases[i].payload, cases[i].expected);
}

static void
test_slow_ammp_rejects (void)
{
  static const struct
  {
    const char *payload, *expected;
  } cases[] = {
    { "", "!invalid_json" },
    { "[", "!invalid_json" },
    { "[]", "!not_object" },
    { "{\"t\":\"0\",\"r\":7}", "!bad_timestamp" },
    { "{\"r\":[]}", "!bad_timestamp" },
    { "{\"t\":0,\"t\":null,\"r\":[]}", "!bad_timestamp" },
    { "{\"t\":1625576100000,\"r\":[]}", "!bad_timestamp" },
    { "{\"t\":0}", "!bad_readings" },
    { "{\"t\":0,\"r\":{}}", "!bad_readings" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    test_slow_ammp_check (PEN_SLOW_AMMP_SKIP, cases[i].payload, cases[i].expected);
}

static void
test_slow_ammp_misses_vendor_ids (void)
{
  const char *payload = "{\"t\":0,\"r\":[{\"_d\":\"dse\",\"a\":1},{\"_vid\":\"v\",\"a\":2}]}";

  test_slow_ammp_check (PEN_SLOW_AMMP_SKIP, payload,
                        "{\"time\":\"1970-01-01T00:00:00+00:00\",\"data\":{\"v\":{\"a\":2}}}"
                        "+reading_no_vid");
  test_slow_ammp_check (PEN_SLOW_AMMP_DEVICE, payload,
                        "{\"time\":\"1970-01-01T00:00:00+00:00\",\"data\":{\"dse\":{\"a\":1},"
                        "\"v\":{\"a\":2}}}");
  test_slow_ammp_check (PEN_SLOW_AMMP_REJECT, payload, "!reading_no_vid");
}

static void
test_slow_ammp_counts_conflicts (void)
{
  const char *payload = "{\"t\":0,\"r\":[{\"_vid\":\"v\",\"a\":1,\"a\":1},{\"_vid\":\"v\",\"a\":2,"
                        "\"a\":null},{\"_vid\":\"w\",\"a\":2}]}";
  g_autoptr (PenSlowAmmp) ammp = pen_slow_ammp_new (payload, strlen (payload), PEN_SLOW_AMMP_SKIP);

  g_assert_cmpuint (ammp->n_conflicts, ==, 2);
}

static void
test_slow_ammp_time (void)
{
  static const struct
  {
    const char *number, *time;
  } cases[] = {
    { "1625576100", "2021-07-06T12:55:00+00:00" },
    { "1625576100.0", "2021-07-06T12:55:00+00:00" },
    { "1625576100.250", "2021-07-06T12:55:00.25+00:00" },
    { "1.6255761e9", "2021-07-06T12:55:00+00:00" },
    { "16255761E+2", "2021-07-06T12:55:00+00:00" },
    { "0.1234567899", "1970-01-01T00:00:00.123456789+00:00" },
    { "-0", "1970-01-01T00:00:00+00:00" },
    { "-1", "1969-12-31T23:59:59+00:00" },
    { "-0.25", "1969-12-31T23:59:59.75+00:00" },
    { "-1e-400", "1969-12-31T23:59:59.999999999+00:00" },
    { "-0.9999999999", "1969-12-31T23:59:59+00:00" },
    { "-62135596800", "0001-01-01T00:00:00+00:00" },
    { "-62135596800.0000000001", NULL },
    { "-62135596801", NULL },
    { "253402300799.9999999999", "9999-12-31T23:59:59.999999999+00:00" },
    { "253402300800", NULL },
    { "1e400", NULL },
    { "-1e99999999999999999999", NULL },
    { "0e99999999999999999999", "1970-01-01T00:00:00+00:00" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *time = pen_slow_ammp_time (cases[i].number, strlen (cases[i].number));

      g_assert_cmpstr (time, ==, cases[i].time);
    }
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/slow-ammp/forwards", test_slow_ammp_forwards);
  g_test_add_func ("/slow-ammp/rejects", test_slow_ammp_rejects);
  g_test_add_func ("/slow-ammp/misses-vendor-ids", test_slow_ammp_misses_vendor_ids);
  g_test_add_func ("/slow-ammp/counts-conflicts", test_slow_ammp_counts_conflicts);
  g_test_add_func ("/slow-ammp/time", test_slow_ammp_time);
  return g_test_run ();
}
