/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fields, generators, templates and items: what they make, and what is said of wrong ones.
 */

#include "config.h"

#include "pen-simulate-model.h"
#include "pen-simulate-random.h"
#include "pen-test.h"

#include <string.h>

/* 2026-06-01T00:00:00Z */
#define DAY_US (G_GINT64_CONSTANT (1780272000) * G_USEC_PER_SEC)

/* A model of fields separated by '|'. */
static PenSimulateModel *
test_make_model (const char *fields,
                 const char *template,
                 PenSimulateItems *items,
                 const char **property,
                 GError **error)
{
  g_auto (GStrv) list = g_strsplit (fields, "|", -1);
  PenSimulateSettings settings = {
    .fields = (const char *const *) list,
    .template = template,
    .is_json = TRUE,
    .has_items = items != NULL,
  };
  g_autoptr (PenSimulateModel) model = pen_simulate_model_new (&settings, property, error);

  if (model == NULL || !pen_simulate_model_begin (model, items, 1, property, error))
    return NULL;
  return g_steal_pointer (&model);
}

static char *
test_make_payload (PenSimulateModel *model, guint index, gint64 time_us)
{
  g_autoptr (PenEvent) event = pen_simulate_model_make (model, index, time_us);
  gsize length;
  const char *data = pen_event_get_data (event, &length);

  return g_strndup (data, length);
}

#define test_assert_makes(model, index, time_us, expected)                                         \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *payload_ = test_make_payload ((model), (index), (time_us));                   \
    g_assert_cmpstr (payload_, ==, (expected));                                                    \
  }                                                                                                \
  G_STMT_END

/* The number that the only field of @model makes next. */
static double
test_make_number (PenSimulateModel *model, gint64 time_us)
{
  g_autofree char *payload = test_make_payload (model, 0, time_us);

  return g_ascii_strtod (payload + strlen ("{\"a\":"), NULL);
}

static PenSimulateModel *
test_make_field (const char *field)
{
  g_autoptr (GError) error = NULL;
  const char *property;
  PenSimulateModel *model = test_make_model (field, NULL, NULL, &property, &error);

  g_assert_no_error (error);
  return model;
}

/* Of the algorithm's reference implementation for the state 1, 2, 3, 4. */
static void
test_model_random (void)
{
  PenSimulateRandom random = { { 1, 2, 3, 4 } };
  gint64 seen = 0;

  g_assert_cmpuint (pen_simulate_random_next (&random), ==, 11520);
  g_assert_cmpuint (pen_simulate_random_next (&random), ==, 0);
  g_assert_cmpuint (pen_simulate_random_next (&random), ==, 1509978240);
  pen_simulate_random_init (&random, 1, "");
  for (guint i = 0; i < 1000; i++)
    {
      gint64 value = pen_simulate_random_get_between (&random, -3, 3);
      double unit = pen_simulate_random_get_unit (&random);

      g_assert_true (value >= -3 && value <= 3 && unit >= 0 && unit < 1);
      seen |= G_GINT64_CONSTANT (1) << (value + 3);
    }
  g_assert_cmpint (seen, ==, 127);
  g_assert_cmpint (pen_simulate_random_get_between (&random, 5, 5), ==, 5);
  pen_simulate_random_get_between (&random, G_MININT64, G_MAXINT64);
}

static void
test_model_forms (void)
{
  static const struct
  {
    const char *fields;
    const char *expected;
  } cases[] = {
    { "a=counter", "{\"a\":1}" },
    { "a = counter ( 7 , step = 2 ) ", "{\"a\":7}" },
    { "a=integer(5,5)", "{\"a\":5}" },
    { "a=integer(-9223372036854775808,-9223372036854775808)", "{\"a\":-9223372036854775808}" },
    { "a=decimal(-0.5,-0.5,1)", "{\"a\":-0.5}" },
    { "a=decimal(21.5,21.5)", "{\"a\":21.50}" },
    { "a=decimal(3,3,digits=0)", "{\"a\":3}" },
    { "a=choice(x)", "{\"a\":\"x\"}" },
    { "a=text(\"a, (b) 'c'\")", "{\"a\":\"a, (b) 'c'\"}" },
    { "a=text('say \"hi\" \\')", "{\"a\":\"say \\\"hi\\\" \\\\\"}" },
    { "a=sine(0,10,phase=6h)", "{\"a\":10.00}" },
    { "a=sine(0,10,digits=1,period=24h)", "{\"a\":5.0}" },
    { "a=solar(50)", "{\"a\":0.00}" },
    { "a=walk(0,10,1,digits=0)", "{\"a\":5}" },
    { "a=integer(29,29)|b=scaled(a,1.5)|c=scaled(a,factor=-2.5,offset=1)",
      "{\"a\":29,\"b\":43,\"c\":-71}" },
    { "a=time(epoch)|b=time(epoch-ms)|c=time(epoch-us)",
      "{\"a\":1780272000,\"b\":1780272000000,\"c\":1780272000000000}" },
    { "a=time|b=time(iso-naive)|c=time(%Y/%j)",
      "{\"a\":\"2026-06-01T00:00:00+00:00\",\"b\":\"2026-06-01T00:00:00\",\"c\":\"2026/152\"}" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PenSimulateModel) model = test_make_field (cases[i].fields);

      test_assert_makes (model, 0, DAY_US, cases[i].expected);
    }
}

