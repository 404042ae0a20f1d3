/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * --listen, and sockets that systemd passes.
 *
 * A socket is bound before anything starts, so that an address that is taken ends the command
 * rather than being found out when nobody looks any more. What systemd passes is as
 * sd_listen_fds(3) says; its library is not needed for three variables.
 */

#include "config.h"

#include "pen-cli-listen.h"

#include "pen-monitor-module.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <gmodule.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_PASSED 3
#define MAX_PASSED 16

struct _PenCliListen
{
  GPtrArray *sockets; /* (element-type GSocket) */
  const PenMonitorModule *module;
  PenMonitor *monitor;
};

/* --- Addresses --- */

/* (transfer full): of "127.0.0.1:9473" or "[::1]:0" */
static GSocketAddress *
pen_cli_listen_parse (const char *text, GError **error)
{
  const char *colon = strrchr (text, ':');
  g_autofree char *host = g_strndup (text, colon != NULL ? (gsize) (colon - text) : 0);
  gsize length = strlen (host);
  g_autoptr (GInetAddress) address = NULL;
  guint64 port = 0;

  if (length > 2 && host[0] == '[' && host[length - 1] == ']')
    {
      host[length - 1] = '\0';
      address = g_inet_address_new_from_string (host + 1);
    }
  else if (g_str_equal (host, "localhost"))
    address = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  else if (strchr (host, ':') == NULL)
    address = g_inet_address_new_from_string (host);
  if (address != NULL && g_ascii_string_to_unsigned (colon + 1, 10, 0, G_MAXUINT16, &port, NULL))
    return g_inet_socket_address_new (address, (guint16) port);
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               "--listen takes an IP address and a port, such as 127.0.0.1:9473, [::1]:9473, or "
               "0.0.0.0:9473 for all that can reach this machine; not '%s'",
               text);
  return NULL;
}

/* documented in the header */
gboolean
pen_cli_listen_check (const char *address, GError **error)
{
  g_autoptr (GSocketAddress) parsed = pen_cli_listen_parse (address, error);

  return parsed != NULL;
}

static GSocket *
pen_cli_listen_bind (const char *text, GError **error)
{
  g_autoptr (GSocketAddress) address = pen_cli_listen_parse (text, error);
  g_autoptr (GSocket) socket = NULL;

  if (address == NULL)
    return NULL;
  socket = g_socket_new (g_socket_address_get_family (address), G_SOCKET_TYPE_STREAM,
                         G_SOCKET_PROTOCOL_TCP, error);
  if (socket != NULL && g_socket_bind (socket, address, TRUE /* reuse */, error)
      && g_socket_listen (socket, error))
    return g_steal_pointer (&socket);
  if (error != NULL && g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
    g_prefix_error (error,
                    "cannot listen on %s: another process does ('ss -ltnp' says which); end it, or "
                    "choose another port: ",
                    text);
  else
    g_prefix_error (error, "cannot listen on %s: ", text);
  return NULL;
}

/* --- What systemd passes --- */

static gboolean
pen_cli_listen_take (PenCliListen *self, int fd, GError **error)
{
  int is_listening = 0;
  socklen_t length = sizeof is_listening;
  GSocket *socket = NULL;

  if (getsockopt (fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &length) != 0 || is_listening == 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   "descriptor %d, which LISTEN_FDS passes, is no socket that listens: the socket "
                   "unit needs ListenStream= and Accept=no",
                   fd);
      return FALSE;
    }
  fcntl (fd, F_SETFD, FD_CLOEXEC);
  socket = g_socket_new_from_fd (fd, error);
  if (socket == NULL)
    return FALSE;
  g_ptr_array_add (self->sockets, socket);
  return TRUE;
}

