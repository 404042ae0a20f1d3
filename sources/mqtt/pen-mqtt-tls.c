/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a connection needs of the OpenSSL below libmosquitto.
 *
 * Reading ahead: libmosquitto reads a record's five-byte header and its body in two calls; with
 * read-ahead and a buffer of 64 KiB, OpenSSL takes many records in one. Two things follow.
 * SSL_pending (), which libmosquitto asks, does not count records that were read ahead, so the
 * reader has to go on while SSL_has_pending (); and a partial record counts there as well, so it
 * must stop when the socket itself had nothing. A callback on the socket's BIO tells that, and
 * ends a round's reading after a number of reads, which libmosquitto has no way to limit.
 *
 * Verification is libmosquitto's and OpenSSL's alone. A callback around theirs keeps what it said,
 * because libmosquitto only reports "certificate verify failed".
 */

#include "config.h"

#include "pen-mqtt-tls.h"

#include <arpa/inet.h>
#include <mosquitto.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BUFFER_SIZE (64 * 1024)

/* SSL's slot for our PenMqttTls; what libmosquitto's callback was is in the second one. */
static int pen_mqtt_tls_index = -1;
static int pen_mqtt_verify_index = -1;

typedef int (*PenMqttVerifyFunc) (int is_good, X509_STORE_CTX *context);

/* libmosquitto sets up OpenSSL when the first connection with TLS is made, without a lock: two at
 * a time would each get an index of their own for the client behind an SSL, and one of them would
 * fail to verify its host name. So one is made here, to a socket of our own that never answers. */
static void
pen_mqtt_tls_prime (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t length = sizeof address;
  int listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct mosquitto *client = mosquitto_new (NULL, TRUE, NULL);

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (listener >= 0 && client != NULL && bind (listener, (struct sockaddr *) &address, length) == 0
      && listen (listener, 1) == 0
      && getsockname (listener, (struct sockaddr *) &address, &length) == 0)
    {
      mosquitto_tls_set (client, NULL, X509_get_default_cert_dir (), NULL, NULL, NULL);
      mosquitto_threaded_set (client, TRUE);
      mosquitto_connect (client, "127.0.0.1", ntohs (address.sin_port), 60);
    }
  if (client != NULL)
    mosquitto_destroy (client);
  if (listener >= 0)
    close (listener);
}

/* Once, before the first connection; may take milliseconds: not on a lane. Threads: any */
void
pen_mqtt_tls_prepare (void)
{
  static gsize is_prepared = 0;

  if (!g_once_init_enter (&is_prepared))
    return;
  pen_mqtt_tls_index = SSL_get_ex_new_index (0, NULL, NULL, NULL, NULL);
  pen_mqtt_verify_index = SSL_get_ex_new_index (0, NULL, NULL, NULL, NULL);
  pen_mqtt_tls_prime ();
  g_once_init_leave (&is_prepared, 1);
}

static gint64
pen_mqtt_get_time (const ASN1_TIME *time)
{
  struct tm parts = { 0 };

  return time != NULL && ASN1_TIME_to_tm (time, &parts) == 1 ? (gint64) timegm (&parts) : 0;
}

static char *
pen_mqtt_format_time (const ASN1_TIME *time)
{
  g_autoptr (GDateTime) date_time = g_date_time_new_from_unix_utc (pen_mqtt_get_time (time));

  return date_time == NULL ? g_strdup ("?") : g_date_time_format (date_time, "%Y-%m-%d %H:%M UTC");
}

static char *
pen_mqtt_format_name (X509_NAME *name)
{
  char text[256] = "";
  BIO *memory = BIO_new (BIO_s_mem ());
  int length = 0;

  if (memory != NULL && X509_NAME_print_ex (memory, name, 0, XN_FLAG_RFC2253) >= 0)
    length = BIO_read (memory, text, sizeof text - 1);
  text[MAX (length, 0)] = '\0';
  BIO_free (memory);
  return g_utf8_make_valid (text, -1);
}

/* The names that a certificate is for: "DNS:a.example, IP Address:…", else its subject. */
static char *
pen_mqtt_format_hosts (X509 *certificate)
{
  char text[256] = "";
  int length = 0;
  int position = X509_get_ext_by_NID (certificate, NID_subject_alt_name, -1);
  BIO *memory = BIO_new (BIO_s_mem ());

  if (memory != NULL && position >= 0
      && X509V3_EXT_print (memory, X509_get_ext (certificate, position), 0, 0) == 1)
    length = BIO_read (memory, text, sizeof text - 1);
  text[MAX (length, 0)] = '\0';
  BIO_free (memory);
  if (text[0] == '\0')
    return pen_mqtt_format_name (X509_get_subject_name (certificate));
  return g_utf8_make_valid (text, -1);
}

static char *
pen_mqtt_describe_fault (int error, int depth, X509 *certificate)
{
  g_autofree char *subject = pen_mqtt_format_name (X509_get_subject_name (certificate));
  g_autofree char *issuer = pen_mqtt_format_name (X509_get_issuer_name (certificate));
  g_autofree char *begin = pen_mqtt_format_time (X509_get0_notBefore (certificate));
  g_autofree char *end = pen_mqtt_format_time (X509_get0_notAfter (certificate));
  g_autofree char *hosts = NULL;
  const char *whose = depth == 0 ? "the broker's certificate" : "a CA in the broker's chain";

  switch (error)
    {
    case X509_V_OK:
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      hosts = pen_mqtt_format_hosts (certificate);
      return g_strdup_printf ("the broker's certificate is for another host (%s)", hosts);
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return g_strdup_printf ("%s expired on %s ('%s')", whose, end, subject);
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return g_strdup_printf ("%s is not valid before %s ('%s'): is this machine's clock right?",
                              whose, begin, subject);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return g_strdup_printf ("%s is signed by an unknown CA ('%s')", whose, issuer);
    default:
      return g_strdup_printf ("%s is not accepted: %s ('%s')", whose,
                              X509_verify_cert_error_string (error), subject);
    }
}

