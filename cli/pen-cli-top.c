/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * penstock top: how the pipelines of a running process do.
 */

#include "config.h"

#include "pen-cli-top.h"

#include "pen-cli-state.h"
#include "pen-suggest.h"
#include "pen-value.h"

#include <poll.h>
#include <unistd.h>

#define DEFAULT_INTERVAL_US (2 * (gint64) G_USEC_PER_SEC)
#define MIN_INTERVAL_US (100 * (gint64) 1000)
#define MAX_INTERVAL_US (3600 * (gint64) G_USEC_PER_SEC)

typedef struct
{
  PenCliPeerChoice peer;
  gint64 interval_us;
  guint sorted_by;
  gboolean once;
  gboolean as_json;
  gboolean wants_names;
} PenCliTopChoice;

static void
pen_cli_top_free_pattern (gpointer data)
{
  g_pattern_spec_free (data);
}

/* For shells: the pipelines, and behind each its elements as 'penstock tap' takes them. */
static void
pen_cli_top_append_names (GString *text, const PenCliTopLook *look)
{
  for (guint i = 0; i < look->rows->len; i++)
    {
      const PenCliTopRow *row = g_ptr_array_index (look->rows, i);

      g_string_append_printf (text, "%s\n", row->name);
      for (guint j = 0; row->elements[j] != NULL; j++)
        {
          g_autofree char *element = g_strdelimit (g_strdup (row->elements[j]), " ", '-');

          g_string_append_printf (text, "%s.%s\n", row->name, element);
        }
    }
}

static int
pen_cli_top_tell_end (const PenCliPeer *peer)
{
  fprintf (stderr, "penstock top: process %d has ended, or does not answer\n", peer->pid);
  return PEN_CLI_FAULTY;
}

static int
pen_cli_top_print (const PenCli *cli,
                   PenCliPeer *peer,
                   const GPtrArray *patterns,
                   const PenCliTopChoice *choice)
{
  PenCliTopLayout layout = { .n_rows = G_MAXUINT, .sorted_by = choice->sorted_by };
  g_autoptr (PenCliTopLook) before = pen_cli_top_look (peer, NULL, patterns);
  g_autoptr (PenCliTopLook) look = NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  if (before == NULL)
    return pen_cli_top_tell_end (peer);
  if (choice->wants_names)
    {
      pen_cli_top_append_names (text, before);
      return pen_cli_write (cli, text);
    }
  poll (NULL, 0, (int) (choice->interval_us / 1000));
  look = pen_cli_top_look (peer, before, patterns);
  if (look == NULL)
    return pen_cli_top_tell_end (peer);
  pen_cli_top_sort (look, choice->sorted_by);
  if (choice->as_json)
    pen_cli_top_append_json (text, peer, look);
  else
    pen_cli_top_append_table (text, peer, look, &layout);
  return pen_cli_write (cli, text);
}

static int
pen_cli_top_do (const PenCli *cli, const PenCliTopChoice *choice)
{
  g_autoptr (GPtrArray) patterns = g_ptr_array_new_with_free_func (pen_cli_top_free_pattern);
  int status = PEN_CLI_DONE;
  g_autoptr (PenCliPeer) peer = pen_cli_peer_find (cli, &choice->peer, &status);

  if (peer == NULL)
    return status;
  for (guint i = 1; cli->arguments[i] != NULL; i++)
    g_ptr_array_add (patterns, g_pattern_spec_new (cli->arguments[i]));
  if (choice->once || choice->as_json || choice->wants_names || !isatty (STDOUT_FILENO)
      || !isatty (STDIN_FILENO))
    return pen_cli_top_print (cli, peer, patterns, choice);
  return pen_cli_top_show (cli, peer, patterns, choice->sorted_by, choice->interval_us);
}

