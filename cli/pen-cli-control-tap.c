/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The request "tap": events as they pass an element, for as long as the client listens.
 *
 * A few times a second, what the tap has copied is sent, and it may copy some more: so many that
 * there are never more than the client asked for in a second. If he does not read, nothing is taken
 * off the tap, which is soon full and copies nothing more.
 */

#include "config.h"

#include "pen-cli-control-private.h"

#include "pen-cli-place.h"
#include "pen-event-json.h"

#define TICK_MS 100
#define MAX_RATE 10000
#define DEFAULT_RATE 10
#define MAX_PAYLOAD (64 * 1024)
#define DEFAULT_PAYLOAD 4096
/* what was not shown is told so often */
#define TELL_US (1 * (gint64) G_USEC_PER_SEC)

typedef struct
{
  PenCliControlClient *client;
  char *text; /* what was asked for */
  guint rate;
  gsize max_payload;
  PenCliPlace place;
  char *refusal;
  PenTap *tap;
  /* what the client knows */
  PenTapState state;
  guint n_openings;
  guint64 n_shown;
  guint64 n_not_shown;
  gint64 granted_us; /* when something was granted last */
  gint64 told_us;
} PenCliControlTap;

static void
pen_cli_control_tap_open (gpointer data)
{
  PenCliControlTap *self = data;
  PenEngine *engine = pen_cli_control_get_engine (self->client->control);

  self->refusal = pen_cli_place_find (&self->place, engine, self->text);
  if (self->refusal != NULL)
    return;
  self->tap = pen_tap_new (self->place.pipeline, self->place.kind, self->place.element,
                           self->max_payload);
  pen_tap_grant (self->tap, self->rate, self->rate);
  pen_engine_add_tap (engine, self->tap);
}

static void
pen_cli_control_tap_close (gpointer data)
{
  PenCliControlTap *self = data;

  pen_engine_remove_tap (pen_cli_control_get_engine (self->client->control), self->tap);
}

static gboolean
pen_cli_control_tap_greet (PenCliControlTap *self)
{
  g_autoptr (GString) text = g_string_new (NULL);
  PenJsonWriter writer;

  pen_json_writer_init (&writer, text);
  pen_json_writer_begin_object (&writer);
  pen_json_writer_key (&writer, "tap");
  pen_json_writer_begin_object (&writer);
  pen_cli_wire_put_text (&writer, "pipeline", self->place.pipeline);
  if (self->place.element != NULL)
    {
      g_autofree char *label = g_strdup_printf (
          "%s %s", pen_element_kind_get_nick (self->place.kind), self->place.element);

      pen_cli_wire_put_text (&writer, "element", label);
    }
  pen_json_writer_end_object (&writer);
  pen_json_writer_end_object (&writer);
  return pen_cli_control_send (self->client, text);
}

static gboolean
pen_cli_control_tap_send_event (PenCliControlTap *self, const PenTapRecord *record)
{
  g_autoptr (GString) text = g_string_new (NULL);
  PenJsonWriter writer;

  pen_json_writer_init (&writer, text);
  pen_json_writer_begin_object (&writer);
  pen_cli_wire_put_text (&writer, "element", record->element);
  pen_event_json_put_time (&writer, "passed", record->passed_us);
  pen_json_writer_key (&writer, "event");
  pen_json_writer_begin_object (&writer);
  pen_event_json_put_time (&writer, "time", pen_event_get_arrival (record->event));
  pen_event_json_put_content (&writer, record->event);
  pen_json_writer_end_object (&writer);
  pen_json_writer_end_object (&writer);
  if (text->len >= PEN_CLI_ANSWER_MAX_BYTES)
    return TRUE; /* a topic of many control characters: one more that is not shown */
  self->n_shown++;
  return pen_cli_control_send (self->client, text);
}

static gboolean
pen_cli_control_tap_send_events (PenCliControlTap *self)
{
  g_autoptr (GPtrArray) records = pen_tap_collect (self->tap);

  for (guint i = 0; i < records->len; i++)
    if (!pen_cli_control_tap_send_event (self, g_ptr_array_index (records, i)))
      return FALSE;
  return TRUE;
}

static gboolean
pen_cli_control_tap_send_note (PenCliControlTap *self, const char *state, guint64 n_not_shown)
{
  g_autoptr (GString) text = g_string_new (NULL);
  PenJsonWriter writer;

  pen_json_writer_init (&writer, text);
  pen_json_writer_begin_object (&writer);
  if (state != NULL)
    pen_cli_wire_put_text (&writer, "state", state);
  else
    {
      pen_json_writer_key (&writer, "not_shown");
      pen_json_writer_uint64 (&writer, n_not_shown);
    }
  pen_json_writer_end_object (&writer);
  return pen_cli_control_send (self->client, text);
}

/* Of those that had @n_passed before the last were collected, some may be shown that are not
 * counted yet, but none is missing that is. */