/* Around libmosquitto's own callback, whose answer stands. */
static int
pen_mqtt_tls_verify (int is_good, X509_STORE_CTX *context)
{
  SSL *ssl = X509_STORE_CTX_get_ex_data (context, SSL_get_ex_data_X509_STORE_CTX_idx ());
  PenMqttTls *self = SSL_get_ex_data (ssl, pen_mqtt_tls_index);
  PenMqttVerifyFunc next = (PenMqttVerifyFunc) SSL_get_ex_data (ssl, pen_mqtt_verify_index);
  X509 *certificate = X509_STORE_CTX_get_current_cert (context);
  int depth = X509_STORE_CTX_get_error_depth (context);
  int answer = next == NULL ? is_good : next (is_good, context);

  if (self == NULL || certificate == NULL)
    return answer;
  if (depth == 0)
    self->expiry_s = pen_mqtt_get_time (X509_get0_notAfter (certificate));
  if (answer == 0 && self->fault == NULL)
    self->fault = pen_mqtt_describe_fault (X509_STORE_CTX_get_error (context), depth, certificate);
  return answer;
}

/* Between the client's hello and the broker's answer: its certificate has not been seen yet. */
void
pen_mqtt_tls_attach (PenMqttTls *self, SSL *ssl)
{
  SSL_verify_cb next = SSL_get_verify_callback (ssl);

  self->ssl = ssl;
  SSL_set_ex_data (ssl, pen_mqtt_tls_index, self);
  SSL_set_ex_data (ssl, pen_mqtt_verify_index, (void *) next);
  SSL_set_verify (ssl, SSL_get_verify_mode (ssl), pen_mqtt_tls_verify);
}

static long
pen_mqtt_tls_on_bio (BIO *bio,
                     int operation,
                     const char *data,
                     size_t length,
                     int argument,
                     long long_argument,
                     int result,
                     size_t *processed)
{
  PenMqttTls *self = (PenMqttTls *) (void *) BIO_get_callback_arg (bio);

  if (operation == BIO_CB_READ)
    {
      if (self->reads_left == 0)
        {
          self->is_empty = TRUE;
          BIO_set_retry_read (bio);
          return -1;
        }
      self->reads_left--;
    }
  else if (operation == (BIO_CB_READ | BIO_CB_RETURN))
    self->is_empty = result <= 0;
  return result;
}

/* After the hand-shake: reads 64 KiB at a time from now on. */
void
pen_mqtt_tls_read_ahead (PenMqttTls *self)
{
  BIO *bio = SSL_get_rbio (self->ssl);

  SSL_set_read_ahead (self->ssl, 1);
  SSL_set_default_read_buffer_len (self->ssl, READ_BUFFER_SIZE);
  BIO_set_callback_arg (bio, (char *) self);
  BIO_set_callback_ex (bio, pen_mqtt_tls_on_bio);
}

/* Allows @n_reads of the socket until it pretends to be empty. */
void
pen_mqtt_tls_begin_round (PenMqttTls *self, guint n_reads)
{
  self->reads_left = n_reads;
  self->is_empty = FALSE;
}

/* Whether another call of mosquitto_loop_read () can bring something in this round. */
gboolean
pen_mqtt_tls_has_more (const PenMqttTls *self)
{
  return !self->is_empty && SSL_has_pending (self->ssl) == 1;
}

/* OpenSSL's own words: what stands behind the last "::" of its first error in @log. */
static char *
pen_mqtt_tls_find_words (const char *log)
{
  const char *error = strstr (log, "error:");
  const char *words = error == NULL ? NULL : strstr (error, "::");

  if (words == NULL)
    return g_strdup ("no reason given");
  return g_strndup (words + 2, strcspn (words + 2, "\n"));
}

/* Why TLS failed, with what to do about it. @log: what libmosquitto has logged. */
char *
pen_mqtt_tls_describe (const PenMqttTls *self,
                       const char *host,
                       const char *cafile,
                       const char *log)
{
  g_autofree char *words = pen_mqtt_tls_find_words (log);

  if (self->fault != NULL && strstr (self->fault, "another host") != NULL)
    return g_strdup_printf ("%s, not for '%s'", self->fault, host);
  if (self->fault != NULL && strstr (self->fault, "unknown CA") == NULL)
    return g_strdup (self->fault);
  if (self->fault != NULL && cafile != NULL)
    return g_strdup_printf ("%s: it is not in cafile '%s'", self->fault, cafile);
  if (self->fault != NULL)
    return g_strdup_printf ("%s: this system does not trust it; set cafile", self->fault);
  if (strstr (words, "wrong version number") != NULL || strstr (words, "packet length") != NULL)
    return g_strdup_printf ("what answers does not speak TLS (%s): is this the right port?", words);
  if (strstr (words, "certificate required") != NULL || strstr (words, "handshake failure") != NULL)
    return g_strdup_printf ("the broker ended the TLS hand-shake (%s): does it ask for a client "
                            "certificate? set certfile and keyfile",
                            words);
  if (strstr (words, "alert") != NULL)
    return g_strdup_printf ("the broker ended the TLS hand-shake: %s", words);
  return g_strdup_printf ("the TLS hand-shake failed: %s", words);
}

void
pen_mqtt_tls_clear (PenMqttTls *self)
{
  g_clear_pointer (&self->fault, g_free);
  self->ssl = NULL;
}
