/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * penstock tap: events as they pass an element of a running pipeline.
 *
 * Events go to standard output, what is to be said about them to standard error, so that another
 * program can read the events.
 */

#include "config.h"

#include "pen-cli-peer.h"
#include "pen-cli-state.h"
#include "pen-cli-tap-text.h"
#include "pen-cli-terminal.h"

#include <signal.h>
#include <string.h>

#define DEFAULT_RATE 10
#define MAX_RATE 10000
#define DEFAULT_PAYLOAD 4096
#define MAX_PAYLOAD (64 * 1024)
/* how soon a signal is heard that came in between */
#define WAIT_MS 500

typedef struct
{
  PenCliPeerChoice peer;
  int rate;
  int limit; /* 0: none */
  int max_payload;
  PenCliTapFormat format;
} PenCliTapChoice;

typedef struct
{
  PenCli *cli;
  const PenCliTapChoice *choice;
  PenCliPeer *peer;
  char *place; /* as the process understood it */
  guint64 n_shown;
  guint64 n_not_shown;
  int status;
} PenCliTap;

static volatile sig_atomic_t pen_cli_tap_is_interrupted;

static void
pen_cli_tap_on_signal (int number)
{
  pen_cli_tap_is_interrupted = TRUE;
}

static gboolean
pen_cli_tap_write (PenCliTap *self, const GString *text)
{
  self->status = pen_cli_write (self->cli, text);
  return self->status == PEN_CLI_DONE;
}

