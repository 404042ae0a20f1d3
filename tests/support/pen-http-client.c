/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Asks an HTTP server as a test needs it. By HTTP/1.0, whose answers end with the connection.
 */

#include "config.h"

#include "pen-http-client.h"

#include <string.h>

#define TIMEOUT_S 30

/* documented in the header, as what follows */
GSocketConnection *
pen_http_client_connect (guint port)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string ("127.0.0.1", port);
  g_autoptr (GError) error = NULL;
  GSocketConnection *connection = NULL;

  g_socket_client_set_timeout (client, TIMEOUT_S);
  g_socket_client_set_enable_proxy (client, FALSE);
  connection = g_socket_client_connect (client, G_SOCKET_CONNECTABLE (address),
                                        NULL /* cancellable */, &error);
  g_assert_no_error (error);
  return connection;
}

char *
pen_http_client_read_all (GSocketConnection *connection)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GString *text = g_string_new (NULL);
  char buffer[4096];
  gssize n_bytes;

  while ((n_bytes = g_input_stream_read (input, buffer, sizeof buffer, NULL, NULL)) > 0)
    g_string_append_len (text, buffer, n_bytes);
  return g_string_free (text, FALSE);
}

char *
pen_http_client_get (guint port, const char *path, const char *header, guint *status)
{
  g_autoptr (GSocketConnection) connection = pen_http_client_connect (port);
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  g_autofree char *request
      = g_strdup_printf ("GET %s HTTP/1.0\r\nHost: here\r\n%s%s\r\n", path,
                         header != NULL ? header : "", header != NULL ? "\r\n" : "");
  g_autofree char *answer = NULL;
  const char *body;

  g_assert_true (g_output_stream_write_all (output, request, strlen (request), NULL, NULL, NULL));
  answer = pen_http_client_read_all (connection);
  g_assert_true (g_str_has_prefix (answer, "HTTP/1."));
  *status = (guint) g_ascii_strtoull (answer + strlen ("HTTP/1.x "), NULL, 10);
  body = strstr (answer, "\r\n\r\n");
  g_assert_nonnull (body);
  return g_strdup (body + strlen ("\r\n\r\n"));
}
