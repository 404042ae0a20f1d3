/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * penstock spool: a command with commands of its own, what they have in common, and their options.
 * Looking needs no lock and disturbs nothing; what changes a spool takes its lock, which a running
 * pipeline has.
 */

#include "config.h"

#include "pen-cli-spool.h"

#include "pen-cli-state.h"
#include "pen-suggest.h"

#include <string.h>

/* of a walk, in memory at a time */
#define BATCH_RECORDS 512
#define BATCH_BYTES (4 * 1024 * 1024)
#define DEFAULT_LIMIT 100

typedef int (*PenCliSpoolCommand) (PenCliSpool *self);

/* documented in the header */
void
pen_cli_spool_tell (PenCliSpool *self, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  pen_cli_progress_clear (&self->progress);
  fprintf (stderr, "penstock %s: %s\n", self->cli->command->name, message);
}

static void
pen_cli_spool_on_told (GLogLevelFlags level, const char *message, gpointer user_data)
{
  PenCliSpool *self = user_data;

  if (level <= G_LOG_LEVEL_WARNING)
    self->n_damages++;
  pen_cli_spool_tell (self, "%s", message);
}

static gboolean
pen_cli_spool_on_progress (const char *what, double done, gpointer user_data)
{
  PenCliSpool *self = user_data;

  pen_cli_progress_show (&self->progress, what, done);
  return TRUE;
}

/* "; there are a and b" */
static char *
pen_cli_spool_describe_pipelines (const PenCliSpool *self)
{
  g_auto (GStrv) names = pen_spool_store_list (self->state_folder, NULL);
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autofree char *list = NULL;

  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    g_ptr_array_add (words, names[i]);
  if (words->len == 0)
    return g_strdup ("; there is none. If one is expected, it is in another state folder: that of "
                     "a service is mostly --state-dir /var/lib/penstock");
  list = pen_suggest_list (words, "and");
  return g_strdup_printf ("; there %s %s", words->len == 1 ? "is" : "are", list);
}

/* documented in the header */
int
pen_cli_spool_tell_locked (PenCliSpool *self, const char *pipeline)
{
  g_autofree char *holder = pen_spool_find_holder (self->state_folder, pipeline);

  pen_cli_spool_tell (self,
                      "nothing was changed: the pipeline '%s' is running (process %s), and its "
                      "spool can only be changed while it is not. Stop that process; or, to stop "
                      "this pipeline alone, move its keyfile away and send the process SIGHUP. "
                      "Then try again",
                      pipeline, holder != NULL ? holder : "that has just ended");
  return PEN_CLI_FAULTY;
}

/* documented in the header */
PenSpoolStore *
pen_cli_spool_open (PenCliSpool *self, const char *pipeline, PenSpoolStoreFlags flags, int *status)
{
  static const PenSpoolStoreFunctions functions = {
    .tell = pen_cli_spool_on_told,
    .progress = pen_cli_spool_on_progress,
  };
  g_autoptr (GError) error = NULL;
  PenSpoolStore *store = pen_spool_store_open (
      self->state_folder, pipeline, flags | PEN_SPOOL_STORE_MUST_EXIST, &functions, self, &error);

  pen_cli_progress_clear (&self->progress);
  if (store != NULL)
    return store;
  *status = PEN_CLI_FAULTY;
  if (g_error_matches (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_LOCKED))
    *status = pen_cli_spool_tell_locked (self, pipeline);
  else if (g_error_matches (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_DAMAGED))
    pen_cli_spool_tell (self,
                        "%s; to save what can be read, stop the pipeline and call 'penstock spool "
                        "check --repair --pipeline %s'; starting the pipeline does the same",
                        error->message, pipeline);
  else
    pen_cli_spool_tell (self, "%s", error->message);
  return NULL;
}