static gboolean
pen_cli_control_tap_tell_rest (PenCliControlTap *self, guint64 n_passed, gboolean at_once)
{
  gint64 now_us = g_get_monotonic_time ();
  gint64 n_new = (gint64) (n_passed - self->n_shown - self->n_not_shown);

  if (n_new <= 0 || (!at_once && now_us - self->told_us < TELL_US))
    return TRUE;
  self->told_us = now_us;
  self->n_not_shown += (guint64) n_new;
  return pen_cli_control_tap_send_note (self, NULL, (guint64) n_new);
}

/* Says what has become of the pipeline since the last time, which may be more than one thing. */
static gboolean
pen_cli_control_tap_tell_state (PenCliControlTap *self, PenTapState state, guint n_openings)
{
  static const char *const names[] = {
    [PEN_TAP_WAITING] = "waiting",
    [PEN_TAP_OPEN] = "open",
    [PEN_TAP_NO_PLACE] = "no_element",
    [PEN_TAP_ENDED] = "ended",
  };
  guint n_before = self->n_openings;
  PenTapState before = self->state;

  self->n_openings = n_openings;
  self->state = state;
  if (n_before == 0 && n_openings > 0
      && !pen_cli_control_tap_send_note (self, names[PEN_TAP_OPEN], 0))
    return FALSE;
  if (n_openings > MAX (n_before, 1) && !pen_cli_control_tap_send_note (self, "replaced", 0))
    return FALSE;
  return state == before || state == PEN_TAP_OPEN
         || pen_cli_control_tap_send_note (self, names[state], 0);
}

/* Sends what there is. FALSE if there is nothing more to come, or nobody who wants it. */
static gboolean
pen_cli_control_tap_send (PenCliControlTap *self)
{
  /* in this order: what passed before the end is in the tap when the end is seen */
  guint n_openings = 0;
  PenTapState state = pen_tap_get_state (self->tap, &n_openings);
  gboolean is_over = state == PEN_TAP_ENDED || state == PEN_TAP_NO_PLACE;
  guint64 n_passed = pen_tap_get_n_passed (self->tap);

  return pen_cli_control_tap_send_events (self)
         && pen_cli_control_tap_tell_rest (self, n_passed, is_over)
         && pen_cli_control_tap_tell_state (self, state, n_openings) && !is_over;
}

static void
pen_cli_control_tap_grant (PenCliControlTap *self)
{
  gint64 now_us = g_get_monotonic_time ();
  /* what is not enough for one waits for the next time */
  gint64 n = (now_us - self->granted_us) * self->rate / G_USEC_PER_SEC;

  if (n == 0)
    return;
  self->granted_us += n * G_USEC_PER_SEC / self->rate;
  pen_tap_grant (self->tap, (guint) MIN (n, MAX_RATE), self->rate);
}

/* Until the client says anything, or goes, or there is nothing more to see. */
static void
pen_cli_control_tap_run (PenCliControlTap *self)
{
  gboolean goes_on = pen_cli_control_tap_greet (self);

  self->granted_us = self->told_us = g_get_monotonic_time ();
  /* once more when it does not go on: the run may be over, with a last word for the client */
  while (pen_cli_control_tap_send (self) && goes_on)
    {
      g_autoptr (GBytes) line = NULL;

      goes_on = pen_cli_wire_read (&self->client->wire, TICK_MS, &line) == PEN_CLI_WIRE_NOTHING;
      pen_cli_control_tap_grant (self);
    }
}

/* documented in the header */
gboolean
pen_cli_control_answer_tap (PenCliControlClient *client, PenJson *request)
{
  gint64 rate = pen_cli_wire_get_number (request, 0 /* the whole */, "rate", DEFAULT_RATE);
  gint64 max_payload = pen_cli_wire_get_number (request, 0, "max_payload", DEFAULT_PAYLOAD);
  g_autofree char *text = pen_cli_wire_dup_text (request, 0, "place");
  PenCliControlTap self = { .client = client, .text = text };

  if (text == NULL || rate < 1 || rate > MAX_RATE || max_payload < 1 || max_payload > MAX_PAYLOAD)
    return pen_cli_control_refuse (client, "a tap has a place, a rate of 1 to 10000 events a "
                                           "second, and a payload of 1 to 65536 bytes");
  self.rate = (guint) rate;
  self.max_payload = (gsize) max_payload;
  if (pen_cli_control_call (client->control, pen_cli_control_tap_open, &self))
    {
      if (self.refusal != NULL)
        pen_cli_control_refuse (client, self.refusal);
      else
        {
          pen_cli_control_tap_run (&self);
          pen_cli_control_call (client->control, pen_cli_control_tap_close, &self);
        }
    }
  g_clear_pointer (&self.tap, pen_tap_unref);
  pen_cli_place_clear (&self.place);
  g_free (self.refusal);
  return FALSE;
}