/* What is no event: for people, unless they read JSON. */
static gboolean pen_cli_tap_note (PenCliTap *self, const PenJson *json, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

static gboolean
pen_cli_tap_note (PenCliTap *self, const PenJson *json, const char *format, ...)
{
  g_autofree char *note = NULL;
  va_list arguments;

  if (self->choice->format == PEN_CLI_TAP_JSON)
    {
      g_autoptr (GString) text = g_string_new (NULL);

      pen_cli_tap_append (text, PEN_CLI_TAP_JSON, json);
      return pen_cli_tap_write (self, text);
    }
  va_start (arguments, format);
  note = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  fprintf (stderr, "penstock tap: %s\n", note);
  return TRUE;
}

/* FALSE: that was all. */
static gboolean
pen_cli_tap_take_state (PenCliTap *self, const PenJson *json, const char *state)
{
  if (g_str_equal (state, "open"))
    return pen_cli_tap_note (self, json, "sees what passes %s", self->place);
  if (g_str_equal (state, "replaced"))
    return pen_cli_tap_note (self, json, "the pipeline was replaced: goes on with the new one");
  if (g_str_equal (state, "ended"))
    {
      pen_cli_tap_note (self, json, "the pipeline has ended");
      return FALSE;
    }
  if (g_str_equal (state, "no_element"))
    {
      pen_cli_tap_note (self, json, "the pipeline was replaced: the new one has no such element");
      return FALSE;
    }
  return TRUE;
}

static gboolean
pen_cli_tap_take_event (PenCliTap *self, const PenJson *json)
{
  g_autoptr (GString) text = g_string_new (NULL);

  pen_cli_tap_append (text, self->choice->format, json);
  if (!pen_cli_tap_write (self, text))
    return FALSE;
  self->n_shown++;
  return self->choice->limit == 0 || self->n_shown < (guint64) self->choice->limit;
}

static void
pen_cli_tap_take_place (PenCliTap *self, const PenJson *json, PenJsonNode tap)
{
  g_autofree char *pipeline = pen_cli_wire_dup_text (json, tap, "pipeline");
  g_autofree char *element = pen_cli_wire_dup_text (json, tap, "element");

  g_free (self->place);
  self->place = g_strdup_printf ("%s of pipeline '%s'", element != NULL ? element : "the sinks",
                                 pipeline != NULL ? pipeline : "");
}

/* FALSE: that was all. */
static gboolean
pen_cli_tap_take (PenCliTap *self, const PenJson *json)
{
  g_autofree char *refusal = pen_cli_wire_dup_text (json, 0 /* the whole */, "error");
  g_autofree char *state = pen_cli_wire_dup_text (json, 0, "state");
  PenJsonNode tap = pen_json_get_member (json, 0, "tap");
  gint64 n_not_shown = pen_cli_wire_get_number (json, 0, "not_shown", 0);

  if (refusal != NULL)
    {
      fprintf (stderr, "penstock tap: %s\n", refusal);
      self->status = PEN_CLI_FAULTY;
      return FALSE;
    }
  if (pen_json_get_member (json, 0, "event") != PEN_JSON_NO_NODE)
    return pen_cli_tap_take_event (self, json);
  if (tap != PEN_JSON_NO_NODE)
    pen_cli_tap_take_place (self, json, tap);
  else if (state != NULL)
    return pen_cli_tap_take_state (self, json, state);
  else if (n_not_shown > 0)
    {
      g_autofree char *count = pen_cli_format_count ((guint64) n_not_shown);

      self->n_not_shown += (guint64) n_not_shown;
      return pen_cli_tap_note (self, json, "%s more passed, which --rate %d does not show", count,
                               self->choice->rate);
    }
  return TRUE;
}

static void
pen_cli_tap_follow (PenCliTap *self)
{
  gboolean goes_on = TRUE;

  while (goes_on && !pen_cli_tap_is_interrupted)
    {
      PenCliWireResult result = PEN_CLI_WIRE_NOTHING;
      g_autoptr (PenJson) json = pen_cli_peer_receive (self->peer, WAIT_MS, &result);

      if (json != NULL)
        goes_on = pen_cli_tap_take (self, json);
      else if (result != PEN_CLI_WIRE_NOTHING)
        {
          fprintf (stderr, "penstock tap: process %d has ended\n", self->peer->pid);
          goes_on = FALSE;
        }
    }
  if (pen_cli_tap_is_interrupted)
    fprintf (stderr, "\npenstock tap: %" G_GUINT64_FORMAT " shown, %" G_GUINT64_FORMAT " not\n",
             self->n_shown, self->n_not_shown);
}

static int
pen_cli_tap_do (PenCli *cli, const PenCliTapChoice *choice)
{
  struct sigaction action = { .sa_handler = pen_cli_tap_on_signal };
  /* an element's name has a blank in it, which may be forgotten to be quoted */
  g_autofree char *place = g_strjoinv (" ", cli->arguments + 1);
  g_autoptr (GString) request = g_string_new (NULL);
  int status = PEN_CLI_DONE;
  g_autoptr (PenCliPeer) peer = pen_cli_peer_find (cli, &choice->peer, &status);
  PenCliTap self = { .cli = cli, .choice = choice, .peer = peer };
  PenJsonWriter writer;

  if (peer == NULL)
    return status;
  sigaction (SIGINT, &action, NULL);
  sigaction (SIGTERM, &action, NULL);
  pen_cli_peer_begin (&writer, request, "tap");
  pen_cli_wire_put_text (&writer, "place", place);
  pen_cli_wire_put_number (&writer, "rate", choice->rate);
  pen_cli_wire_put_number (&writer, "max_payload", choice->max_payload);
  pen_cli_peer_send (peer, &writer, request); /* what comes back says what became of it */
  pen_cli_tap_follow (&self);
  g_free (self.place);
  return self.status;
}

static gboolean
pen_cli_tap_check (const PenCli *cli, PenCliTapChoice *choice, const char *format, int *status)
{
  static const char *const names[] = { "lines", "pretty", "envelope", "json" };
  guint i = 0;

  if (choice->rate < 1 || choice->rate > MAX_RATE)
    *status = pen_cli_complain (cli, "--rate is 1 to %d events a second, not %d", MAX_RATE,
                                choice->rate);
  else if (choice->limit < 0)
    *status = pen_cli_complain (cli, "--limit is a number of events, or 0 for no limit");
  else if (choice->max_payload < 1 || choice->max_payload > MAX_PAYLOAD)
    *status = pen_cli_complain (cli, "--max-payload is 1 to %d bytes, not %d", MAX_PAYLOAD,
                                choice->max_payload);
  else
    {
      while (i < G_N_ELEMENTS (names) && format != NULL && !g_str_equal (names[i], format))
        i++;
      choice->format = format != NULL ? (PenCliTapFormat) i : PEN_CLI_TAP_LINES;
      if (i < G_N_ELEMENTS (names))
        return TRUE;
      *status = pen_cli_complain (cli, "--format is one of lines, pretty, envelope, json, not '%s'",
                                  format);
    }
  return FALSE;
}

static int
pen_cli_tap_command (PenCli *cli)
{
  PenCliTapChoice choice = { .rate = DEFAULT_RATE, .max_payload = DEFAULT_PAYLOAD };
  g_autofree char *format = NULL;
  const GOptionEntry options[] = {
    PEN_CLI_PEER_OPTIONS (&choice.peer),
    { "rate", 0, 0, G_OPTION_ARG_INT, &choice.rate,
      "Show at most N events a second, 10 unless given; the rest is counted", "N" },
    { "limit", 0, 0, G_OPTION_ARG_INT, &choice.limit, "End after N events", "N" },
    { "max-payload", 0, 0, G_OPTION_ARG_INT, &choice.max_payload,
      "Show at most the first N bytes of a payload, 4096 unless given", "N" },
    { "format", 0, 0, G_OPTION_ARG_STRING, &format,
      "How to print an event: lines (the default), pretty, envelope or json", "FORMAT" },
    G_OPTION_ENTRY_NULL,
  };
  int status;

  if (pen_cli_parse (cli, options, &status) && pen_cli_tap_check (cli, &choice, format, &status))
    status = cli->arguments[1] != NULL
                 ? pen_cli_tap_do (cli, &choice)
                 : pen_cli_complain (cli, "name a pipeline, or an element: site-7.transform ammp");
  g_free (choice.peer.state_dir);
  return status;
}

const PenCliCommand pen_cli_tap = {
  .name = "tap",
  .arguments = "PIPELINE[.ELEMENT]",
  .summary = "Show events as they pass an element of a running pipeline",
  .description
  = "An element is 'source mqtt', 'transform ammp', 'sink file' or 'dead-letter file', or just\n"
    "its name where there is one of it. Of a source or transform, what it puts out is shown, of\n"
    "a sink what it takes; without an element, what the sinks take.\n"
    "\n"
    "The pipeline does not wait for it: what comes faster than --rate is counted and not\n"
    "shown, and a payload is cut. A reload that replaces the pipeline is followed.\n"
    "\n"
    "Formats: lines (the payload), pretty (a heading with time, element and topic, and the\n"
    "payload indented), envelope (as the sinks write it), json (all that is known, also\n"
    "what was not shown). What a terminal would obey is shown as \\xNN.\n"
    "\n"
    "The process is found by its socket: call it as root or as the user that runs it. If\n"
    "several run, choose one with --pid or --state-dir.\n"
    "\n"
    "Exit status: 0 if it was ended by --limit, by a signal, or by the pipeline's end, 1 if\n"
    "there is no such process, pipeline or element, 2 if the command was used wrongly.\n"
    "\n"
    "Examples:\n"
    "  penstock tap site-7\n"
    "  penstock tap --format pretty --limit 3 site-7.transform ammp\n"
    "  penstock tap --rate 1000 --format envelope site-7.source mqtt | jq .topic\n",
  .run = pen_cli_tap_command,
};
