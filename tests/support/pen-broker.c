/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A real Mosquitto for a test: started with a configuration of its own on ports that the kernel
 * picked, waited for until it accepts connections, and stopped, killed, or started again on the
 * same ports. With TLS it listens on a plain port as well, for the test's own publisher.
 */

#include "config.h"

#include "pen-broker.h"
#include "pen-test.h"

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_TIMEOUT_MS 10000

struct _PenBroker
{
  char *folder;
  char *certificate;
  char *client_ca;
  char *username;
  char *extra;
  gboolean forgets;
  gboolean saves_at_once;
  guint plain_port;
  guint tls_port; /* 0: no TLS */
  GPid pid;       /* 0: not running */
};

/* Where Mosquitto is, NULL if it is not installed; /usr/sbin is not in everyone's PATH. */
const char *
pen_broker_find_program (void)
{
  static const char *const paths[]
      = { "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto" };

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    if (g_file_test (paths[i], G_FILE_TEST_IS_EXECUTABLE))
      return paths[i];
  return NULL;
}

/* A port of 127.0.0.1 that was free a moment ago. */
guint
pen_test_find_free_port (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t length = sizeof address;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, length), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &address, &length), ==, 0);
  close (fd);
  return ntohs (address.sin_port);
}

static gboolean
pen_broker_accepts (gpointer user_data)
{
  const guint *port = user_data;
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons ((guint16) *port) };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int status;

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  status = connect (fd, (struct sockaddr *) &address, sizeof address);
  close (fd);
  return status == 0;
}

static void
pen_broker_make_passwords (PenBroker *self, const char *password)
{
  g_autofree char *path = g_build_filename (self->folder, "passwords", NULL);
  const char *arguments[]
      = { "mosquitto_passwd", "-b", "-c", path, self->username, password, NULL };
  g_autoptr (GError) error = NULL;
  int status = 0;

  g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                &status, &error);
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, 0);
}

/* Mosquitto leaves root for a user who could not read our folder, unless told otherwise. */
static void
pen_broker_write_configuration (PenBroker *self)
{
  g_autoptr (GString) text = g_string_new ("user root\nper_listener_settings false\n");

  g_string_append_printf (text, "log_dest file %s/broker.log\nlog_type all\n", self->folder);
  /* At its end it saves all; at once, it writes everything it has for each message. */
  if (!self->forgets)
    g_string_append_printf (text, "persistence true\npersistence_location %s/\n", self->folder);
  if (self->saves_at_once)
    g_string_append (text, "autosave_on_changes true\nautosave_interval 1\n");
  if (self->username != NULL)
    g_string_append_printf (text, "allow_anonymous false\npassword_file %s/passwords\n",
                            self->folder);
  else
    g_string_append (text, "allow_anonymous true\n");
  if (self->extra != NULL)
    g_string_append_printf (text, "%s\n", self->extra);
  g_string_append_printf (text, "listener %u 127.0.0.1\n", self->plain_port);
  if (self->certificate != NULL)
    g_string_append_printf (text, "listener %u 127.0.0.1\ncertfile %s/%s.crt\nkeyfile %s/%s.key\n",
                            self->tls_port, self->folder, self->certificate, self->folder,
                            self->certificate);
  if (self->client_ca != NULL)
    g_string_append_printf (text, "cafile %s/%s.crt\nrequire_certificate true\n", self->folder,
                            self->client_ca);
  pen_test_write_file (self->folder, "broker.conf", text->str);
}

/* A broker whose files and certificates are in @folder; started with pen_broker_start (). */
PenBroker *
pen_broker_new (const char *folder, const PenBrokerOptions *options)
{
  PenBroker *self = g_new0 (PenBroker, 1);

  self->folder = g_strdup (folder);
  self->certificate = g_strdup (options->certificate);
  self->client_ca = g_strdup (options->client_ca);
  self->username = g_strdup (options->username);
  self->extra = g_strdup (options->extra);
  self->forgets = options->forgets;
  self->saves_at_once = options->saves_at_once;
  self->plain_port = pen_test_find_free_port ();
  self->tls_port = options->certificate == NULL ? 0 : pen_test_find_free_port ();
  if (self->username != NULL)
    pen_broker_make_passwords (self, options->password);
  return self;
}

void
pen_broker_free (PenBroker *self)
{
  pen_broker_kill (self);
  g_free (self->folder);
  g_free (self->certificate);
  g_free (self->client_ca);
  g_free (self->username);
  g_free (self->extra);
  g_free (self);
}

/* A test that dies takes its broker with it. */
static void
pen_broker_die_with_parent (gpointer user_data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

void
pen_broker_start (PenBroker *self)
{
  g_autofree char *configuration = g_build_filename (self->folder, "broker.conf", NULL);
  const char *arguments[] = { pen_broker_find_program (), "-c", configuration, NULL };
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (self->pid, ==, 0);
  pen_broker_write_configuration (self);
  g_spawn_async (NULL, (char **) arguments, NULL,
                 G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL
                     | G_SPAWN_STDERR_TO_DEV_NULL,
                 pen_broker_die_with_parent, NULL, &self->pid, &error);
  g_assert_no_error (error);
  g_assert_true (pen_test_wait (pen_broker_accepts, &self->plain_port, START_TIMEOUT_MS));
  if (self->tls_port != 0)
    g_assert_true (pen_test_wait (pen_broker_accepts, &self->tls_port, START_TIMEOUT_MS));
}

static void
pen_broker_end (PenBroker *self, int signal_number)
{
  if (self->pid == 0)
    return;
  kill (self->pid, signal_number);
  waitpid (self->pid, NULL, 0);
  g_spawn_close_pid (self->pid);
  self->pid = 0;
}

void
pen_broker_stop (PenBroker *self)
{
  pen_broker_end (self, SIGTERM);
}

void
pen_broker_kill (PenBroker *self)
{
  pen_broker_end (self, SIGKILL);
}

/* A suspended broker holds its connections and answers nothing. */
void
pen_broker_suspend (PenBroker *self, gboolean suspended)
{
  kill (self->pid, suspended ? SIGSTOP : SIGCONT);
}

/* From its next start on. */
void
pen_broker_set_certificate (PenBroker *self, const char *certificate)
{
  g_free (self->certificate);
  self->certificate = g_strdup (certificate);
}

/* The TLS port where it has one, else the plain one. */
guint
pen_broker_get_port (PenBroker *self)
{
  return self->tls_port != 0 ? self->tls_port : self->plain_port;
}

guint
pen_broker_get_plain_port (PenBroker *self)
{
  return self->plain_port;
}

char *
pen_broker_read_log (PenBroker *self)
{
  g_autofree char *path = g_build_filename (self->folder, "broker.log", NULL);
  char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? text : g_strdup ("");
}
