/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is wrong with the files of a TLS connection, said before it is tried: OpenSSL, which
 * libmosquitto connects with, would say "PEM lib" or only "certificate verify failed". GnuTLS reads
 * the files here; it does not decide about a connection. This is a module of its own, which
 * pen-mqtt-files.c opens when there is something to explain.
 *
 * What is called a CA follows OpenSSL's verification without X509_STRICT: a certificate with the
 * CA flag, one without extensions that has signed itself (X.509 version 1, as brokers with a root
 * of their own still have), and a server's self-signed certificate.
 *
 * GnuTLS cleans up when the process ends, whether or not somebody still uses it. So the end waits
 * for those who do, though not for a file that cannot be read, and who comes later never returns.
 */

#include "config.h"

#include "pen-mqtt-certificates.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <gmodule.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The largest bundles of root certificates have less than 1 MiB. */
#define MAXIMUM_FILE_SIZE (8 * 1024 * 1024)
#define MAXIMUM_KEY_ID 64
#define LONGEST_END_US G_USEC_PER_SEC

/* How long what was found of a file counts, as long as the file is the same. */
#define RECALL_S 10

/* A file of CAs in which nothing was at fault. */
typedef struct
{
  struct stat status;
  gint64 checked_s; /* 0: there was none yet */
  gint64 expiry_s;
} PenMqttKnownFile;

static GMutex certificates_lock; /* all below */
static GCond certificates_left;
static guint n_checks; /* under way */
static gboolean is_ending;
static PenMqttKnownFile known_ca; /* thousands of sites mostly have one, and reading it costs */

typedef struct
{
  gnutls_x509_crt_t *items;
  guint length;
} PenMqttCertificateList;

typedef struct
{
  PenMqttFaultFunc report;
  gpointer user_data;
  gint64 now_s;
  gboolean is_good;
} PenMqttFileCheck;

G_GNUC_PRINTF (3, 4)
static void
pen_mqtt_file_check_fail (PenMqttFileCheck *self, const char *property, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->is_good = FALSE;
  self->report (property, message, self->user_data);
}

static void
pen_mqtt_certificate_list_clear (PenMqttCertificateList *self)
{
  for (guint i = 0; i < self->length; i++)
    gnutls_x509_crt_deinit (self->items[i]);
  gnutls_free (self->items);
  self->items = NULL;
  self->length = 0;
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PenMqttCertificateList, pen_mqtt_certificate_list_clear)

static char *
pen_mqtt_format_day (gint64 time_s)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (time_s);

  return time == NULL ? g_strdup ("a time out of range")
                      : g_date_time_format (time, "%Y-%m-%d %H:%M UTC");
}

static char *
pen_mqtt_get_subject (gnutls_x509_crt_t certificate)
{
  gnutls_datum_t name = { NULL, 0 };
  char *copy;

  if (gnutls_x509_crt_get_dn3 (certificate, &name, 0) != GNUTLS_E_SUCCESS)
    return g_strdup ("(no subject)");
  copy = g_strndup ((const char *) name.data, name.size);
  gnutls_free (name.data);
  return copy;
}

static gboolean
pen_mqtt_read_file (PenMqttFileCheck *check,
                    const char *property,
                    const char *path,
                    char **text,
                    gsize *length)
{
  g_autoptr (GError) error = NULL;
  GStatBuf status;

  /* Looked at first: reading a named pipe or a device could take for ever. */
  if (g_stat (path, &status) == 0 && !S_ISREG (status.st_mode))
    {
      pen_mqtt_file_check_fail (check, property, "%s '%s' is not a file", property, path);
      return FALSE;
    }
  if (g_access (path, R_OK) != 0)
    {
      int status_of_access = errno;

      pen_mqtt_file_check_fail (check, property, "cannot read %s '%s': %s", property, path,
                                g_strerror (status_of_access));
      return FALSE;
    }
  if (!g_file_get_contents (path, text, length, &error))
    {
      pen_mqtt_file_check_fail (check, property, "cannot read %s: %s", property, error->message);
      return FALSE;
    }
  if (*length > MAXIMUM_FILE_SIZE)
    {
      pen_mqtt_file_check_fail (
          check, property, "%s '%s' is larger than 8 MiB: this is no certificate", property, path);
      return FALSE;
    }
  return TRUE;
}