static void
test_model_fraction (void)
{
  g_autoptr (PenSimulateModel) model
      = test_make_field ("a=time(iso)|b=time(iso-naive)|c=time(epoch)|d=time(epoch-ms)");

  test_assert_makes (model, 0, DAY_US + 123456,
                     "{\"a\":\"2026-06-01T00:00:00.123456+00:00\","
                     "\"b\":\"2026-06-01T00:00:00.123456\",\"c\":1780272000,\"d\":1780272000123}");
  test_assert_makes (model, 0, -1,
                     "{\"a\":\"1969-12-31T23:59:59.999999+00:00\","
                     "\"b\":\"1969-12-31T23:59:59.999999\",\"c\":-1,\"d\":-1}");
}

/* All values of a range come, and none beyond it. */
static void
test_model_ranges (void)
{
  g_autoptr (PenSimulateModel) integers = test_make_field ("a=integer(1,99)");
  g_autoptr (PenSimulateModel) decimals = test_make_field ("a=decimal(-1,1,digits=1)");
  g_autoptr (PenSimulateModel) walk = test_make_field ("a=walk(0,10,3)");
  g_autoptr (PenSimulateModel) counter = test_make_field ("a=counter(3,-2)");
  double lowest = 50;
  double highest = 50;
  double last = test_make_number (walk, 0);

  for (guint i = 0; i < 5000; i++)
    {
      double integer = test_make_number (integers, 0);
      double decimal = test_make_number (decimals, 0);
      double next = test_make_number (walk, 0);

      lowest = MIN (lowest, integer);
      highest = MAX (highest, integer);
      g_assert_true (decimal >= -1 && decimal <= 1);
      g_assert_true (next >= 0 && next <= 10 && ABS (next - last) < 3.0001);
      g_assert_cmpfloat (test_make_number (counter, 0), ==, 3 - 2 * (double) i);
      last = next;
    }
  g_assert_cmpfloat (lowest, ==, 1);
  g_assert_cmpfloat (highest, ==, 99);
}

static void
test_model_solar (void)
{
  g_autoptr (PenSimulateModel) clear = test_make_field ("a=solar(50,clouds=0,sunrise=5,sunset=19)");
  g_autoptr (PenSimulateModel) cloudy = test_make_field ("a=solar(50,0.5)");

  for (gint64 hour = 0; hour < 24; hour++)
    {
      double power = test_make_number (cloudy, DAY_US + hour * G_TIME_SPAN_HOUR);

      g_assert_true (hour > 6 && hour < 18 ? power > 0 && power <= 50 : power == 0);
    }
  g_assert_cmpfloat (test_make_number (clear, DAY_US + 12 * G_TIME_SPAN_HOUR), ==, 50);
  g_assert_cmpfloat (test_make_number (clear, DAY_US + 5 * G_TIME_SPAN_HOUR), ==, 0);
}

static void
test_model_template (void)
{
  g_autoptr (GError) error = NULL;
  const char *property;
  g_autoptr (PenSimulateModel) model = test_make_model (
      "n=integer(42,42)|e=time(epoch)|t=text('a\"b\xc3\xa9')",
      "{\"number\": {n}, \"epochtime\": \"{e}\", \"x\": {\"t\": {t}, \"u\": \"<{t}>\\\"{t}\"}, "
      "\"empty\": {}}",
      NULL, &property, &error);

  g_assert_no_error (error);
  test_assert_makes (
      model, 0, DAY_US,
      "{\"number\": 42, \"epochtime\": \"1780272000\", \"x\": {\"t\": "
      "\"a\\\"b\xc3\xa9\", \"u\": \"<a\\\"b\xc3\xa9>\\\"a\\\"b\xc3\xa9\"}, \"empty\": {}}");
}

