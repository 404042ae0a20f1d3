/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The stage of the kill matrix. Each case has a folder, a broker, a penstock command and a load of
 * its own; the load flows from before the first fault until after the last one. When something
 * happens is drawn from a seed that is printed.
 */

#include "config.h"

#include "pen-chaos.h"

#include "pen-certificates.h"
#include "pen-chaos-private.h"
#include "pen-command.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A little more than the thousand that is asked for: it takes some time to begin. */
#define DEFAULT_RATE 1200
#define N_SHORT 4
#define STABLE_MS 11000
#define MEMORY_LOOK_US (G_USEC_PER_SEC / 4)
#define CLOCK_NAME "clock"
/* The broker keeps all that comes, as README.md of sources/mqtt advises, and logs little. */
#define BROKER_LINES                                                                               \
  "max_queued_messages 0\nmax_queued_bytes 0\n"                                                    \
  "log_type none\nlog_type error\nlog_type warning\nlog_type subscribe"
/* All that it has, after so many changes: each message is three or so. */
#define SAVING_LINES BROKER_LINES "\nautosave_on_changes true\nautosave_interval 200"

typedef struct
{
  const PenChaosPlan *plan;
  const char *name;
  PenChaosFunc func;
  gboolean has_spool;
} PenChaosCase;

static guint
pen_chaos_get_number (const char *name, guint otherwise)
{
  const char *text = g_getenv (name);
  guint64 number = otherwise;

  if (text != NULL && !g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT32, &number, NULL))
    g_error ("%s is '%s': not a whole number", name, text);
  return (guint) number;
}

const PenChaosSettings *
pen_chaos_get_settings (void)
{
  static PenChaosSettings settings;

  if (settings.rate > 0)
    return &settings;
  settings.seed = pen_chaos_get_number ("PENSTOCK_CHAOS_SEED", g_random_int ());
  settings.n_faults = pen_chaos_get_number ("PENSTOCK_CHAOS_FAULTS", 0);
  settings.rate = MAX (pen_chaos_get_number ("PENSTOCK_CHAOS_RATE", DEFAULT_RATE), 1);
  settings.minutes = pen_chaos_get_number ("PENSTOCK_CHAOS_MINUTES", 0);
  settings.is_loss_expected = g_getenv ("PENSTOCK_CHAOS_EXPECT_LOSS") != NULL;
  settings.results = g_getenv ("PENSTOCK_CHAOS_RESULTS");
  return &settings;
}

guint
pen_chaos_get_n_faults (guint short_form)
{
  guint n_faults = pen_chaos_get_settings ()->n_faults;

  return n_faults > 0 ? n_faults : short_form;
}

/* --- The parts --- */

PenBroker *
pen_chaos_get_broker (PenChaos *self)
{
  return self->broker;
}

PenChaosProxy *
pen_chaos_get_proxy (PenChaos *self)
{
  return self->proxy;
}

const char *
pen_chaos_get_output_folder (PenChaos *self)
{
  return self->output_folder;
}

const char *
pen_chaos_get_state_folder (PenChaos *self)
{
  return self->state_folder;
}

guint
pen_chaos_get_n_numbers (PenChaos *self)
{
  return pen_chaos_ledger_get_tally (self->ledger)->n_numbers;
}

void
pen_chaos_skip (PenChaos *self, const char *reason)
{
  self->is_skipped = TRUE;
  g_test_skip (reason);
}

/* --- The command --- */

GPid
pen_chaos_get_pid (PenChaos *self)
{
  return (GPid) g_ascii_strtoll (g_subprocess_get_identifier (self->process), NULL, 10);
}

/* Both may be "". */
void
pen_chaos_write_keyfile (PenChaos *self, const char *more_pipeline_keys)
{
  guint port = self->proxy != NULL ? pen_chaos_proxy_get_port (self->proxy)
                                   : pen_broker_get_port (self->broker);
  g_autofree char *text = g_strdup_printf (
      "[pipeline]\nname=chaos\n%s%s\n"
      "[source mqtt]\nhost=127.0.0.1\nport=%u\ntopics=t/#\nkeep-alive=5s\n%s%s\n"
      "[sink file]\npath=%s/out.jsonl\n%s\n",
      self->has_spool ? "spool=true\n" : "", more_pipeline_keys, port,
      self->plan->is_plain ? "" : "cafile=ca.crt\n",
      self->plan->source_keys != NULL ? self->plan->source_keys : "", self->output_folder,
      self->plan->sink_keys != NULL ? self->plan->sink_keys : "");

  pen_test_write_file (self->folder, "chaos.pipeline", text);
}

