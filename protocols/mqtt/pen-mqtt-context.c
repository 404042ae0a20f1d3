/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What TLS connections with the same settings share: an SSL_CTX with the trusted certificates and
 * our own. Otherwise each connection would have one for itself, read from the files each time; with
 * the certificates that a system trusts that is more than a MiB, and 30 ms.
 *
 * The same settings are the same names and the same files: not only their paths, but what stat()
 * says of them. A file that has changed makes another context for those who connect from then on,
 * and whoever is connected keeps the old one until it ends. A file that was written a moment ago
 * may change again without a new time; what is read of it is not shared. Nor is a context used once
 * one of its files has expired: it is loaded again, which says so.
 *
 * A context lives as long as somebody uses it. While one is being loaded, others who want the same
 * wait: a thousand connections begin at the same time.
 */

#include "config.h"

#include "pen-mqtt-context.h"

#include "pen-mqtt-files.h"

#include <glib/gstdio.h>
#include <openssl/x509.h>
#include <string.h>

/* The kernel's file times are only this fine. */
#define FRESH_US (50 * G_TIME_SPAN_MILLISECOND)

struct _PenMqttContext
{
  /* constant once it is loaded */
  SSL_CTX *ssl;
  PenMqttExpiry expiry;
  char *key; /* (nullable): not in the table */

  /* contexts_lock */
  guint n_references; /* one of each that uses or awaits it */
  gboolean is_loaded; /* or could not be: then there is no ssl */
};

static GMutex contexts_lock;
static GCond context_loaded;
static GHashTable *contexts; /* key to PenMqttContext, which is not owned; contexts_lock */
static gint n_loads;         /* atomic */

/* A file as it is now; FALSE if it was written just now. */
static gboolean
pen_mqtt_context_add_file (GChecksum *checksum, const char *path)
{
  gint64 now_us = g_get_real_time ();
  GStatBuf status;
  gint64 facts[8] = { 0 };

  g_checksum_update (checksum, (const guchar *) (path == NULL ? "" : path),
                     path == NULL ? 1 : (gssize) strlen (path) + 1);
  if (path == NULL || g_stat (path, &status) != 0)
    return TRUE;
  facts[0] = (gint64) status.st_dev;
  facts[1] = (gint64) status.st_ino;
  facts[2] = (gint64) status.st_size;
  facts[3] = (gint64) status.st_mtim.tv_sec;
  facts[4] = (gint64) status.st_mtim.tv_nsec;
  facts[5] = (gint64) status.st_ctim.tv_sec;
  facts[6] = (gint64) status.st_ctim.tv_nsec;
  facts[7] = 1;
  g_checksum_update (checksum, (const guchar *) facts, sizeof facts);
  return ABS (now_us - (facts[5] * G_USEC_PER_SEC + facts[6] / 1000)) > FRESH_US;
}

static const char *
pen_mqtt_get_default (const char *variable, const char *other)
{
  const char *value = g_getenv (variable);

  return value == NULL ? other : value;
}

/* (nullable): what tells settings apart, without the secrets that are in them. */
static char *
pen_mqtt_context_make_key (const PenMqttTlsOptions *options)
{
  const PenMqttCertificates *files = &options->files;
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  const char *texts[] = { options->host, files->key_password };
  const guchar has[] = { options->accepts_any, files->cafile != NULL, files->key_password != NULL };
  gboolean is_old = TRUE;

  g_checksum_update (checksum, has, sizeof has);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (texts[i] != NULL)
      g_checksum_update (checksum, (const guchar *) texts[i], (gssize) strlen (texts[i]) + 1);
  is_old &= pen_mqtt_context_add_file (checksum, files->certfile);
  is_old &= pen_mqtt_context_add_file (checksum, files->keyfile);
  if (files->cafile != NULL)
    is_old &= pen_mqtt_context_add_file (checksum, files->cafile);
  else
    {
      /* where OpenSSL looks: of a folder, what was found in it stays */
      is_old &= pen_mqtt_context_add_file (
          checksum,
          pen_mqtt_get_default (X509_get_default_cert_file_env (), X509_get_default_cert_file ()));
      is_old &= pen_mqtt_context_add_file (
          checksum,
          pen_mqtt_get_default (X509_get_default_cert_dir_env (), X509_get_default_cert_dir ()));
    }
  return is_old ? g_strdup (g_checksum_get_string (checksum)) : NULL;
}