static gboolean
pen_cli_top_take_sort (const PenCli *cli, PenCliTopChoice *choice, const char *text, int *status)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *list = NULL;

  for (guint i = 0; pen_cli_top_sort_names[i] != NULL; i++)
    {
      g_ptr_array_add (names, (gpointer) pen_cli_top_sort_names[i]);
      if (text != NULL && g_str_equal (text, pen_cli_top_sort_names[i]))
        {
          choice->sorted_by = i;
          return TRUE;
        }
    }
  if (text == NULL)
    return TRUE;
  list = pen_suggest_list (names, "or");
  *status = pen_cli_complain (cli, "--sort is %s, not '%s'", list, text);
  return FALSE;
}

static gboolean
pen_cli_top_take_interval (const PenCli *cli,
                           PenCliTopChoice *choice,
                           const char *text,
                           int *status)
{
  g_autoptr (GError) error = NULL;

  if (text == NULL)
    return TRUE;
  if (!pen_duration_parse (text, &choice->interval_us, &error))
    *status = pen_cli_complain (cli, "--interval: %s", error->message);
  else if (choice->interval_us < MIN_INTERVAL_US || choice->interval_us > MAX_INTERVAL_US)
    *status = pen_cli_complain (cli, "--interval is 100ms to 1h, not %s", text);
  else
    return TRUE;
  return FALSE;
}

static int
pen_cli_top_command (PenCli *cli)
{
  PenCliTopChoice choice = { .interval_us = DEFAULT_INTERVAL_US };
  g_autofree char *interval = NULL;
  g_autofree char *sort = NULL;
  g_autofree char *format = NULL;
  const GOptionEntry options[] = {
    PEN_CLI_PEER_OPTIONS (&choice.peer),
    { "interval", 0, 0, G_OPTION_ARG_STRING, &interval,
      "How often to look, and what rates are of: 2s unless given", "TIME" },
    { "sort", 0, 0, G_OPTION_ARG_STRING, &sort,
      "Sort by trouble (the default), name, in, out, dropped, ...", "COLUMN" },
    { "once", 0, 0, G_OPTION_ARG_NONE, &choice.once,
      "Print one table and end, as it does without a terminal", NULL },
    { "format", 0, 0, G_OPTION_ARG_STRING, &format,
      "How to print: text (the default), or json, which prints once", "FORMAT" },
    { "names", 0, 0, G_OPTION_ARG_NONE, &choice.wants_names,
      "Print only what 'penstock tap' takes, one per line", NULL },
    G_OPTION_ENTRY_NULL,
  };
  int status;

  if (pen_cli_parse (cli, options, &status)
      && pen_cli_parse_format (cli, format, &choice.as_json, &status)
      && pen_cli_top_take_sort (cli, &choice, sort, &status)
      && pen_cli_top_take_interval (cli, &choice, interval, &status))
    status = pen_cli_top_do (cli, &choice);
  g_free (choice.peer.state_dir);
  return status;
}

const PenCliCommand pen_cli_top = {
  .name = "top",
  .arguments = "[PATTERN...]",
  .summary = "Show how the pipelines of a running process do",
  .description
  = "A PATTERN is a name in which * and ? stand for any characters: 'site-*'. On a terminal, the\n"
    "table is drawn again and again: q ends, s sorts by the next column, the arrows move.\n"
    "\n"
    "IN/s and OUT/s: what sources took in and sinks wrote, a second. DROPPED (on purpose),\n"
    "REJECTED and LETTERS (dead letters written): since the pipeline began. QUEUE: what waits\n"
    "before the sinks. SPOOL: what the sink that is farthest behind has still to read. LATENCY:\n"
    "what 95 of 100 events took from arrival to delivery. CONN: whether the sources are\n"
    "connected. COMPLAINT: what is wrong now.\n"
    "\n"
    "Sort by trouble, name, in, out, dropped, rejected, letters, queue, spool or latency.\n"
    "\n"
    "The process is found by its socket: call it as root or as the user that runs it. If\n"
    "several run, choose one with --pid or --state-dir.\n"
    "\n"
    "Exit status: 0, or 1 if there is no such process, 2 if the command was used wrongly.\n"
    "\n"
    "Examples:\n"
    "  penstock top\n"
    "  penstock top --sort queue --interval 5s 'site-*'\n"
    "  penstock top --format json | jq '.pipelines[] | select (.complaint)'\n",
  .run = pen_cli_top_command,
};
