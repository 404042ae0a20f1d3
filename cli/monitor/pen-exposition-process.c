/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the process uses, under the names that all of Prometheus' client libraries give it
 * (https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics), and what there is
 * to say of the process as a whole.
 */

#include "config.h"

#include "pen-exposition-private.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MICROSECOND_DIGITS 6
/* of /proc/self/stat, behind the name of the program: proc(5), counted from the state on */
#define STAT_THREADS 17
#define STAT_START 19
#define STAT_VIRTUAL 20
#define STAT_RESIDENT 21
#define STAT_FIELDS 22

typedef struct
{
  GString *text;
  gboolean is_open_metrics;
} PenProcessWriter;

static void
pen_exposition_append_value (PenProcessWriter *writer,
                             const char *name,
                             PenFamilyType type,
                             const char *help,
                             gint64 value,
                             guint n_digits)
{
  pen_exposition_append_head (writer->text, "", name, type, help, writer->is_open_metrics);
  g_string_append_printf (writer->text, "%s%s ", name, type == PEN_FAMILY_COUNTER ? "_total" : "");
  pen_exposition_append_parts (writer->text, value, n_digits);
  g_string_append_c (writer->text, '\n');
}

static gint64
pen_exposition_count_descriptors (void)
{
  g_autoptr (GDir) folder = g_dir_open ("/proc/self/fd", 0, NULL);
  gint64 count = 0;

  while (folder != NULL && g_dir_read_name (folder) != NULL)
    count++;
  return MAX (count - 1, 0); /* without that of the folder itself */
}

/* When the system started, in microseconds since 1970. */
static gint64
pen_exposition_get_boot_time (void)
{
  struct timespec since_boot;

  clock_gettime (CLOCK_BOOTTIME, &since_boot);
  return g_get_real_time () - since_boot.tv_sec * G_USEC_PER_SEC - since_boot.tv_nsec / 1000;
}

/* When the process started, which stays what was found first: clocks drift. */
static gint64
pen_exposition_get_start_time (gint64 ticks)
{
  static gint64 start_us; /* of the thread that answers */

  if (start_us == 0)
    start_us = pen_exposition_get_boot_time () + ticks * G_USEC_PER_SEC / sysconf (_SC_CLK_TCK);
  return start_us;
}

static void
pen_exposition_append_stat (PenProcessWriter *writer)
{
  g_autofree char *stat = NULL;
  g_auto (GStrv) fields = NULL;
  const char *behind;

  if (!g_file_get_contents ("/proc/self/stat", &stat, NULL, NULL))
    return;
  behind = strrchr (stat, ')');
  if (behind == NULL || behind[1] == '\0')
    return;
  fields = g_strsplit (behind + 2, " ", -1);
  if (g_strv_length (fields) < STAT_FIELDS)
    return;
  pen_exposition_append_value (writer, "process_virtual_memory_bytes", PEN_FAMILY_GAUGE,
                               "Virtual memory size in bytes.",
                               g_ascii_strtoll (fields[STAT_VIRTUAL], NULL, 10), 0);
  pen_exposition_append_value (
      writer, "process_resident_memory_bytes", PEN_FAMILY_GAUGE, "Resident memory size in bytes.",
      g_ascii_strtoll (fields[STAT_RESIDENT], NULL, 10) * sysconf (_SC_PAGESIZE), 0);
  pen_exposition_append_value (writer, "process_threads", PEN_FAMILY_GAUGE,
                               "Number of OS threads in the process.",
                               g_ascii_strtoll (fields[STAT_THREADS], NULL, 10), 0);
  pen_exposition_append_value (
      writer, "process_start_time_seconds", PEN_FAMILY_GAUGE,
      "Start time of the process since unix epoch in seconds.",
      pen_exposition_get_start_time (g_ascii_strtoll (fields[STAT_START], NULL, 10)),
      MICROSECOND_DIGITS);
}

static void
pen_exposition_append_resources (PenProcessWriter *writer)
{
  struct rusage usage;
  struct rlimit files;
  struct rlimit memory;

  getrusage (RUSAGE_SELF, &usage);
  getrlimit (RLIMIT_NOFILE, &files);
  getrlimit (RLIMIT_AS, &memory);
  pen_exposition_append_value (writer, "process_cpu_seconds", PEN_FAMILY_COUNTER,
                               "Total user and system CPU time spent in seconds.",
                               (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * G_USEC_PER_SEC
                                   + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec,
                               MICROSECOND_DIGITS);
  pen_exposition_append_value (writer, "process_open_fds", PEN_FAMILY_GAUGE,
                               "Number of open file descriptors.",
                               pen_exposition_count_descriptors (), 0);
  pen_exposition_append_value (writer, "process_max_fds", PEN_FAMILY_GAUGE,
                               "Maximum number of open file descriptors.",
                               (gint64) MIN (files.rlim_cur, G_MAXINT64), 0);
  if (memory.rlim_cur != RLIM_INFINITY)
    pen_exposition_append_value (writer, "process_virtual_memory_max_bytes", PEN_FAMILY_GAUGE,
                                 "Maximum amount of virtual memory available in bytes.",
                                 (gint64) memory.rlim_cur, 0);
  pen_exposition_append_stat (writer);
}

static void
pen_exposition_append_states (PenProcessWriter *writer, GPtrArray *statuses)
{
  gint64 counts[PEN_STATUS_N_STATES] = { 0 };

  for (guint i = 0; i < statuses->len; i++)
    counts[pen_status_get_state (g_ptr_array_index (statuses, i))]++;
  pen_exposition_append_head (writer->text, "penstock_", "pipelines", PEN_FAMILY_GAUGE,
                              "Pipelines in each state.", writer->is_open_metrics);
  for (guint i = 0; i < PEN_STATUS_N_STATES; i++)
    g_string_append_printf (writer->text, "penstock_pipelines{state=\"%s\"} %" G_GINT64_FORMAT "\n",
                            pen_status_state_get_nick ((PenStatusState) i), counts[i]);
}

/* documented in the private header */
void
pen_exposition_append_process (GString *text,
                               GPtrArray *statuses,
                               const PenExpositionHttp *http,
                               gboolean is_open_metrics)
{
  PenProcessWriter writer = { text, is_open_metrics };

  pen_exposition_append_head (text, "penstock_", "build_info", PEN_FAMILY_GAUGE,
                              "Which Penstock runs; always 1.", is_open_metrics);
  g_string_append_printf (text, "penstock_build_info{version=\"%s\",glib_version=\"%u.%u.%u\"} 1\n",
                          PACKAGE_VERSION, glib_major_version, glib_minor_version,
                          glib_micro_version);
  pen_exposition_append_states (&writer, statuses);
  pen_exposition_append_value (&writer, "penstock_http_requests", PEN_FAMILY_COUNTER,
                               "Requests to --listen, this one included.", http->n_requests, 0);
  pen_exposition_append_value (&writer, "penstock_http_connections_refused", PEN_FAMILY_COUNTER,
                               "Connections to --listen that were closed because of too many.",
                               http->n_refused, 0);
  pen_exposition_append_value (&writer, "penstock_http_connections_cut", PEN_FAMILY_COUNTER,
                               "Connections to --listen that took too long.", http->n_cut, 0);
  pen_exposition_append_resources (&writer);
}