/* Why a file holds no certificate in PEM form, as far as it can be seen. */
static const char *
pen_mqtt_describe_text (const char *text, gsize length)
{
  if (length == 0)
    return "it is empty";
  if (text[0] == '\x30')
    return "it looks like DER: convert it with 'openssl x509 -inform der'";
  if (g_strstr_len (text, (gssize) length, "-----BEGIN TRUSTED CERTIFICATE") != NULL)
    return "it is in OpenSSL's own 'trusted' form: convert it with 'openssl x509'";
  if (g_strstr_len (text, (gssize) length, "-----BEGIN CERTIFICATE REQUEST") != NULL)
    return "it holds a certificate request: that has to be signed first";
  if (g_strstr_len (text, (gssize) length, "-----BEGIN CERTIFICATE-----") != NULL)
    return "the certificate in it is damaged or cut off";
  if (g_strstr_len (text, (gssize) length, "PRIVATE KEY-----") != NULL)
    return "it holds a private key";
  return "it is not PEM (there is no '-----BEGIN CERTIFICATE-----')";
}

static gboolean
pen_mqtt_load_certificates (PenMqttFileCheck *check,
                            const char *property,
                            const char *path,
                            PenMqttCertificateList *list)
{
  g_autofree char *text = NULL;
  gsize length = 0;
  gnutls_datum_t data;

  if (!pen_mqtt_read_file (check, property, path, &text, &length))
    return FALSE;
  data.data = (unsigned char *) text;
  data.size = (guint) length;
  if (gnutls_x509_crt_list_import2 (&list->items, &list->length, &data, GNUTLS_X509_FMT_PEM, 0) < 0
      || list->length == 0)
    {
      list->length = 0;
      pen_mqtt_file_check_fail (check, property, "%s '%s' holds no certificate: %s", property, path,
                                pen_mqtt_describe_text (text, length));
      return FALSE;
    }
  return TRUE;
}

/* FALSE if @certificate is not valid at this time, which is told if @property is not NULL. */
static gboolean
pen_mqtt_check_time (PenMqttFileCheck *check,
                     const char *property,
                     const char *path,
                     gnutls_x509_crt_t certificate)
{
  gint64 end_s = gnutls_x509_crt_get_expiration_time (certificate);
  gint64 begin_s = gnutls_x509_crt_get_activation_time (certificate);
  g_autofree char *subject = pen_mqtt_get_subject (certificate);
  g_autofree char *begin = pen_mqtt_format_day (begin_s);
  g_autofree char *end = pen_mqtt_format_day (end_s);

  if (end_s >= 0 && end_s < check->now_s)
    {
      if (property != NULL)
        pen_mqtt_file_check_fail (check, property, "%s '%s': the certificate of '%s' expired on %s",
                                  property, path, subject, end);
      return FALSE;
    }
  if (begin_s > check->now_s)
    {
      if (property != NULL)
        pen_mqtt_file_check_fail (check, property,
                                  "%s '%s': the certificate of '%s' is not valid before %s: is "
                                  "this machine's clock right?",
                                  property, path, subject, begin);
      return FALSE;
    }
  return TRUE;
}

static gboolean
pen_mqtt_can_be_ca (gnutls_x509_crt_t certificate)
{
  return gnutls_x509_crt_get_ca_status (certificate, NULL) > 0
         || gnutls_x509_crt_check_issuer (certificate, certificate) != 0;
}

static gboolean
pen_mqtt_is_same_file (const struct stat *one, const struct stat *other)
{
  return one->st_dev == other->st_dev && one->st_ino == other->st_ino
         && one->st_size == other->st_size && one->st_ctim.tv_sec == other->st_ctim.tv_sec
         && one->st_ctim.tv_nsec == other->st_ctim.tv_nsec;
}

/* Whether the file is the one that was good a moment ago. */
static gboolean
pen_mqtt_recall_ca (const PenMqttFileCheck *check, const struct stat *status, gint64 *expiry_s)
{
  gboolean is_known;

  g_mutex_lock (&certificates_lock);
  is_known = known_ca.checked_s != 0 && check->now_s >= known_ca.checked_s
             && check->now_s < known_ca.checked_s + RECALL_S
             && pen_mqtt_is_same_file (status, &known_ca.status);
  if (is_known)
    *expiry_s = known_ca.expiry_s;
  g_mutex_unlock (&certificates_lock);
  return is_known;
}

