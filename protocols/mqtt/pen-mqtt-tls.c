/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a connection needs of the OpenSSL below libmosquitto.
 *
 * The context is ours (MOSQ_OPT_SSL_CTX, with MOSQ_OPT_SSL_CTX_WITH_DEFAULTS off): libmosquitto
 * begins the hand-shake within its connect function, so whatever is to be said of a certificate has
 * to be in place before; it sets up its own OpenSSL data without a lock; and its comparison of host
 * names is its own, while here it is OpenSSL's.
 */

#include "config.h"

#include "pen-mqtt-tls.h"

#include "pen-mqtt-files.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

/* PenMqttTls of the connection whose hand-shake runs on this thread */
static GPrivate verifying = G_PRIVATE_INIT (NULL);

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

/* Changes nothing about OpenSSL's answer; keeps why it was no. (A hand-shake that the broker asks
 * for later, with TLS 1.2, is judged the same, and nobody keeps anything.) */
static int
pen_mqtt_tls_verify (int is_good, X509_STORE_CTX *context)
{
  PenMqttTls *self = g_private_get (&verifying);
  X509 *certificate = X509_STORE_CTX_get_current_cert (context);
  int depth = X509_STORE_CTX_get_error_depth (context);

  if (certificate == NULL || self == NULL)
    return is_good;
  if (depth == 0)
    self->expiry_s = pen_mqtt_get_time (X509_get0_notAfter (certificate));
  if (!is_good && self->fault == NULL)
    self->fault = pen_mqtt_describe_fault (X509_STORE_CTX_get_error (context), depth, certificate);
  return is_good;
}

/* Without it OpenSSL would ask for the password on the terminal. */
static int
pen_mqtt_tls_on_password (char *buffer, int size, int is_writing, void *user_data)
{
  const char *password = user_data;

  if (password == NULL || strlen (password) >= (gsize) size)
    return 0;
  return (int) g_strlcpy (buffer, password, (gsize) size);
}

static gboolean
pen_mqtt_tls_trust (SSL_CTX *context, const PenMqttTlsOptions *options)
{
  X509_VERIFY_PARAM *parameters = SSL_CTX_get0_param (context);

  if (options->accepts_any)
    {
      SSL_CTX_set_verify (context, SSL_VERIFY_NONE, NULL);
      return TRUE;
    }
  SSL_CTX_set_verify (context, SSL_VERIFY_PEER, pen_mqtt_tls_verify);
  X509_VERIFY_PARAM_set_hostflags (parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_ip_asc (parameters, options->host) != 1
      && X509_VERIFY_PARAM_set1_host (parameters, options->host, 0) != 1)
    return FALSE;
  if (options->files.cafile == NULL)
    return SSL_CTX_set_default_verify_paths (context) == 1;
  return pen_mqtt_files_trust (SSL_CTX_get_cert_store (context), options->files.cafile,
                               g_get_real_time () / G_USEC_PER_SEC)
         || SSL_CTX_load_verify_file (context, options->files.cafile) == 1;
}

static gboolean
pen_mqtt_tls_identify (SSL_CTX *context, const PenMqttTlsOptions *options)
{
  const PenMqttCertificates *files = &options->files;
  gboolean is_good;

  if (files->certfile == NULL)
    return TRUE;
  SSL_CTX_set_default_passwd_cb (context, pen_mqtt_tls_on_password);
  SSL_CTX_set_default_passwd_cb_userdata (context, (void *) files->key_password);
  is_good = SSL_CTX_use_certificate_chain_file (context, files->certfile) == 1
            && SSL_CTX_use_PrivateKey_file (context, files->keyfile, SSL_FILETYPE_PEM) == 1;
  /* the context outlives the password */
  SSL_CTX_set_default_passwd_cb_userdata (context, NULL);
  return is_good;
}

/**
 * pen_mqtt_tls_make_context: (skip)
 * @options: whom to trust, and who we are
 * @fault: (out): why not
 *
 * Returns: (nullable): a context for connections with @options; NULL if the files cannot be used
 *
 * Threads: any
 */
SSL_CTX *
pen_mqtt_tls_make_context (const PenMqttTlsOptions *options, char **fault)
{
  SSL_CTX *context;
  const char *words;

  ERR_clear_error ();
  context = SSL_CTX_new (TLS_client_method ());
  if (context != NULL)
    SSL_CTX_set_mode (context, SSL_MODE_RELEASE_BUFFERS);
  if (context != NULL && SSL_CTX_set_min_proto_version (context, TLS1_2_VERSION) == 1
      && pen_mqtt_tls_trust (context, options) && pen_mqtt_tls_identify (context, options))
    {
      /* Certificates that were skipped leave errors behind. */
      ERR_clear_error ();
      return context;
    }
  words = ERR_SYSTEM_ERROR (ERR_peek_error ()) ? g_strerror (ERR_GET_REASON (ERR_peek_error ()))
                                               : ERR_reason_error_string (ERR_peek_last_error ());
  *fault = g_strdup_printf ("OpenSSL does not take the files of this connection: %s",
                            words == NULL ? "no reason given" : words);
  ERR_clear_error ();
  SSL_CTX_free (context);
  return NULL;
}

/* What is found out about a broker's certificate on this thread is about @self, or about nobody if
 * it is NULL. Threads: any */
void
pen_mqtt_tls_verify_for (PenMqttTls *self)
{
  g_private_set (&verifying, self);
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

/* What OpenSSL's words mean here. */
static char *
pen_mqtt_tls_explain (const char *words, const PenMqttTlsOptions *options)
{
  if (strstr (words, "wrong version number") != NULL || strstr (words, "packet length") != NULL)
    return g_strdup_printf ("what answers does not speak TLS (%s): is this the right port?", words);
  if (strstr (words, "unexpected eof") != NULL)
    return g_strdup ("the other side closed the connection during the TLS hand-shake: is this the "
                     "right port?");
  if (strstr (words, "alert") == NULL)
    return g_strdup_printf ("the TLS hand-shake failed: %s", words);
  if (options->files.certfile != NULL)
    return g_strdup_printf ("the broker refused the TLS connection (%s): does it accept the client "
                            "certificate in certfile '%s'?",
                            words, options->files.certfile);
  return g_strdup_printf ("the broker refused the TLS connection (%s): does it ask for a client "
                          "certificate? set certfile and keyfile",
                          words);
}

/* Why TLS failed, with what to do about it. @log: what libmosquitto has logged. */
char *
pen_mqtt_tls_describe (const PenMqttTls *self, const PenMqttTlsOptions *options, const char *log)
{
  g_autofree char *words = pen_mqtt_tls_find_words (log);

  if (self->fault == NULL)
    return pen_mqtt_tls_explain (words, options);
  if (strstr (self->fault, "another host") != NULL)
    return g_strdup_printf ("%s, not for '%s'", self->fault, options->host);
  if (strstr (self->fault, "unknown CA") == NULL)
    return g_strdup (self->fault);
  if (options->files.cafile != NULL)
    return g_strdup_printf ("%s: it is not in cafile '%s'", self->fault, options->files.cafile);
  return g_strdup_printf ("%s: this system does not trust it; set cafile", self->fault);
}

void
pen_mqtt_tls_clear (PenMqttTls *self)
{
  g_clear_pointer (&self->fault, g_free);
}