static void
pen_mqtt_context_add_fault (const char *property, const char *message, gpointer user_data)
{
  char **fault = user_data;
  g_autofree char *before = g_steal_pointer (fault);

  *fault = before == NULL ? g_strdup (message) : g_strdup_printf ("%s; %s", before, message);
}

static void
pen_mqtt_context_load (PenMqttContext *self, const PenMqttTlsOptions *options, char **fault)
{
  g_atomic_int_inc (&n_loads);
  if (pen_mqtt_files_check (&options->files, g_get_real_time () / G_USEC_PER_SEC,
                            pen_mqtt_context_add_fault, fault, &self->expiry))
    self->ssl = pen_mqtt_tls_make_context (options, fault);
}

static gboolean
pen_mqtt_context_is_current (const PenMqttContext *self)
{
  gint64 now_s = g_get_real_time () / G_USEC_PER_SEC;

  return (self->expiry.ca_s == 0 || now_s <= self->expiry.ca_s)
         && (self->expiry.certificate_s == 0 || now_s <= self->expiry.certificate_s);
}

/* Nobody else finds it from now on. */
static void
pen_mqtt_context_hide_locked (PenMqttContext *self)
{
  if (self->key != NULL && g_hash_table_lookup (contexts, self->key) == self)
    g_hash_table_remove (contexts, self->key);
}

static void
pen_mqtt_context_unref_locked (PenMqttContext *self)
{
  if (--self->n_references > 0)
    return;
  pen_mqtt_context_hide_locked (self);
  SSL_CTX_free (self->ssl);
  g_free (self->key);
  g_free (self);
}

/* (nullable): one that is loaded and good. */
static PenMqttContext *
pen_mqtt_context_find_locked (const char *key)
{
  PenMqttContext *self = key == NULL ? NULL : g_hash_table_lookup (contexts, key);

  if (self == NULL)
    return NULL;
  self->n_references++;
  while (!self->is_loaded)
    g_cond_wait (&context_loaded, &contexts_lock);
  if (self->ssl != NULL && pen_mqtt_context_is_current (self))
    return self;
  pen_mqtt_context_hide_locked (self);
  pen_mqtt_context_unref_locked (self);
  return NULL;
}

static PenMqttContext *
pen_mqtt_context_add_locked (char *key)
{
  PenMqttContext *self = g_new0 (PenMqttContext, 1);

  self->n_references = 1;
  self->key = key;
  if (key != NULL)
    g_hash_table_replace (contexts, key, self);
  return self;
}

/**
 * pen_mqtt_context_get: (skip)
 * @options: whom to trust, and who we are
 * @fault: (out): what is wrong with the files, if %NULL is returned
 *
 * Blocks as long as reading files does.
 *
 * Returns: (nullable) (transfer full): a context for connections with @options
 *
 * Threads: any
 */
PenMqttContext *
pen_mqtt_context_get (const PenMqttTlsOptions *options, char **fault)
{
  g_autofree char *key = pen_mqtt_context_make_key (options);
  PenMqttContext *self;
  gboolean is_good;

  g_mutex_lock (&contexts_lock);
  if (contexts == NULL)
    contexts = g_hash_table_new (g_str_hash, g_str_equal);
  self = pen_mqtt_context_find_locked (key);
  if (self != NULL)
    {
      g_mutex_unlock (&contexts_lock);
      return self;
    }
  self = pen_mqtt_context_add_locked (g_steal_pointer (&key));
  g_mutex_unlock (&contexts_lock);
  pen_mqtt_context_load (self, options, fault);
  g_mutex_lock (&contexts_lock);
  self->is_loaded = TRUE;
  is_good = self->ssl != NULL;
  if (!is_good)
    {
      pen_mqtt_context_hide_locked (self);
      pen_mqtt_context_unref_locked (self);
    }
  g_cond_broadcast (&context_loaded);
  g_mutex_unlock (&contexts_lock);
  return is_good ? self : NULL;
}

/* (transfer none). Threads: any */
SSL_CTX *
pen_mqtt_context_get_ssl (PenMqttContext *self)
{
  return self->ssl;
}

/* When the files expire. Threads: any */
PenMqttExpiry
pen_mqtt_context_get_expiry (PenMqttContext *self)
{
  return self->expiry;
}

/* Threads: any */
void
pen_mqtt_context_unref (PenMqttContext *self)
{
  g_mutex_lock (&contexts_lock);
  pen_mqtt_context_unref_locked (self);
  g_mutex_unlock (&contexts_lock);
}

/* How often files were read in this process: for tests. Threads: any */
guint
pen_mqtt_context_count_loads (void)
{
  return (guint) g_atomic_int_get (&n_loads);
}