/* documented in the header */
gboolean
pen_cli_spool_check_sink (PenCliSpool *self, GPtrArray *cursors, int *status)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *quoted = NULL;
  g_autofree char *list = NULL;

  if (self->sink == NULL)
    return TRUE;
  for (guint i = 0; i < cursors->len; i++)
    {
      const PenSpoolCursor *cursor = g_ptr_array_index (cursors, i);

      if (g_str_equal (cursor->sink, self->sink))
        return TRUE;
      g_ptr_array_add (names, cursor->sink);
    }
  quoted = pen_quote (self->sink);
  list = pen_suggest_list (names, "and");
  pen_cli_spool_tell (self, "the spool of '%s' knows no sink %s; it knows %s", self->pipeline,
                      quoted, names->len > 0 ? list : "none");
  *status = PEN_CLI_USAGE;
  return FALSE;
}

/* documented in the header */
gboolean
pen_cli_spool_walk (PenCliSpool *self,
                    PenSpoolStore *store,
                    guint64 last,
                    const char *what,
                    PenCliSpoolFunc func,
                    gpointer user_data,
                    GError **error)
{
  PenSpoolStatus status;
  guint64 position;
  gboolean goes_on = TRUE;
  guint64 first;

  pen_spool_store_get_status (store, &status);
  first = MAX (status.oldest, 1);
  position = first - 1;
  while (goes_on && position < last)
    {
      guint64 before = position;
      g_autoptr (GPtrArray) records
          = pen_spool_store_read (store, position, BATCH_RECORDS, BATCH_BYTES, &position, error);

      if (records == NULL)
        return FALSE;
      for (guint i = 0; i < records->len && goes_on; i++)
        {
          const PenSpoolRecord *record = g_ptr_array_index (records, i);

          goes_on = record->position <= last && func (self, record, user_data);
        }
      /* nothing is behind it */
      if (position <= before)
        break;
      pen_cli_progress_show (&self->progress, what,
                             (double) (position - first + 1) / (double) (last - first + 1));
    }
  pen_cli_progress_clear (&self->progress);
  return TRUE;
}

/* documented in the header */
GStrv
pen_cli_spool_list (PenCliSpool *self, int *status)
{
  g_autoptr (GError) error = NULL;
  GStrv names = pen_spool_store_list (self->state_folder, &error);

  if (names == NULL)
    {
      pen_cli_spool_tell (self, "%s; try it as root, or as the user that runs penstock",
                          error->message);
      *status = PEN_CLI_FAULTY;
    }
  return names;
}

/* Whether there is such a spool; told if not. */
static gboolean
pen_cli_spool_check_pipeline (PenCliSpool *self, gboolean is_needed, int *status)
{
  g_auto (GStrv) names = NULL;
  g_autofree char *pipelines = NULL;
  g_autofree char *quoted = NULL;

  if (self->pipeline == NULL && !is_needed)
    return TRUE;
  names = pen_cli_spool_list (self, status);
  if (names == NULL)
    return FALSE;
  if (self->pipeline != NULL && g_strv_contains ((const char *const *) names, self->pipeline))
    return TRUE;
  pipelines = pen_cli_spool_describe_pipelines (self);
  if (self->pipeline == NULL)
    {
      *status = pen_cli_complain (self->cli, "name a pipeline with --pipeline%s", pipelines);
      return FALSE;
    }
  quoted = pen_quote (self->pipeline);
  pen_cli_spool_tell (self, "no spool of a pipeline %s is in '%s'%s", quoted, self->state_folder,
                      pipelines);
  *status = PEN_CLI_FAULTY;
  return FALSE;
}

/* What the options of all these commands come to. */
typedef struct
{
  char *state_dir;
  char *from;
  char *to;
  char *topic;
  char *format;
} PenCliSpoolTexts;

static void
pen_cli_spool_texts_clear (PenCliSpoolTexts *self)
{
  g_free (self->state_dir);
  g_free (self->from);
  g_free (self->to);
  g_free (self->topic);
  g_free (self->format);
}