/* A program that dies takes its command with it. */
static void
pen_chaos_die_with_parent (gpointer user_data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

/* glibc resolves a preloaded library's path in the child. */
static void
pen_chaos_lend_clock (PenChaos *self, GSubprocessLauncher *launcher)
{
  g_autofree char *path = g_build_filename (self->folder, CLOCK_NAME, NULL);
  const char *library = g_getenv ("PENSTOCK_CHAOS_CLOCK");

  g_assert_nonnull (library);
  g_subprocess_launcher_setenv (launcher, "LD_PRELOAD", library, TRUE);
  g_subprocess_launcher_setenv (launcher, "PENSTOCK_CHAOS_CLOCK_FILE", path, TRUE);
}

void
pen_chaos_spawn (PenChaos *self)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_autofree char *log = g_build_filename (self->folder, "penstock.log", NULL);
  g_autoptr (GError) error = NULL;
  const char *arguments[]
      = { pen_command_get_path (), "run", self->keyfile, self->has_spool ? "--state-dir" : NULL,
          self->state_folder,      NULL };

  g_clear_object (&self->process);
  g_subprocess_launcher_take_stderr_fd (
      launcher, open (log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  g_subprocess_launcher_set_child_setup (launcher, pen_chaos_die_with_parent, NULL, NULL);
  if (self->clock != NULL)
    pen_chaos_lend_clock (self, launcher);
  self->process = g_subprocess_launcher_spawnv (launcher, arguments, &error);
  g_assert_no_error (error);
}

void
pen_chaos_kill (PenChaos *self)
{
  g_subprocess_force_exit (self->process);
  g_subprocess_wait (self->process, NULL /* cancellable */, NULL /* error */);
}

void
pen_chaos_signal (PenChaos *self, int signal_number)
{
  g_subprocess_send_signal (self->process, signal_number);
}

/* What the command takes for now is so much later than it is. */
void
pen_chaos_set_clock (PenChaos *self, gint64 offset_us)
{
  __atomic_store_n (self->clock, offset_us, __ATOMIC_SEQ_CST);
}

static void
pen_chaos_make_clock (PenChaos *self)
{
  g_autofree char *path = g_build_filename (self->folder, CLOCK_NAME, NULL);
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  g_assert_cmpint (ftruncate (fd, sizeof *self->clock), ==, 0);
  self->clock = mmap (NULL, sizeof *self->clock, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  g_assert_true (self->clock != MAP_FAILED);
  close (fd);
}

/* --- Time --- */

static void
pen_chaos_look_at_memory (PenChaos *self)
{
  g_autofree char *path = NULL;
  g_autofree char *text = NULL;
  const char *line;
  gint64 now_us = g_get_monotonic_time ();

  if (self->process == NULL || g_subprocess_get_identifier (self->process) == NULL
      || now_us - self->memory_looked_us < MEMORY_LOOK_US)
    return;
  self->memory_looked_us = now_us;
  path = g_strdup_printf ("/proc/%d/status", (int) pen_chaos_get_pid (self));
  if (!g_file_get_contents (path, &text, NULL, NULL) || (line = strstr (text, "RssAnon:")) == NULL)
    return;
  self->memory_most_kib
      = MAX (self->memory_most_kib, g_ascii_strtoll (line + strlen ("RssAnon:"), NULL, 10));
}

void
pen_chaos_watch_memory (PenChaos *self)
{
  self->memory_most_kib = 0;
  self->memory_looked_us = 0;
  pen_chaos_look_at_memory (self);
  self->memory_before_kib = self->memory_most_kib;
}

void
pen_chaos_mark_memory (PenChaos *self)
{
  self->memory_marked_kib = self->memory_most_kib;
}

/* What a system's service manager does. */
static void
pen_chaos_supervise (PenChaos *self)
{
  if (!self->plan->is_supervised || self->is_ending || self->process == NULL
      || g_subprocess_get_identifier (self->process) != NULL)
    return;
  self->n_ends++;
  pen_chaos_spawn (self);
}

void
pen_chaos_look (PenChaos *self)
{
  pen_chaos_supervise (self);
  if (!self->is_reader_held)
    pen_chaos_ledger_read (self->ledger);
  if (self->fault_over_us != 0 && pen_chaos_get_n_numbers (self) > self->n_numbers_before)
    {
      gint64 recovery_us = g_get_monotonic_time () - self->fault_over_us;

      g_array_append_val (self->recoveries, recovery_us);
      self->fault_over_us = 0;
    }
  pen_chaos_look_at_memory (self);
}

typedef struct
{
  PenChaos *self;
  PenTestCondition condition; /* NULL: never */
  guint n_wanted;
} PenChaosWait;

static gboolean
pen_chaos_is_met (gpointer user_data)
{
  const PenChaosWait *wait = user_data;

  pen_chaos_look (wait->self);
  return wait->condition != NULL && wait->condition (wait->self);
}

gboolean
pen_chaos_wait (PenChaos *self, PenTestCondition condition, guint timeout_ms)
{
  PenChaosWait wait = { self, condition, 0 };

  return pen_test_wait (pen_chaos_is_met, &wait, timeout_ms);
}

/* The time between two faults, or that a fault takes. */
void
pen_chaos_pass (PenChaos *self, guint milliseconds)
{
  pen_chaos_wait (self, NULL, milliseconds);
}

/* Before the fault number @index. The source waits twice as long after each connection that was a
 * short one, up to a minute: now and then one has to be a long one. */
void
pen_chaos_let_settle (PenChaos *self, guint index)
{
  if (index % N_SHORT == N_SHORT - 1)
    pen_chaos_pass (self, STABLE_MS);
}

guint
pen_chaos_random (PenChaos *self, guint from, guint below)
{
  return (guint) g_rand_int_range (self->random, (gint32) from, (gint32) below);
}

static gboolean
pen_chaos_has_numbers (gpointer user_data)
{
  const PenChaosWait *wait = user_data;

  pen_chaos_look (wait->self);
  return pen_chaos_get_n_numbers (wait->self) >= wait->n_wanted;
}

/* Until so many more different ones have come. */
gboolean
pen_chaos_await_numbers (PenChaos *self, guint n_more)
{
  PenChaosWait wait = { self, NULL, 0 };

  pen_chaos_look (self);
  wait.n_wanted = pen_chaos_get_n_numbers (self) + n_more;
  return pen_test_wait (pen_chaos_has_numbers, &wait, PEN_CHAOS_WAIT_MS);
}

/* They come; a working instance does not leave us waiting. */
void
pen_chaos_expect_numbers (PenChaos *self, guint n_more)
{
  if (pen_chaos_await_numbers (self, n_more))
    return;
  pen_chaos_show_log (self);
  g_assert_not_reached ();
}

void
pen_chaos_fault_counted (PenChaos *self)
{
  self->n_faults++;
}

void
pen_chaos_fault_over (PenChaos *self)
{
  self->fault_over_us = 0;
  pen_chaos_look (self);
  self->fault_over_us = g_get_monotonic_time ();
  self->n_numbers_before = pen_chaos_get_n_numbers (self);
  self->n_faults++;
}

void
pen_chaos_hold_reader (PenChaos *self, gboolean is_held)
{
  self->is_reader_held = is_held;
}

/* --- The broker --- */

static gboolean
pen_chaos_load_has_noticed (gpointer user_data)
{
  PenChaos *self = user_data;

  return !pen_chaos_load_is_connected (self->load);
}

/* Mosquitto writes all that it has into a new file, which then takes the old one's place, and
 * answers nobody meanwhile: what it confirmed before the last change of the file is in it. What it
 * confirmed afterwards is gone, and no client can do anything about that. */
void
pen_chaos_kill_broker (PenChaos *self)
{
  g_autofree char *path = g_build_filename (self->folder, "mosquitto.db", NULL);
  PenChaosGap gap = { 0, 0 };
  struct stat status;

  pen_broker_kill (self->broker);
  if (stat (path, &status) == 0)
    gap.saved_us = status.st_mtim.tv_sec * G_USEC_PER_SEC + status.st_mtim.tv_nsec / 1000;
  /* the last confirmations may still be on their way to the publisher */
  g_assert_true (pen_chaos_wait (self, pen_chaos_load_has_noticed, PEN_CHAOS_WAIT_MS));
  gap.started_us = g_get_real_time ();
  g_array_append_val (self->gaps, gap);
}

static gboolean
pen_chaos_has_subscribed (gpointer user_data)
{
  PenChaos *self = user_data;
  g_autofree char *text = pen_broker_read_log (self->broker);

  return strstr (text, " t/#") != NULL;
}

static void
pen_chaos_start_broker (PenChaos *self)
{
  const PenBrokerOptions options = { .certificate = self->plan->is_plain ? NULL : "server",
                                     .forgets = !self->plan->saves,
                                     .extra = self->plan->saves ? SAVING_LINES : BROKER_LINES };

  self->broker = pen_broker_new (self->folder, &options);
  pen_broker_start (self->broker);
}

/* --- From beginning to end --- */

/* FALSE where that is not allowed. */
static gboolean
pen_chaos_mount (const char *folder, guint mib)
{
  g_autofree char *options = g_strdup_printf ("size=%um", mib);

  return mib == 0 || mount ("tmpfs", folder, "tmpfs", 0, options) == 0;
}

static gboolean
pen_chaos_make_folders (PenChaos *self)
{
  self->output_folder = g_build_filename (self->folder, "output", NULL);
  self->state_folder = g_build_filename (self->folder, "state", NULL);
  self->keyfile = g_build_filename (self->folder, "chaos.pipeline", NULL);
  g_assert_cmpint (mkdir (self->output_folder, 0700), ==, 0);
  g_assert_cmpint (mkdir (self->state_folder, 0700), ==, 0);
  return pen_chaos_mount (self->output_folder, self->plan->output_mib)
         && pen_chaos_mount (self->state_folder, self->plan->state_mib);
}

static void
pen_chaos_start (PenChaos *self)
{
  g_autofree char *output = g_build_filename (self->output_folder, "out.jsonl", NULL);

  self->random = g_rand_new_with_seed (pen_chaos_get_settings ()->seed ^ g_str_hash (self->name));
  self->recoveries = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->gaps = g_array_new (FALSE, FALSE, sizeof (PenChaosGap));
  self->ledger = pen_chaos_ledger_new (output);
  if (self->plan->writes_to_pipe)
    g_assert_cmpint (mkfifo (output, 0600), ==, 0);
  pen_certificates_make (self->folder);
  pen_chaos_start_broker (self);
  if (self->plan->has_proxy)
    self->proxy = pen_chaos_proxy_new (pen_broker_get_port (self->broker));
  if (self->plan->has_clock)
    pen_chaos_make_clock (self);
  pen_chaos_write_keyfile (self, "");
  pen_chaos_look (self);
  pen_chaos_spawn (self);
  g_assert_true (pen_chaos_wait (self, pen_chaos_has_subscribed, PEN_CHAOS_WAIT_MS));
  self->begun_us = g_get_monotonic_time ();
  self->load = pen_chaos_load_new (pen_broker_get_plain_port (self->broker),
                                   pen_chaos_get_settings ()->rate);
  pen_chaos_expect_numbers (self, pen_chaos_get_settings ()->rate / 4);
}

static void
pen_chaos_clear (PenChaos *self)
{
  g_clear_pointer (&self->load, pen_chaos_load_free);
  g_clear_object (&self->process);
  g_clear_pointer (&self->proxy, pen_chaos_proxy_free);
  g_clear_pointer (&self->broker, pen_broker_free);
  g_clear_pointer (&self->ledger, pen_chaos_ledger_free);
  g_clear_pointer (&self->random, g_rand_free);
  g_clear_pointer (&self->recoveries, g_array_unref);
  g_clear_pointer (&self->gaps, g_array_unref);
  if (self->clock != NULL)
    munmap (self->clock, sizeof *self->clock);
  umount2 (self->output_folder, MNT_DETACH);
  umount2 (self->state_folder, MNT_DETACH);
  g_free (self->output_folder);
  g_free (self->state_folder);
  g_free (self->keyfile);
  if (g_getenv ("PENSTOCK_CHAOS_KEEP") == NULL)
    pen_test_remove_folder (self->folder);
}

static void
pen_chaos_run_case (gconstpointer user_data)
{
  const PenChaosCase *chosen = user_data;
  PenChaos self = { .name = chosen->name, .plan = chosen->plan, .has_spool = chosen->has_spool };

  if (pen_broker_find_program () == NULL)
    {
      g_test_skip ("Mosquitto is not installed");
      return;
    }
  self.folder = pen_test_make_folder ();
  if (pen_chaos_make_folders (&self))
    {
      pen_chaos_start (&self);
      chosen->func (&self);
      if (self.is_skipped)
        pen_chaos_kill (&self);
      else
        pen_chaos_settle_account (&self);
    }
  else
    g_test_skip ("a small file system cannot be mounted here: needs root");
  pen_chaos_clear (&self);
}

static void
pen_chaos_add_case (const char *name,
                    gboolean has_spool,
                    const PenChaosPlan *plan,
                    PenChaosFunc func)
{
  PenChaosCase *added = g_new0 (PenChaosCase, 1);
  g_autofree char *path = g_strdup_printf ("/chaos/%s/%s", has_spool ? "spool" : "direct", name);

  added->plan = plan;
  added->name = name;
  added->func = func;
  added->has_spool = has_spool;
  g_test_add_data_func_full (path, added, (GTestDataFunc) pen_chaos_run_case, g_free);
}

void
pen_chaos_add (const char *name, PenChaosModes modes, const PenChaosPlan *plan, PenChaosFunc func)
{
  if ((modes & PEN_CHAOS_DIRECT) != 0)
    pen_chaos_add_case (name, FALSE, plan, func);
  if ((modes & PEN_CHAOS_SPOOL) != 0)
    pen_chaos_add_case (name, TRUE, plan, func);
}
