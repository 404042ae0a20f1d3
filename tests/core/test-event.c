/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Events: what they carry, what is derived from them, and their JSON.
 */

#include "config.h"

#include "pen-test.h"

#include "pen-event-private.h"

static PenEvent *
test_make_event (const char *text)
{
  g_autoptr (GBytes) payload = g_bytes_new (text, strlen (text));

  return pen_event_new (payload, "a/b", 17);
}

static void
test_event_derives (void)
{
  g_autoptr (GBytes) payload = g_bytes_new_static ("new", 3);
  g_autoptr (PenEvent) event = test_make_event ("old");
  g_autoptr (PenEvent) derived = NULL;
  g_autoptr (PenEvent) again = NULL;
  const char *name = NULL;
  const char *value = NULL;

  pen_event_set_flags (event, PEN_EVENT_RETAINED | PEN_EVENT_DUPLICATE);
  pen_event_set_content_type (event, "application/json");
  pen_event_add_user_property (event, "site", "seven");
  pen_event_add_user_property (event, "site", "eight");
  derived = pen_event_derive (event, payload);
  again = pen_event_derive (derived, payload);

  g_assert_cmpstr (pen_event_get_topic (again), ==, "a/b");
  g_assert_cmpint (pen_event_get_arrival (again), ==, 17);
  g_assert_cmpint (pen_event_get_flags (again), ==, PEN_EVENT_RETAINED | PEN_EVENT_DUPLICATE);
  g_assert_cmpstr (pen_event_get_content_type (again), ==, "application/json");
  g_assert_cmpuint (pen_event_get_n_user_properties (again), ==, 2);
  pen_event_get_user_property (again, 1, &name, &value);
  g_assert_cmpstr (name, ==, "site");
  g_assert_cmpstr (value, ==, "eight");
  g_assert_true (pen_event_get_origin (again) == event);
  g_assert_true (pen_event_get_single_origin (again) == event);
  g_assert_null (pen_event_get_origin (event));
  pen_event_set_topic (again, "c");
  g_assert_cmpstr (pen_event_get_topic (again), ==, "c");
  g_assert_cmpstr (pen_event_get_topic (event), ==, "a/b");
}

static void
test_event_plain_has_nothing_more (void)
{
  g_autoptr (PenEvent) event = test_make_event ("old");

  g_assert_null (pen_event_get_content_type (event));
  g_assert_cmpuint (pen_event_get_n_user_properties (event), ==, 0);
  g_assert_null (pen_event_get_token (event));
  g_assert_cmpint (pen_event_get_flags (event), ==, PEN_EVENT_NONE);
}

static void
test_event_json_is_parsed_once (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PenEvent) event = test_make_event ("{\"value\":0.10}");
  PenJson *json = pen_event_get_json (event, &error);
  PenJsonSlice slice;

  g_assert_no_error (error);
  g_assert_true (pen_event_get_json (event, NULL) == json);
  pen_json_get_slice (json, pen_json_get_member (json, 0, "value"), &slice);
  g_assert_cmpmem (slice.text, slice.length, "0.10", 4);
}

static void
test_event_json_node (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PenEvent) event = test_make_event ("[1,2]");
  g_autoptr (JsonNode) node = pen_event_get_json_node (event, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (json_array_get_length (json_node_get_array (node)), ==, 2);
}

static void
test_event_json_faults (void)
{
  g_autofree char *deep = g_strnfill (100000, '[');
  g_autoptr (PenEvent) event = test_make_event (deep);
  g_autoptr (GError) error = NULL;

  g_assert_null (pen_event_get_json_node (event, &error));
  g_assert_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_TOO_DEEP);
  g_clear_error (&error);
  g_assert_null (pen_event_get_json (event, &error));
  g_assert_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_TOO_DEEP);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/event/derives", test_event_derives);
  g_test_add_func ("/event/plain-has-nothing-more", test_event_plain_has_nothing_more);
  g_test_add_func ("/event/json-is-parsed-once", test_event_json_is_parsed_once);
  g_test_add_func ("/event/json-node", test_event_json_node);
  g_test_add_func ("/event/json-faults", test_event_json_faults);
  return g_test_run ();
}