static gboolean
pen_cli_spool_understand (PenCliSpool *self,
                          const PenCliSpoolTexts *texts,
                          gboolean needs_pipeline,
                          int *status)
{
  g_autoptr (GError) error = NULL;

  if (!pen_cli_parse_format (self->cli, texts->format, &self->as_json, status))
    return FALSE;
  if (self->cli->arguments[1] != NULL)
    {
      g_autofree char *quoted = pen_quote (self->cli->arguments[1]);

      *status
          = pen_cli_complain (self->cli, "what is %s? A pipeline is named with --pipeline", quoted);
      return FALSE;
    }
  if (!pen_cli_filter_init (&self->filter, texts->from, texts->to, texts->topic, g_get_real_time (),
                            &error))
    {
      *status = pen_cli_complain (self->cli, "%s", error->message);
      return FALSE;
    }
  if (self->limit < 0)
    {
      *status = pen_cli_complain (self->cli, "--limit is a number of messages, or 0 for all");
      return FALSE;
    }
  self->state_folder = pen_cli_find_state_folder (self->cli, texts->state_dir, status);
  return self->state_folder != NULL && pen_cli_spool_check_pipeline (self, needs_pipeline, status);
}

/* Reads the options, and does it. @options: with the places of @self and @texts */
static int
pen_cli_spool_do (PenCliSpool *self,
                  PenCliSpoolTexts *texts,
                  const GOptionEntry *options,
                  gboolean needs_pipeline,
                  PenCliSpoolCommand command)
{
  int status;

  if (pen_cli_parse (self->cli, options, &status)
      && pen_cli_spool_understand (self, texts, needs_pipeline, &status))
    {
      pen_log_install (self->cli->log_format, self->cli->log_level);
      status = command (self);
    }
  pen_cli_spool_texts_clear (texts);
  pen_cli_filter_clear (&self->filter);
  g_free (self->state_folder);
  g_free (self->pipeline);
  g_free (self->sink);
  return status;
}

#define PIPELINE_OPTION(self)                                                                      \
  {                                                                                                \
    "pipeline", 0, 0, G_OPTION_ARG_STRING, &(self).pipeline, "Whose spool", "NAME"                 \
  }
#define SINK_OPTION(self, text)                                                                    \
  {                                                                                                \
    "sink", 0, 0, G_OPTION_ARG_STRING, &(self).sink, text, "NAME"                                  \
  }
#define FROM_OPTION(texts)                                                                         \
  {                                                                                                \
    "from", 0, 0, G_OPTION_ARG_STRING, &(texts).from,                                              \
        "What arrived since then: 2026-01-31T03:00:00Z, or 2h for two hours ago", "TIME"           \
  }
#define TO_OPTION(texts)                                                                           \
  {                                                                                                \
    "to", 0, 0, G_OPTION_ARG_STRING, &(texts).to, "What arrived before then", "TIME"               \
  }
#define TOPIC_OPTION(texts)                                                                        \
  {                                                                                                \
    "topic", 0, 0, G_OPTION_ARG_STRING, &(texts).topic,                                            \
        "What has such a topic; + and # as in an MQTT subscription", "FILTER"                      \
  }
#define YES_OPTION(self)                                                                           \
  {                                                                                                \
    "yes", 0, 0, G_OPTION_ARG_NONE, &(self).is_sure, "Do not ask", NULL                            \
  }

static int
pen_cli_spool_run_ls (PenCli *cli)
{
  PenCliSpool self = { .cli = cli };
  PenCliSpoolTexts texts = { NULL };
  const GOptionEntry options[] = {
    PEN_CLI_STATE_OPTION (&texts.state_dir),
    { "pipeline", 0, 0, G_OPTION_ARG_STRING, &self.pipeline, "Whose spool; otherwise all", "NAME" },
    { "names", 0, 0, G_OPTION_ARG_NONE, &self.wants_names,
      "Print the names of the pipelines alone, without opening any spool", NULL },
    { "format", 0, 0, G_OPTION_ARG_STRING, &texts.format,
      "How to print the list: text (the default) or json", "FORMAT" },
    G_OPTION_ENTRY_NULL,
  };

  return pen_cli_spool_do (&self, &texts, options, FALSE /* needs_pipeline */, pen_cli_spool_ls);
}