static gboolean
pen_cli_listen_take_passed (PenCliListen *self, GError **error)
{
  const char *pid = g_getenv ("LISTEN_PID");
  const char *count = g_getenv ("LISTEN_FDS");
  guint64 own = 0;
  guint64 n_passed = 0;
  gboolean is_ours = pid != NULL && count != NULL
                     && g_ascii_string_to_unsigned (pid, 10, 1, G_MAXINT32, &own, NULL)
                     && own == (guint64) getpid ();

  if (!is_ours)
    return TRUE;
  if (!g_ascii_string_to_unsigned (count, 10, 0, MAX_PASSED, &n_passed, error))
    {
      g_prefix_error (error, "LISTEN_FDS: ");
      return FALSE;
    }
  for (guint64 i = 0; i < n_passed; i++)
    if (!pen_cli_listen_take (self, FIRST_PASSED + (int) i, error))
      return FALSE;
  /* not for what is started from here */
  g_unsetenv ("LISTEN_PID");
  g_unsetenv ("LISTEN_FDS");
  g_unsetenv ("LISTEN_FDNAMES");
  return TRUE;
}

/* --- The module --- */

static char *
pen_cli_listen_find_module (void)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);

  if (program != NULL && g_str_has_prefix (program, PEN_BUILD_FOLDER "/"))
    return g_build_filename (PEN_BUILD_FOLDER, "cli", "monitor", PEN_MONITOR_MODULE_NAME, NULL);
  return g_build_filename (PEN_MODULE_FOLDER, PEN_MONITOR_MODULE_NAME, NULL);
}

static gboolean
pen_cli_listen_open_module (PenCliListen *self, GError **error)
{
  g_autofree char *path = pen_cli_listen_find_module ();
  GModule *module = NULL;
  gpointer symbol = NULL;

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                   "'%s' is missing: install it, or, if this Penstock was built here, build it "
                   "again with libsoup 3 (Debian: libsoup-3.0-dev)",
                   path);
      return FALSE;
    }
  module = g_module_open_full (path, G_MODULE_BIND_LOCAL, error);
  if (module == NULL)
    return FALSE;
  g_module_make_resident (module);
  if (g_module_symbol (module, PEN_MONITOR_MODULE_SYMBOL, &symbol))
    self->module = symbol;
  if (self->module != NULL && self->module->version == PEN_MONITOR_MODULE_VERSION)
    return TRUE;
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "'%s' is of another version of penstock",
               path);
  return FALSE;
}

static gboolean
pen_cli_listen_open (PenCliListen *self, const char *address, GError **error)
{
  if (!pen_cli_listen_take_passed (self, error))
    return FALSE;
  if (address != NULL)
    {
      GSocket *socket = pen_cli_listen_bind (address, error);

      if (socket == NULL)
        return FALSE;
      g_ptr_array_add (self->sockets, socket);
    }
  return self->sockets->len == 0 || pen_cli_listen_open_module (self, error);
}

/* documented in the header, as what follows */
PenCliListen *
pen_cli_listen_new (const char *address, GError **error)
{
  g_autoptr (PenCliListen) self = g_new0 (PenCliListen, 1);

  self->sockets = g_ptr_array_new_with_free_func (g_object_unref);
  return pen_cli_listen_open (self, address, error) ? g_steal_pointer (&self) : NULL;
}

/* The log says which port it is, and who can reach it. */
static void
pen_cli_listen_tell (GSocket *socket)
{
  g_autoptr (GSocketAddress) address = g_socket_get_local_address (socket, NULL);
  g_autofree char *text = address != NULL
                              ? g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address))
                              : g_strdup ("a socket");
  gboolean is_open = G_IS_INET_SOCKET_ADDRESS (address)
                     && !g_inet_address_get_is_loopback (
                         g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));

  g_info ("listening on http://%s/ (metrics, healthz, readyz)%s", text,
          is_open ? ", which asks nobody for a password: only a monitoring network should reach it"
                  : "");
}

void
pen_cli_listen_start (PenCliListen *self, PenEngine *engine)
{
  if (self->sockets->len == 0)
    return;
  self->monitor = self->module->start (engine, self->sockets);
  for (guint i = 0; i < self->sockets->len; i++)
    pen_cli_listen_tell (g_ptr_array_index (self->sockets, i));
}

void
pen_cli_listen_stop (PenCliListen *self)
{
  if (self->monitor != NULL)
    self->module->stop (g_steal_pointer (&self->monitor));
}

void
pen_cli_listen_free (PenCliListen *self)
{
  pen_cli_listen_stop (self);
  g_ptr_array_unref (self->sockets);
  g_free (self);
}