/* @status is from before it was read. One that has just been written may be so again within the
 * same tick of the clock that stamps files. */
static void
pen_mqtt_remember_ca (const PenMqttFileCheck *check, const struct stat *status, gint64 expiry_s)
{
  if (status->st_ctim.tv_sec + 1 >= check->now_s)
    return;
  g_mutex_lock (&certificates_lock);
  known_ca = (PenMqttKnownFile){ *status, check->now_s, expiry_s };
  g_mutex_unlock (&certificates_lock);
}

/* Of several roots one good one is enough: bundles keep old ones on purpose. */
static void
pen_mqtt_check_ca (PenMqttFileCheck *check, const char *path, gint64 *expiry_s)
{
  g_auto (PenMqttCertificateList) list = { NULL, 0 };
  guint n_good = 0;
  gnutls_x509_crt_t first_ca = NULL;
  struct stat status;
  gboolean is_there = stat (path, &status) == 0 && access (path, R_OK) == 0;

  if (is_there && pen_mqtt_recall_ca (check, &status, expiry_s))
    return;
  if (!pen_mqtt_load_certificates (check, "cafile", path, &list))
    return;
  for (guint i = 0; i < list.length; i++)
    if (pen_mqtt_can_be_ca (list.items[i]))
      {
        gint64 end_s = gnutls_x509_crt_get_expiration_time (list.items[i]);

        if (first_ca == NULL)
          first_ca = list.items[i];
        if (pen_mqtt_check_time (check, NULL, path, list.items[i]))
          n_good++;
        *expiry_s = MAX (*expiry_s, end_s < 0 ? G_MAXINT64 : end_s);
      }
  if (first_ca == NULL)
    {
      g_autofree char *subject = pen_mqtt_get_subject (list.items[0]);

      pen_mqtt_file_check_fail (check, "cafile",
                                "cafile '%s' holds no CA: '%s' is the certificate of a server or "
                                "client, signed by another",
                                path, subject);
    }
  else if (n_good == 0)
    pen_mqtt_check_time (check, "cafile", path, first_ca);
  else if (is_there)
    pen_mqtt_remember_ca (check, &status, *expiry_s);
}

static gboolean
pen_mqtt_load_key (PenMqttFileCheck *check, const PenMqttCertificates *files, gnutls_privkey_t key)
{
  g_autofree char *text = NULL;
  gsize length = 0;
  gnutls_datum_t data;
  int status;
  gboolean is_encrypted;

  if (!pen_mqtt_read_file (check, "keyfile", files->keyfile, &text, &length))
    return FALSE;
  data.data = (unsigned char *) text;
  data.size = (guint) length;
  is_encrypted = g_strstr_len (text, (gssize) length, "ENCRYPTED") != NULL;
  status = gnutls_privkey_import_x509_raw (key, &data, GNUTLS_X509_FMT_PEM, files->key_password,
                                           files->key_password == NULL ? GNUTLS_PKCS_PLAIN : 0);
  if (status == GNUTLS_E_SUCCESS)
    return TRUE;
  if (is_encrypted && files->key_password == NULL)
    pen_mqtt_file_check_fail (check, "keyfile", "keyfile '%s' is encrypted: set key-password",
                              files->keyfile);
  else if (is_encrypted)
    pen_mqtt_file_check_fail (check, "key-password", "key-password does not open keyfile '%s'",
                              files->keyfile);
  else if (g_strstr_len (text, (gssize) length, "PRIVATE KEY-----") == NULL)
    pen_mqtt_file_check_fail (check, "keyfile",
                              "keyfile '%s' holds no private key in PEM form (there is no "
                              "'-----BEGIN PRIVATE KEY-----')",
                              files->keyfile);
  else
    pen_mqtt_file_check_fail (check, "keyfile", "keyfile '%s': the private key cannot be read: %s",
                              files->keyfile, gnutls_strerror (status));
  return FALSE;
}

