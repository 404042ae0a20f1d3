/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What one writes with json-glib without thinking of speed: JsonParser makes a tree, JsonBuilder
 * makes another one, JsonGenerator prints it. It does less than the ammp transform: it checks
 * little, and it rewrites numbers (0.06 becomes 0.059999999999999998).
 */

#include "config.h"

#include "bench-contest.h"

#include <json-glib/json-glib.h>
#include <string.h>

static JsonNode *
bench_json_glib_read (JsonParser *parser, const char *text, gsize length)
{
  g_autoptr (GError) error = NULL;

  if (!json_parser_load_from_data (parser, text, (gssize) length, &error))
    g_error ("json-glib: %s", error->message);
  return json_parser_get_root (parser);
}

gsize
bench_json_glib_parse (BenchPayload *payload)
{
  g_autoptr (JsonParser) parser = json_parser_new ();

  return json_node_is_immutable (bench_json_glib_read (parser, payload->text, payload->length)) + 1;
}

/* Adds the fields of one reading to those of its vendor ID. */
static void
bench_json_glib_merge (JsonObject *data, JsonObject *reading)
{
  const char *vendor_id = json_object_get_string_member (reading, "_vid");
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  json_object_iter_init_ordered (&iter, reading);
  while (json_object_iter_next_ordered (&iter, &name, &value))
    {
      if (name[0] == '_' || JSON_NODE_HOLDS_NULL (value))
        continue;
      if (!json_object_has_member (data, vendor_id))
        json_object_set_object_member (data, vendor_id, json_object_new ());
      json_object_set_member (json_object_get_object_member (data, vendor_id), name,
                              json_node_copy (value));
    }
}

char *
bench_json_glib_restructure (const char *text, gsize length, gsize *n_restructured)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  JsonObject *top = json_node_get_object (bench_json_glib_read (parser, text, length));
  JsonArray *readings = json_object_get_array_member (top, "r");
  JsonObject *data = json_object_new ();
  JsonNode *data_node = json_node_init_object (json_node_alloc (), data);
  g_autoptr (GDateTime) time
      = g_date_time_new_from_unix_utc (json_object_get_int_member (top, "t"));
  g_autofree char *time_text = g_date_time_format (time, "%Y-%m-%dT%H:%M:%S+00:00");
  g_autoptr (JsonNode) root = NULL;

  for (guint i = 0; i < json_array_get_length (readings); i++)
    bench_json_glib_merge (data, json_array_get_object_element (readings, i));
  json_object_unref (data);
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "time");
  json_builder_add_string_value (builder, time_text);
  json_builder_set_member_name (builder, "data");
  json_builder_add_value (builder, data_node);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  json_generator_set_root (generator, root);
  return json_generator_to_data (generator, n_restructured);
}

gsize
bench_json_glib_ammp (BenchPayload *payload)
{
  gsize length;
  g_autofree char *text = bench_json_glib_restructure (payload->text, payload->length, &length);

  return text != NULL ? length : 0;
}