static int
pen_cli_spool_run_show (PenCli *cli)
{
  PenCliSpool self = { .cli = cli, .limit = DEFAULT_LIMIT };
  PenCliSpoolTexts texts = { NULL };
  const GOptionEntry options[] = {
    PEN_CLI_STATE_OPTION (&texts.state_dir),
    PIPELINE_OPTION (self),
    SINK_OPTION (self, "What waits for this sink; otherwise for any"),
    FROM_OPTION (texts),
    TO_OPTION (texts),
    TOPIC_OPTION (texts),
    { "limit", 0, 0, G_OPTION_ARG_INT64, &self.limit,
      "At most so many messages; the default is 100, and 0 is all", "N" },
    { "all", 0, 0, G_OPTION_ARG_NONE, &self.wants_all,
      "Also what waits for no sink any more and is kept for a replay", NULL },
    G_OPTION_ENTRY_NULL,
  };

  return pen_cli_spool_do (&self, &texts, options, TRUE, pen_cli_spool_show);
}

static int
pen_cli_spool_run_check (PenCli *cli)
{
  PenCliSpool self = { .cli = cli };
  PenCliSpoolTexts texts = { NULL };
  const GOptionEntry options[] = {
    PEN_CLI_STATE_OPTION (&texts.state_dir),
    { "pipeline", 0, 0, G_OPTION_ARG_STRING, &self.pipeline, "Whose spool; otherwise all", "NAME" },
    { "repair", 0, 0, G_OPTION_ARG_NONE, &self.wants_repair,
      "Save what can be read of a damaged one into a new one; the old one stays beside it", NULL },
    G_OPTION_ENTRY_NULL,
  };

  return pen_cli_spool_do (&self, &texts, options, FALSE, pen_cli_spool_check);
}

static int
pen_cli_spool_run_replay (PenCli *cli)
{
  PenCliSpool self = { .cli = cli };
  PenCliSpoolTexts texts = { NULL };
  const GOptionEntry options[] = {
    PEN_CLI_STATE_OPTION (&texts.state_dir),
    PIPELINE_OPTION (self),
    SINK_OPTION (self, "To this sink; otherwise to each"),
    FROM_OPTION (texts),
    TO_OPTION (texts),
    TOPIC_OPTION (texts),
    YES_OPTION (self),
    G_OPTION_ENTRY_NULL,
  };

  return pen_cli_spool_do (&self, &texts, options, TRUE, pen_cli_spool_replay);
}

static int
pen_cli_spool_run_drop (PenCli *cli)
{
  PenCliSpool self = { .cli = cli };
  PenCliSpoolTexts texts = { NULL };
  const GOptionEntry options[] = {
    PEN_CLI_STATE_OPTION (&texts.state_dir),
    PIPELINE_OPTION (self),
    SINK_OPTION (self, "All that waits for this sink"),
    FROM_OPTION (texts),
    TO_OPTION (texts),
    TOPIC_OPTION (texts),
    YES_OPTION (self),
    G_OPTION_ENTRY_NULL,
  };

  return pen_cli_spool_do (&self, &texts, options, TRUE, pen_cli_spool_drop);
}

static const PenCliCommand spool_commands[] = {
  {
      .name = "spool ls",
      .summary = "List what waits in the spools, for whom, and since when",
      .description
      = "A line for each sink of each pipeline that has a spool, also of those that do not run.\n"
        "In a running pipeline, what was delivered within the last second may still be counted.\n"
        "\n"
        "Examples:\n"
        "  penstock spool ls\n"
        "  penstock spool ls --state-dir /var/lib/penstock --format json\n",
      .run = pen_cli_spool_run_ls,
  },
  {
      .name = "spool show",
      .summary = "Print messages of a spool, one JSON object a line",
      .description
      = "The oldest first. The payload is text where it is UTF-8, otherwise payload_base64.\n"
        "\n"
        "Examples:\n"
        "  penstock spool show --pipeline site-7 --limit 5\n"
        "  penstock spool show --pipeline site-7 --sink mysql --topic 'a/+/u/data' --from 2h\n",
      .run = pen_cli_spool_run_show,
  },
  {
      .name = "spool check",
      .summary = "Verify every message of the spools; repair what is damaged",
      .description
      = "Each message has a checksum. Looking disturbs nothing; --repair needs the pipeline to be\n"
        "stopped. A pipeline repairs its spool by itself when it starts.\n"
        "\n"
        "Exit status: 0 if all is good, 1 if something is damaged.\n"
        "\n"
        "Examples:\n"
        "  penstock spool check\n"
        "  penstock spool check --pipeline site-7 --repair\n",
      .run = pen_cli_spool_run_check,
  },
  {
      .name = "spool replay",
      .summary = "Send again what sinks have had already",
      .description
      = "Messages that are kept after delivery, which a keyfile asks for with spool-keep=7d, are\n"
        "appended to the spool once more, marked as replayed, and go out when the pipeline runs.\n"
        "What still waits comes anyway and is left out, and copies are not copied again. The\n"
        "pipeline must be stopped.\n"
        "\n"
        "Examples:\n"
        "  penstock spool replay --pipeline site-7 --sink mysql --from 2026-01-31T03:00:00Z\n"
        "  penstock spool replay --pipeline site-7 --from 6h --to 2h --yes\n",
      .run = pen_cli_spool_run_replay,
  },
  {
      .name = "spool drop",
      .summary = "Throw away messages that wait, or a whole spool",
      .description
      = "With --from, --to or --topic: these messages, for all sinks. With --sink: all that waits\n"
        "for this sink; if it is in the keyfile, it goes on with what comes next. With neither:\n"
        "the spool with all of its files. The pipeline must be stopped.\n"
        "\n"
        "Examples:\n"
        "  penstock spool drop --pipeline site-7 --sink old-database\n"
        "  penstock spool drop --pipeline site-7 --topic 'test/#'\n"
        "  penstock spool drop --pipeline gone --yes\n",
      .run = pen_cli_spool_run_drop,
  },
};

