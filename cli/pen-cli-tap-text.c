/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An event that was tapped, as text. Payloads come from anywhere, and a terminal obeys what it is
 * sent: control characters, and bytes that are no UTF-8, are shown as \xNN, within JSON as \u00NN.
 */

#include "config.h"

#include "pen-cli-tap-text.h"

#include "pen-cli-terminal.h"
#include "pen-cli-wire.h"

#include <string.h>

typedef struct
{
  char *data;
  gsize length;
  gint64 size;     /* of the whole */
  gboolean is_cut; /* these are the first bytes */
} PenCliTapPayload;

/* @slice is JSON: there is none of it but in strings, and it means the same there. */
static void
pen_cli_tap_append_json (GString *text, const PenJsonSlice *slice)
{
  const char *data = slice->text;
  const char *end = data + slice->length;

  for (; data < end; data = g_utf8_next_char (data))
    {
      gunichar c = g_utf8_get_char (data);

      if (pen_cli_is_control (c))
        g_string_append_printf (text, "\\u%04x", c);
      else
        g_string_append_unichar (text, c);
    }
  g_string_append_c (text, '\n');
}

static void
pen_cli_tap_take_payload (PenCliTapPayload *self, const PenJson *json, PenJsonNode event)
{
  PenJsonNode node = pen_json_get_member (json, event, "payload");
  PenJsonSlice slice;

  if (node != PEN_JSON_NO_NODE && pen_json_get_node_type (json, node) == PEN_JSON_STRING)
    {
      pen_json_get_slice (json, node, &slice);
      self->data = pen_json_slice_decode (&slice, &self->length);
    }
  else
    {
      g_autofree char *base64 = pen_cli_wire_dup_text (json, event, "payload_base64");

      self->data = (char *) g_base64_decode (base64 != NULL ? base64 : "", &self->length);
    }
  self->size = pen_cli_wire_get_number (json, event, "size", (gint64) self->length);
  self->is_cut = self->size > (gint64) self->length;
}

static void
pen_cli_tap_append_cut (GString *text, const PenCliTapPayload *payload)
{
  if (payload->is_cut)
    g_string_append_printf (text, " [the first %" G_GSIZE_FORMAT " of %" G_GINT64_FORMAT " bytes]",
                            payload->length, payload->size);
}

static void
pen_cli_tap_append_line (GString *text, const PenCliTapPayload *payload)
{
  g_autoptr (GBytes) bytes = g_bytes_new (payload->data, payload->length);
  g_autoptr (GBytes) unfolded = pen_json_unfold (bytes, NULL);
  gsize length = 0;
  const char *data = g_bytes_get_data (unfolded != NULL ? unfolded : bytes, &length);

  pen_cli_append_printable (text, data, length, FALSE /* keep_lines */);
  pen_cli_tap_append_cut (text, payload);
  g_string_append_c (text, '\n');
}

static void
pen_cli_tap_append_flag (GString *text, const PenJson *json, PenJsonNode event, const char *name)
{
  PenJsonNode node = pen_json_get_member (json, event, name);

  if (node != PEN_JSON_NO_NODE && pen_json_get_node_type (json, node) == PEN_JSON_TRUE)
    g_string_append_printf (text, "  %s", name);
}

static void
pen_cli_tap_append_heading (GString *text,
                            const PenJson *json,
                            PenJsonNode event,
                            const PenCliTapPayload *payload)
{
  g_autofree char *passed = pen_cli_wire_dup_text (json, 0 /* the whole */, "passed");
  g_autofree char *element = pen_cli_wire_dup_text (json, 0, "element");
  g_autofree char *topic = pen_cli_wire_dup_text (json, event, "topic");

  g_string_append_printf (text, "# %s  %s", passed != NULL ? passed : "",
                          element != NULL ? element : "");
  if (topic != NULL)
    {
      g_string_append (text, "  ");
      pen_cli_append_printable (text, topic, strlen (topic), FALSE /* keep_lines */);
    }
  g_string_append_printf (text, "  %" G_GINT64_FORMAT " bytes", payload->size);
  pen_cli_tap_append_flag (text, json, event, "retained");
  pen_cli_tap_append_flag (text, json, event, "duplicate");
  pen_cli_tap_append_flag (text, json, event, "replayed");
  g_string_append_c (text, '\n');
}

static void
pen_cli_tap_append_pretty (GString *text, const PenCliTapPayload *payload)
{
  g_autoptr (GBytes) bytes = g_bytes_new (payload->data, payload->length);
  g_autofree char *pretty = pen_json_prettify (bytes, NULL);

  if (pretty != NULL)
    pen_cli_append_printable (text, pretty, strlen (pretty), TRUE /* keep_lines */);
  else
    pen_cli_append_printable (text, payload->data, payload->length, TRUE);
  pen_cli_tap_append_cut (text, payload);
  if (text->len > 0 && text->str[text->len - 1] != '\n')
    g_string_append_c (text, '\n');
}

/* documented in the header */
void
pen_cli_tap_append (GString *text, PenCliTapFormat format, const PenJson *json)
{
  PenJsonNode event = pen_json_get_member (json, 0 /* the whole */, "event");
  PenCliTapPayload payload = { 0 };
  PenJsonSlice slice;

  if (format == PEN_CLI_TAP_JSON || format == PEN_CLI_TAP_ENVELOPE)
    {
      pen_json_get_slice (json, format == PEN_CLI_TAP_JSON ? 0 : event, &slice);
      pen_cli_tap_append_json (text, &slice);
      return;
    }
  pen_cli_tap_take_payload (&payload, json, event);
  if (format == PEN_CLI_TAP_PRETTY)
    {
      pen_cli_tap_append_heading (text, json, event, &payload);
      pen_cli_tap_append_pretty (text, &payload);
    }
  else
    pen_cli_tap_append_line (text, &payload);
  g_free (payload.data);
}
