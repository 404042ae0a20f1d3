/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * penstock spool check: whether all messages are what they were when they came. The store tells
 * what is damaged while it is read; opening it for writing repairs it.
 */

#include "config.h"

#include "pen-cli-spool.h"

static gboolean
pen_cli_check_on_record (PenCliSpool *self, const PenSpoolRecord *record, gpointer user_data)
{
  guint64 *n_good = user_data;

  *n_good += 1;
  return TRUE;
}

/* Every message, and then what only shows when all pages are looked at. */
static gboolean
pen_cli_check_read (PenCliSpool *self, PenSpoolStore *store, const char *pipeline, guint64 *n_good)
{
  g_autoptr (GError) error = NULL;
  PenSpoolStatus status;

  pen_spool_store_get_status (store, &status);
  if (pen_cli_spool_walk (self, store, status.newest, pipeline, pen_cli_check_on_record, n_good,
                          &error)
      && (self->n_damages > 0 || pen_spool_store_verify (store, &error)))
    return self->n_damages == 0;
  pen_cli_spool_tell (self, "%s", error->message);
  return FALSE;
}

/* Whether all of it is good; what is not is told. */
static gboolean
pen_cli_check_store (PenCliSpool *self, const char *pipeline)
{
  PenSpoolStatus spool_status;
  guint64 n_good = 0;
  gboolean is_good;
  g_autofree char *count = NULL;
  g_autofree char *bytes = NULL;
  int status = PEN_CLI_DONE;
  PenSpoolStore *store = pen_cli_spool_open (self, pipeline, PEN_SPOOL_STORE_READ_ONLY, &status);

  if (store == NULL)
    return FALSE;
  is_good = pen_cli_check_read (self, store, pipeline, &n_good);
  pen_cli_progress_clear (&self->progress);
  pen_spool_store_get_status (store, &spool_status);
  pen_spool_store_close (store, FALSE /* all_settled: nothing is written */);
  count = pen_cli_format_count (n_good);
  bytes = pen_cli_format_bytes (spool_status.used_bytes);
  printf ("%s: %s message%s in %s: %s\n", pipeline, count, n_good == 1 ? "" : "s", bytes,
          is_good ? "good" : "damaged");
  fflush (stdout);
  if (!is_good && !self->wants_repair)
    pen_cli_spool_tell (self,
                        "what is damaged is left out when it is read. To save the rest into a new "
                        "file, stop the pipeline and call 'penstock spool check --repair "
                        "--pipeline %s'; starting the pipeline does the same",
                        pipeline);
  return is_good;
}

/* Opening it repairs it, and tells. */
static gboolean
pen_cli_check_repair (PenCliSpool *self, const char *pipeline)
{
  PenSpoolStatus spool_status;
  int status = PEN_CLI_DONE;
  PenSpoolStore *store = pen_cli_spool_open (self, pipeline, PEN_SPOOL_STORE_NONE, &status);

  if (store == NULL)
    return FALSE;
  pen_spool_store_get_status (store, &spool_status);
  pen_spool_store_close (store, spool_status.was_closed);
  self->n_damages = 0;
  return TRUE;
}

static gboolean
pen_cli_check_pipeline (PenCliSpool *self, const char *pipeline)
{
  self->progress = (PenCliProgress){ 0 };
  self->n_damages = 0;
  if (pen_cli_check_store (self, pipeline))
    return TRUE;
  if (!self->wants_repair)
    return FALSE;
  return pen_cli_check_repair (self, pipeline) && pen_cli_check_store (self, pipeline);
}

/* documented in the header */
int
pen_cli_spool_check (PenCliSpool *self)
{
  int status = PEN_CLI_DONE;
  g_auto (GStrv) names = pen_cli_spool_list (self, &status);
  gboolean is_good = TRUE;

  if (names == NULL)
    return status;
  for (guint i = 0; names[i] != NULL; i++)
    if (self->pipeline == NULL || g_str_equal (self->pipeline, names[i]))
      is_good &= pen_cli_check_pipeline (self, names[i]);
  if (names[0] == NULL)
    fprintf (stderr, "No spools are in '%s'.\n", self->state_folder);
  return is_good ? PEN_CLI_DONE : PEN_CLI_FAULTY;
}