static const char *
pen_cli_spool_get_word (const PenCliCommand *command)
{
  return command->name + strlen ("spool ");
}

static int
pen_cli_spool_reject (const PenCli *cli, const char *word)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *quoted = pen_quote (word);
  g_autofree char *hint = NULL;
  g_autofree char *list = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (spool_commands); i++)
    g_ptr_array_add (names, (gpointer) pen_cli_spool_get_word (&spool_commands[i]));
  list = pen_suggest_list (names, "or");
  if (word[0] == '-')
    return pen_cli_complain (cli, "first comes %s, then its options such as %s", list, quoted);
  hint = pen_suggest_hint (word, names);
  return pen_cli_complain (cli, "unknown command %s%s", quoted, hint);
}

static int
pen_cli_spool_command (PenCli *cli)
{
  static const GOptionEntry no_options[] = { G_OPTION_ENTRY_NULL };
  const char *word = cli->arguments[1];
  gboolean wants_list = word == NULL || g_str_equal (word, "--help") || g_str_equal (word, "-h");
  g_autoptr (GString) summary = g_string_new (cli->command->summary);

  for (guint i = 0; i < G_N_ELEMENTS (spool_commands) && !wants_list; i++)
    {
      if (!g_str_equal (word, pen_cli_spool_get_word (&spool_commands[i])))
        continue;
      g_free (cli->arguments[0]);
      memmove (cli->arguments, cli->arguments + 1,
               g_strv_length (cli->arguments + 1) * sizeof (char *));
      cli->arguments[g_strv_length (cli->arguments) - 1] = NULL;
      cli->command = &spool_commands[i];
      return cli->command->run (cli);
    }
  if (!wants_list)
    return pen_cli_spool_reject (cli, word);
  g_string_append (summary, "\n\nCommands:");
  for (guint i = 0; i < G_N_ELEMENTS (spool_commands); i++)
    g_string_append_printf (summary, "\n  %-9s %s", pen_cli_spool_get_word (&spool_commands[i]),
                            spool_commands[i].summary);
  wants_list = word != NULL || cli->wants_help;
  pen_cli_print_help (cli, no_options, summary->str, cli->command->description,
                      wants_list ? stdout : stderr);
  return wants_list ? PEN_CLI_DONE : PEN_CLI_USAGE;
}

const PenCliCommand pen_cli_spool = {
  .name = "spool",
  .arguments = "COMMAND",
  .summary = "Look into spools, verify and repair them, replay and drop messages",
  .description
  = "A spool is the log on disk of a pipeline whose keyfile says spool=true: what has arrived and\n"
    "is not yet with every sink. 'penstock spool COMMAND --help' says more.\n",
  .run = pen_cli_spool_command,
};