static void
test_model_items (void)
{
  g_autofree char *folder = pen_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "items.json", NULL);
  g_autoptr (GError) error = NULL;
  const char *property;
  g_autoptr (PenSimulateModel) model = NULL;

  pen_test_write_file (
      folder, "items.json",
      "{\"1\": {\"lat\": 1.50, \"range\": [3, 3], \"name\": \"a \\\"b\\\"\", \"a.]\": 7},\n"
      " \"x\": {\"lat\": 10, \"range\": [4, 4], \"name\": \"c\", \"a.]\": 8}}");
  model = test_make_model ("v=integer({item.range[0]},{item.range[1]})|n=counter",
                           "{\"id\":\"{item}\",\"lat\":{item.lat},\"name\":{item.name},"
                           "\"in\":\"{item.name}\",\"r\":{item.range},\"last\":{item[\"range\"][-1]"
                           "},\"p\":{item[\"a.]\"]},\"v\":{v},\"n\":{n}}",
                           pen_simulate_items_load (path, NULL), &property, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (pen_simulate_model_get_n_items (model), ==, 2);
  test_assert_makes (model, 0, 0,
                     "{\"id\":\"1\",\"lat\":1.50,\"name\":\"a \\\"b\\\"\",\"in\":\"a \\\"b\\\"\","
                     "\"r\":[3, 3],\"last\":3,\"p\":7,\"v\":3,\"n\":1}");
  test_assert_makes (model, 1, 0,
                     "{\"id\":\"x\",\"lat\":10,\"name\":\"c\",\"in\":\"c\",\"r\":[4, "
                     "4],\"last\":4,\"p\":8,\"v\":4,\"n\":1}");
  pen_test_remove_folder (g_steal_pointer (&folder));
}

/* An entry's data does not depend on which others there are. */
static void
test_model_items_apart (void)
{
  g_autofree char *folder = pen_test_make_folder ();
  g_autofree char *one = g_build_filename (folder, "one.json", NULL);
  g_autofree char *two = g_build_filename (folder, "two.json", NULL);
  const char *property;
  g_autoptr (PenSimulateModel) few = NULL;
  g_autoptr (PenSimulateModel) many = NULL;

  pen_test_write_file (folder, "one.json", "{\"b\":1}");
  pen_test_write_file (folder, "two.json", "{\"a\":1,\"b\":1}");
  few = test_make_model ("v=integer(1,1000000)", NULL, pen_simulate_items_load (one, NULL),
                         &property, NULL);
  many = test_make_model ("v=integer(1,1000000)", NULL, pen_simulate_items_load (two, NULL),
                          &property, NULL);
  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *a = test_make_payload (many, 0, 0);
      g_autofree char *b = test_make_payload (many, 1, 0);

      test_assert_makes (few, 0, 0, b);
      g_assert_cmpstr (a, !=, b);
    }
  pen_test_remove_folder (g_steal_pointer (&folder));
}

static void
test_model_wrong_items (void)
{
  static const struct
  {
    const char *text;
    const char *fields;
    const char *expected;
  } cases[] = {
    { "{\"a\":", "v=counter", "*items.json' is not JSON: *" },
    { "3", "v=counter", "*items.json' holds neither an object nor an array of entries" },
    { "[]", "v=counter", "*items.json' has 0 entries; 1 to 10000 can be *" },
    { "{\"k\":{}}", "v=integer({item.range[0]},2)",
      "entry 'k' of '*' has nothing for '{item.range[0]}'" },
    { "{\"k\":{}}", "v=integer({item.range[x]},2)",
      "'{item.range[x]}': the path 'range[x]' cannot be read: at character 7 must be an index *" },
    { "{\"k\":{\"r\":\"x\"}}", "v=integer({item.r},2)",
      "'v=integer({item.r},2)', character 11: minimum: 'x' is no whole number" },
    { "[{\"r\":9}]", "v=integer({item.r},2)",
      "'v=integer({item.r},2)' for entry '1': the minimum 9 is above the maximum 2" },
  };
  g_autofree char *folder = pen_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "items.json", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      const char *property;
      PenSimulateItems *items;

      pen_test_write_file (folder, "items.json", cases[i].text);
      items = pen_simulate_items_load (path, &error);
      if (items != NULL)
        g_assert_null (test_make_model (cases[i].fields, NULL, items, &property, &error));
      g_assert_nonnull (error);
      if (!g_pattern_match_simple (cases[i].expected, error->message))
        g_error ("'%s' does not match '%s'", error->message, cases[i].expected);
    }
  pen_test_remove_folder (g_steal_pointer (&folder));
}