static gboolean
pen_mqtt_key_matches (gnutls_privkey_t key, gnutls_x509_crt_t certificate)
{
  gnutls_pubkey_t public_key;
  guint8 of_key[MAXIMUM_KEY_ID];
  guint8 of_certificate[MAXIMUM_KEY_ID];
  gsize key_length = sizeof of_key;
  gsize certificate_length = sizeof of_certificate;
  gboolean matches;

  if (gnutls_pubkey_init (&public_key) != GNUTLS_E_SUCCESS)
    return FALSE;
  matches = gnutls_pubkey_import_privkey (public_key, key, 0, 0) == GNUTLS_E_SUCCESS
            && gnutls_pubkey_get_key_id (public_key, GNUTLS_KEYID_USE_SHA256, of_key, &key_length)
                   == GNUTLS_E_SUCCESS
            && gnutls_x509_crt_get_key_id (certificate, GNUTLS_KEYID_USE_SHA256, of_certificate,
                                           &certificate_length)
                   == GNUTLS_E_SUCCESS
            && key_length == certificate_length && memcmp (of_key, of_certificate, key_length) == 0;
  gnutls_pubkey_deinit (public_key);
  return matches;
}

static void
pen_mqtt_check_client (PenMqttFileCheck *check, const PenMqttCertificates *files, gint64 *expiry_s)
{
  g_auto (PenMqttCertificateList) list = { NULL, 0 };
  gnutls_privkey_t key;

  if (gnutls_privkey_init (&key) != GNUTLS_E_SUCCESS)
    return;
  if (pen_mqtt_load_certificates (check, "certfile", files->certfile, &list))
    {
      gint64 end_s = gnutls_x509_crt_get_expiration_time (list.items[0]);

      *expiry_s = end_s < 0 ? G_MAXINT64 : end_s;
      pen_mqtt_check_time (check, "certfile", files->certfile, list.items[0]);
    }
  if (files->keyfile != NULL && pen_mqtt_load_key (check, files, key) && list.length > 0
      && !pen_mqtt_key_matches (key, list.items[0]))
    pen_mqtt_file_check_fail (check, "keyfile",
                              "the key in keyfile '%s' does not belong to the certificate in "
                              "certfile '%s'",
                              files->keyfile, files->certfile);
  gnutls_privkey_deinit (key);
}

static void
pen_mqtt_certificates_enter (void)
{
  g_mutex_lock (&certificates_lock);
  while (is_ending)
    g_cond_wait (&certificates_left, &certificates_lock);
  n_checks++;
  g_mutex_unlock (&certificates_lock);
}

static void
pen_mqtt_certificates_leave (void)
{
  g_mutex_lock (&certificates_lock);
  n_checks--;
  g_cond_broadcast (&certificates_left);
  g_mutex_unlock (&certificates_lock);
}

/* Before the destructors of the libraries that this module needs. */
__attribute__ ((destructor)) static void
pen_mqtt_certificates_end (void)
{
  gint64 deadline_us = g_get_monotonic_time () + LONGEST_END_US;

  g_mutex_lock (&certificates_lock);
  is_ending = TRUE;
  while (n_checks > 0)
    if (!g_cond_wait_until (&certificates_left, &certificates_lock, deadline_us))
      break;
  g_mutex_unlock (&certificates_lock);
}

/**
 * pen_mqtt_certificates_check:
 * @files: the files of a connection
 * @now_s: the time to judge them at, in seconds since 1970
 * @report: called for each fault, with one line
 * @user_data: given to @report
 * @expiry: (out): when the files expire
 *
 * Reads the files and says all that is wrong with them. Blocks as long as reading files does.
 *
 * Returns: whether all is well
 *
 * Threads: any
 */
G_MODULE_EXPORT gboolean
pen_mqtt_certificates_check (const PenMqttCertificates *files,
                             gint64 now_s,
                             PenMqttFaultFunc report,
                             gpointer user_data,
                             PenMqttExpiry *expiry)
{
  PenMqttFileCheck check = { report, user_data, now_s, TRUE };

  expiry->ca_s = 0;
  expiry->certificate_s = 0;
  pen_mqtt_certificates_enter ();
  if (files->cafile != NULL)
    pen_mqtt_check_ca (&check, files->cafile, &expiry->ca_s);
  if (files->certfile != NULL)
    pen_mqtt_check_client (&check, files, &expiry->certificate_s);
  pen_mqtt_certificates_leave ();
  return check.is_good;
}
