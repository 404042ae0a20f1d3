/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Watches a file that a consumer appends lines to and takes the time from the microsecond in each
 * line (see --stamp-time of bench-load) until the line is in the file, which inotify tells.
 *
 * It says on its standard output: "watching T -", "first T -" when the file is no longer empty, and
 * after N lines "lines T N", then "p50 T X", "p99 …", "p99.9 …" and "most …", X in microseconds.
 */

#include "config.h"

#include "bench-corpus.h"
#include "bench-sender.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define READ_BYTES 65536

typedef struct
{
  int fd;
  GByteArray *text;  /* that is not a whole line yet */
  GArray *latencies; /* gint64, microseconds */
  guint64 n_lines;
} BenchWatch;

static char *option_file;
static char *option_stamp;
static gint64 option_count = 1000;
static gboolean option_skip;

static const GOptionEntry option_entries[] = {
  { "file", 'f', 0, G_OPTION_ARG_FILENAME, &option_file, "File to watch; made if missing", "FILE" },
  { "stamp", 's', 0, G_OPTION_ARG_STRING, &option_stamp,
    "Field with the microsecond; without it only the first and the last line are told", "FIELD" },
  { "count", 'n', 0, G_OPTION_ARG_INT64, &option_count, "Lines to wait for (1000)", "N" },
  { "skip", 0, 0, G_OPTION_ARG_NONE, &option_skip, "Begin behind what is there already", NULL },
  { NULL },
};

static gboolean
bench_watch_take_line (BenchWatch *self, const char *line, gsize length, gint64 now_us)
{
  const char *stamp;
  guint64 then;
  gint64 latency_us;

  self->n_lines++;
  if (option_stamp == NULL)
    return TRUE;
  stamp = bench_corpus_find_stamp (line, length, option_stamp);
  if (stamp == NULL)
    return FALSE;
  then = g_ascii_strtoull (stamp, NULL, 10) - BENCH_STAMP_FIRST;
  latency_us = (gint64) (((guint64) now_us + BENCH_STAMP_RANGE - then) % BENCH_STAMP_RANGE);
  g_array_append_val (self->latencies, latency_us);
  return TRUE;
}

/* Reads what was added; FALSE if a line is without a stamp or the file cannot be read. */
static gboolean
bench_watch_read (BenchWatch *self)
{
  gsize at = 0;
  gint64 now_us;
  ssize_t n_read;
  const guint8 *end;

  do
    {
      guint before = self->text->len;

      g_byte_array_set_size (self->text, before + READ_BYTES);
      n_read = read (self->fd, self->text->data + before, READ_BYTES);
      g_byte_array_set_size (self->text, before + (guint) MAX (n_read, 0));
    }
  while (n_read == READ_BYTES);
  now_us = g_get_monotonic_time ();
  if (self->n_lines == 0 && self->text->len > 0)
    bench_sender_tell ("first", now_us, "-");
  while ((end = memchr (self->text->data + at, '\n', self->text->len - at)) != NULL)
    {
      gsize length = (gsize) (end - self->text->data) - at;

      if (!bench_watch_take_line (self, (const char *) self->text->data + at, length, now_us))
        {
          g_printerr ("bench-watch: error: line %" G_GUINT64_FORMAT " of '%s' has no '%s'\n",
                      self->n_lines, option_file, option_stamp);
          return FALSE;
        }
      at += length + 1;
    }
  if (at > 0)
    g_byte_array_remove_range (self->text, 0, (guint) at);
  return n_read >= 0;
}

static gint
bench_watch_compare (gconstpointer a, gconstpointer b)
{
  const gint64 *first = a;
  const gint64 *second = b;

  return *first < *second ? -1 : *first > *second;
}

static void
bench_watch_tell_share (BenchWatch *self, const char *what, double share)
{
  guint at = (guint) (share * self->latencies->len);
  gint64 latency_us = g_array_index (self->latencies, gint64, MIN (at, self->latencies->len - 1));
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, latency_us);

  bench_sender_tell (what, g_get_monotonic_time (), text);
}

static void
bench_watch_tell (BenchWatch *self)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, self->n_lines);

  bench_sender_tell ("lines", g_get_monotonic_time (), text);
  if (self->latencies->len == 0)
    return;
  g_array_sort (self->latencies, bench_watch_compare);
  bench_watch_tell_share (self, "p50", 0.5);
  bench_watch_tell_share (self, "p99", 0.99);
  bench_watch_tell_share (self, "p99.9", 0.999);
  bench_watch_tell_share (self, "most", 1.0);
}

static gboolean
bench_watch_run (BenchWatch *self)
{
  char events[4096] __attribute__ ((aligned (__alignof__(struct inotify_event))));
  int notifier = inotify_init1 (IN_CLOEXEC);

  self->fd = open (option_file, O_RDONLY | O_CREAT | O_CLOEXEC, 0640);
  if (self->fd < 0 || notifier < 0 || inotify_add_watch (notifier, option_file, IN_MODIFY) < 0)
    {
      g_printerr ("bench-watch: error: cannot watch '%s': %s\n", option_file, g_strerror (errno));
      return FALSE;
    }
  if (option_skip)
    lseek (self->fd, 0, SEEK_END);
  bench_sender_tell ("watching", g_get_monotonic_time (), "-");
  while (self->n_lines < (guint64) option_count)
    if (!bench_watch_read (self)
        || (self->n_lines < (guint64) option_count && read (notifier, events, sizeof events) < 0))
      return FALSE;
  bench_watch_tell (self);
  close (notifier);
  close (self->fd);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GByteArray) text = g_byte_array_new ();
  g_autoptr (GArray) latencies = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GError) error = NULL;
  BenchWatch self = { .text = text, .latencies = latencies };

  setlocale (LC_ALL, "");
  g_option_context_set_summary (context, "Takes the time until lines are in a file.");
  g_option_context_add_main_entries (context, option_entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      g_printerr ("bench-watch: error: %s\n", error->message);
      return 2;
    }
  if (option_file == NULL)
    {
      g_printerr ("bench-watch: error: --file is missing\n");
      return 2;
    }
  return bench_watch_run (&self) ? 0 : 1;
}