static void
test_model_wrong_fields (void)
{
  static const struct
  {
    const char *fields;
    const char *expected;
  } cases[] = {
    { " ", "' ', character 2: a field is written NAME=GENERATOR(…), *" },
    { "9a=counter", "'9a=counter', character *: a field is written *" },
    { "a", "'a', character 2: '=' is missing behind 'a'" },
    { "item=counter", "*'item' is the entry of items-file; take another name" },
    { "a=counter|a=counter", "*: a second field 'a'" },
    { "a=integr(1,2)",
      "'a=integr(1,2)', character 3: 'integr' is no generator; there are integer,*" },
    { "a=integer", "*'minimum' is missing, as in integer(MINIMUM, MAXIMUM)" },
    { "a=integer(1,9", "'a=integer(1,9', character 14: ',' or ')' was expected; *" },
    { "a=integer(1,9)x", "*character 15: nothing may stand behind the ')'; *" },
    { "a=integer(1,x)", "'a=integer(1,x)', character 13: maximum: 'x' is no whole number" },
    { "a=integer(1,2.5)", "*'2.5' is no whole number" },
    { "a=integer(1,[])", "*'[]' is no whole number" },
    { "a=integer(2,1)", "'a=integer(2,1)': the minimum 2 is above the maximum 1" },
    { "a=integer(1,2,3)", "*one argument too many for integer(MINIMUM, MAXIMUM)" },
    { "a=integer(1,minimum=2)", "*'minimum' is given twice" },
    { "a=integer({item.x},2)",
      "'a' takes arguments from an entry of items-file, which is not set" },
    { "a=decimal(0,1,10)", "*digits is 10; 0 to 9 are possible" },
    { "a=decimal(0,1e15)", "*are too large to be exact" },
    { "a=decimal(0.001,0.002)", "*there is no number with 2 digits from 0.001 to 0.002" },
    { "a=choice", "*arguments are missing, as in choice(TEXT, *" },
    { "a=text('x)", "*a quotation mark without its partner" },
    { "a=sine(1,2,0s)", "*the period of a sine is longer than 0s" },
    { "a=sine(1,2,5)", "*period: the duration '5' has no unit*" },
    { "a=solar(5,2)", "*clouds is 2; it is a share from 0 (none) to 1" },
    { "a=solar(5,sunrise=19)", "*sunrise 19 and sunset 18 are no hours of one day (UTC)" },
    { "a=walk(1,2)", "*'step' is missing, as in walk(*" },
    { "a=walk(1,2,-1)", "*the step -1 of a walk is below 0" },
    { "a=scaled(b,2)|b=counter", "*no field 'b' that makes numbers stands before this one" },
    { "a=text(x)|b=scaled(a,2)", "*no field 'a' that makes numbers stands before this one" },
    { "a=time(utc)", "*'utc' is no form of a time; there are epoch, *" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      const char *property = NULL;
      g_autoptr (PenSimulateModel) model
          = test_make_model (cases[i].fields, NULL, NULL, &property, &error);

      g_assert_null (model);
      g_assert_cmpstr (property, ==, "fields");
      if (!g_pattern_match_simple (cases[i].expected, error->message))
        g_error ("'%s' does not match '%s'", error->message, cases[i].expected);
    }
}

static void
test_model_wrong_templates (void)
{
  static const struct
  {
    const char *template;
    const char *expected;
  } cases[] = {
    { "{\"b\": {b}}", "character 7: there is no field for '{b}'; there are {a}" },
    { "{\"b\": {item.x}}", "character 7: '{item.x}' is taken from an entry of items-file*" },
    { "{\"b\": {a}", "with numbers in its places this is not JSON: *format=text *" },
    { "{a},{a}", "with numbers in its places this is not JSON: *" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      const char *property = NULL;
      g_autoptr (PenSimulateModel) model
          = test_make_model ("a=counter", cases[i].template, NULL, &property, &error);

      g_assert_null (model);
      g_assert_cmpstr (property, ==, "template");
      if (!g_pattern_match_simple (cases[i].expected, error->message))
        g_error ("'%s' does not match '%s'", error->message, cases[i].expected);
    }
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/simulate-model/random", test_model_random);
  g_test_add_func ("/simulate-model/forms", test_model_forms);
  g_test_add_func ("/simulate-model/fraction", test_model_fraction);
  g_test_add_func ("/simulate-model/ranges", test_model_ranges);
  g_test_add_func ("/simulate-model/solar", test_model_solar);
  g_test_add_func ("/simulate-model/template", test_model_template);
  g_test_add_func ("/simulate-model/items", test_model_items);
  g_test_add_func ("/simulate-model/items-apart", test_model_items_apart);
  g_test_add_func ("/simulate-model/wrong-items", test_model_wrong_items);
  g_test_add_func ("/simulate-model/wrong-fields", test_model_wrong_fields);
  g_test_add_func ("/simulate-model/wrong-templates", test_model_wrong_templates);
  return g_test_run ();
}
