/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files that are good need no explanation, and nearly all are. So a quick look with OpenSSL, which
 * is there anyway, comes first. It never finds good what GnuTLS, the judge
 * (pen-mqtt-certificates.c), would find fault with: whatever it does not know for sure, it leaves
 * to the judge. That one is a module of its own, opened when it is needed for the first time:
 * GnuTLS and the seven libraries below it took a fifth of the instructions of every start.
 *
 * Reading a certificate costs OpenSSL more than all else that a start does with it. So a good CA
 * file's certificates are kept, and the connections that it is for trust these for a moment.
 */

#include "config.h"

#include "pen-mqtt-files.h"

#include <dlfcn.h>
#include <gmodule.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>

#define MAXIMUM_FILE_SIZE (8 * 1024 * 1024) /* as the judge's */
/* How long what was found of a file counts, as long as the file is the same. */
#define RECALL_S 10
#define JUDGE_MODULE "mqtt-certificates." G_MODULE_SUFFIX
#define JUDGE_SYMBOL "pen_mqtt_certificates_check"

typedef gboolean (*PenMqttJudgeFunc) (const PenMqttCertificates *files,
                                      gint64 now_s,
                                      PenMqttFaultFunc report,
                                      gpointer user_data,
                                      PenMqttExpiry *expiry);

typedef STACK_OF (X509) PenMqttX509s;

/* A file of CAs that was good. */
typedef struct
{
  struct stat status;
  gint64 checked_s; /* 0: there was none yet */
  gint64 expiry_s;
  PenMqttX509s *certificates;
} PenMqttKnownFile;

static GMutex known_lock;         /* what follows */
static PenMqttKnownFile known_ca; /* thousands of sites mostly have one */

static GMutex judge_lock;      /* what follows */
static PenMqttJudgeFunc judge; /* NULL: not opened yet */

static void
pen_mqtt_files_free (PenMqttX509s *certificates)
{
  sk_X509_pop_free (certificates, X509_free);
}

/* (nullable): of a file that can be read without waiting for it. */
static char *
pen_mqtt_files_read (const char *path, gsize *length)
{
  char *text = NULL;
  struct stat status;

  if (stat (path, &status) != 0 || !S_ISREG (status.st_mode) || status.st_size > MAXIMUM_FILE_SIZE
      || !g_file_get_contents (path, &text, length, NULL))
    return NULL;
  if (*length <= MAXIMUM_FILE_SIZE)
    return text;
  g_free (text);
  return NULL;
}

/* (nullable): all that @text has, if that is certificates and nothing else. */
static PenMqttX509s *
pen_mqtt_files_parse (const char *text, gsize length)
{
  PenMqttX509s *list = sk_X509_new_null ();
  BIO *memory = BIO_new_mem_buf (text, (int) length);
  X509 *certificate = NULL;
  int n_begun = 0;

  while (list != NULL && memory != NULL
         && (certificate = PEM_read_bio_X509 (memory, NULL, NULL, NULL)) != NULL)
    if (sk_X509_push (list, certificate) == 0)
      X509_free (certificate);
  BIO_free (memory);
  for (const char *at = text; (at = strstr (at, "-----BEGIN ")) != NULL; at++)
    n_begun++;
  if (n_begun > 0 && sk_X509_num (list) == n_begun)
    return list;
  pen_mqtt_files_free (list);
  return NULL;
}

/* -1: it cannot be read. */
static gint64
pen_mqtt_files_get_time (const ASN1_TIME *time)
{
  struct tm parts = { 0 };

  return time != NULL && ASN1_TIME_to_tm (time, &parts) == 1 ? (gint64) timegm (&parts) : -1;
}

/* Until when @certificate is valid; -1 if it is not, or not yet. */
static gint64
pen_mqtt_files_get_end (X509 *certificate, gint64 now_s)
{
  gint64 begin_s = pen_mqtt_files_get_time (X509_get0_notBefore (certificate));
  gint64 end_s = pen_mqtt_files_get_time (X509_get0_notAfter (certificate));

  return begin_s >= 0 && begin_s <= now_s && now_s <= end_s ? end_s : -1;
}

static gboolean
pen_mqtt_files_is_known_locked (const struct stat *status, gint64 now_s)
{
  const struct stat *known = &known_ca.status;

  return known_ca.checked_s != 0 && now_s >= known_ca.checked_s
         && now_s < known_ca.checked_s + RECALL_S && status->st_dev == known->st_dev
         && status->st_ino == known->st_ino && status->st_size == known->st_size
         && status->st_ctim.tv_sec == known->st_ctim.tv_sec
         && status->st_ctim.tv_nsec == known->st_ctim.tv_nsec;
}

static gboolean
pen_mqtt_files_recall (const struct stat *status, gint64 now_s, gint64 *expiry_s)
{
  gboolean is_known;

  g_mutex_lock (&known_lock);
  is_known = pen_mqtt_files_is_known_locked (status, now_s);
  if (is_known)
    *expiry_s = known_ca.expiry_s;
  g_mutex_unlock (&known_lock);
  return is_known;
}

/* Takes @list. A file that has just been written may be so again within the same tick of the clock
 * that stamps files. */
static void
pen_mqtt_files_remember (const struct stat *status,
                         gint64 now_s,
                         gint64 expiry_s,
                         PenMqttX509s *list)
{
  PenMqttX509s *old = list;

  if (status->st_ctim.tv_sec + 1 < now_s)
    {
      g_mutex_lock (&known_lock);
      old = known_ca.certificates;
      known_ca = (PenMqttKnownFile){ *status, now_s, expiry_s, list };
      g_mutex_unlock (&known_lock);
    }
  pen_mqtt_files_free (old);
}

/* Each is a CA, says so itself, and is valid: bundles with old ones are the judge's. */
static gboolean
pen_mqtt_files_is_good_ca (const char *path, gint64 now_s, gint64 *expiry_s)
{
  g_autofree char *text = NULL;
  gsize length = 0;
  struct stat status;
  PenMqttX509s *list = NULL;
  gboolean is_good = FALSE;

  if (stat (path, &status) != 0)
    return FALSE;
  if (pen_mqtt_files_recall (&status, now_s, expiry_s))
    return TRUE;
  text = pen_mqtt_files_read (path, &length);
  if (text != NULL)
    list = pen_mqtt_files_parse (text, length);
  is_good = list != NULL;
  for (int i = 0; is_good && i < sk_X509_num (list); i++)
    {
      gint64 end_s = pen_mqtt_files_get_end (sk_X509_value (list, i), now_s);

      is_good = end_s >= 0 && X509_check_ca (sk_X509_value (list, i)) == 1;
      *expiry_s = MAX (*expiry_s, end_s);
    }
  if (is_good)
    pen_mqtt_files_remember (&status, now_s, *expiry_s, list);
  else
    pen_mqtt_files_free (list);
  return is_good;
}

/* Without it OpenSSL would ask for the password on the terminal. */
static int
pen_mqtt_files_on_password (char *buffer, int size, int is_writing, void *user_data)
{
  const char *password = user_data;

  if (password == NULL || strlen (password) >= (gsize) size)
    return 0;
  return (int) g_strlcpy (buffer, password, (gsize) size);
}

static gboolean
pen_mqtt_files_is_key_of (const PenMqttCertificates *files, X509 *certificate)
{
  gsize length = 0;
  g_autofree char *text = pen_mqtt_files_read (files->keyfile, &length);
  BIO *memory = NULL;
  EVP_PKEY *key = NULL;
  int type = 0;
  gboolean is_good;

  if (text == NULL || (strstr (text, "ENCRYPTED") != NULL) != (files->key_password != NULL))
    return FALSE;
  memory = BIO_new_mem_buf (text, (int) length);
  if (memory != NULL)
    key = PEM_read_bio_PrivateKey (memory, NULL, pen_mqtt_files_on_password,
                                   (void *) files->key_password);
  BIO_free (memory);
  if (key != NULL)
    type = EVP_PKEY_get_base_id (key);
  is_good = (type == EVP_PKEY_RSA || type == EVP_PKEY_EC)
            && EVP_PKEY_eq (X509_get0_pubkey (certificate), key) == 1;
  EVP_PKEY_free (key);
  return is_good;
}

static gboolean
pen_mqtt_files_is_good_client (const PenMqttCertificates *files, gint64 now_s, gint64 *expiry_s)
{
  gsize length = 0;
  g_autofree char *text = pen_mqtt_files_read (files->certfile, &length);
  PenMqttX509s *list = text != NULL ? pen_mqtt_files_parse (text, length) : NULL;
  gboolean is_good = FALSE;

  if (list != NULL)
    {
      *expiry_s = pen_mqtt_files_get_end (sk_X509_value (list, 0), now_s);
      is_good = *expiry_s >= 0 && files->keyfile != NULL
                && pen_mqtt_files_is_key_of (files, sk_X509_value (list, 0));
    }
  pen_mqtt_files_free (list);
  return is_good;
}

/**
 * pen_mqtt_files_are_good: (skip)
 * @files: the files of a connection
 * @now_s: the time to judge them at, in seconds since 1970
 * @expiry: (out): when the files expire, if they are good
 *
 * Blocks as long as reading files does.
 *
 * Returns: whether they are good for sure; if not, that says nothing
 *
 * Threads: any
 */
gboolean
pen_mqtt_files_are_good (const PenMqttCertificates *files, gint64 now_s, PenMqttExpiry *expiry)
{
  gboolean is_good = TRUE;

  /* The first who calls OpenSSL says so: it would clean up at the end of the process under the feet
   * of threads that connect. */
  OPENSSL_init_crypto (OPENSSL_INIT_NO_ATEXIT, NULL);
  ERR_clear_error ();
  *expiry = (PenMqttExpiry){ 0, 0 };
  if (files->cafile != NULL)
    is_good = pen_mqtt_files_is_good_ca (files->cafile, now_s, &expiry->ca_s);
  if (is_good && files->certfile != NULL)
    is_good = pen_mqtt_files_is_good_client (files, now_s, &expiry->certificate_s);
  ERR_clear_error ();
  return is_good;
}

/* --- The judge --- */

static char *
pen_mqtt_files_find_judge (void)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = NULL;
  g_autofree char *path = NULL;
  Dl_info here;

  if (program != NULL && g_str_has_prefix (program, PEN_BUILD_FOLDER "/"))
    return g_build_filename (PEN_BUILD_FOLDER, "protocols", "mqtt", JUDGE_MODULE, NULL);
  /* beside the plugin that this is in, wherever that was found */
  if (dladdr ((gpointer) pen_mqtt_files_find_judge, &here) != 0 && here.dli_fname != NULL)
    {
      folder = g_path_get_dirname (here.dli_fname);
      path = g_build_filename (folder, JUDGE_MODULE, NULL);
    }
  if (path != NULL && g_file_test (path, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&path);
  return g_build_filename (PEN_PLUGIN_FOLDER, JUDGE_MODULE, NULL);
}

static PenMqttJudgeFunc
pen_mqtt_files_open_judge_locked (char **reason)
{
  g_autofree char *path = pen_mqtt_files_find_judge ();
  g_autoptr (GError) error = NULL;
  GModule *module = g_module_open_full (path, G_MODULE_BIND_LOCAL, &error);
  gpointer symbol = NULL;

  if (module == NULL)
    {
      *reason = g_strdup (error->message);
      return NULL;
    }
  g_module_make_resident (module);
  if (!g_module_symbol (module, JUDGE_SYMBOL, &symbol))
    *reason = g_strdup_printf ("'%s' is of another version of penstock", path);
  return (PenMqttJudgeFunc) symbol;
}

/**
 * pen_mqtt_files_check: (skip)
 * @files: the files of a connection
 * @now_s: the time to judge them at, in seconds since 1970
 * @report: called for each fault, with one line
 * @user_data: given to @report
 * @expiry: (out): when the files expire
 *
 * Says all that is wrong with the files. Blocks as long as reading files does.
 *
 * Returns: whether all is well
 *
 * Threads: any
 */
gboolean
pen_mqtt_files_check (const PenMqttCertificates *files,
                      gint64 now_s,
                      PenMqttFaultFunc report,
                      gpointer user_data,
                      PenMqttExpiry *expiry)
{
  g_autofree char *reason = NULL;
  g_autofree char *message = NULL;
  PenMqttJudgeFunc judge_them;

  if (pen_mqtt_files_are_good (files, now_s, expiry))
    return TRUE;
  *expiry = (PenMqttExpiry){ 0, 0 };
  g_mutex_lock (&judge_lock);
  if (judge == NULL)
    judge = pen_mqtt_files_open_judge_locked (&reason);
  judge_them = judge;
  g_mutex_unlock (&judge_lock);
  if (judge_them != NULL)
    return judge_them (files, now_s, report, user_data, expiry);
  message = g_strdup_printf ("the files of the TLS connection may be at fault, and what is wrong "
                             "with them cannot be said: %s; install penstock as a whole again",
                             reason);
  report (files->cafile != NULL ? "cafile" : "certfile", message, user_data);
  return FALSE;
}

/**
 * pen_mqtt_files_trust: (skip)
 * @store: where a connection finds whom to trust
 * @cafile: a file of CAs
 * @now_s: the time, in seconds since 1970
 *
 * Puts the file's certificates there, if it is the one that was found good a moment ago.
 *
 * Returns: whether it is; if not, the file has to be read
 *
 * Threads: any
 */
gboolean
pen_mqtt_files_trust (X509_STORE *store, const char *cafile, gint64 now_s)
{
  PenMqttX509s *list = NULL;
  struct stat status;
  gboolean is_good;

  if (stat (cafile, &status) != 0)
    return FALSE;
  g_mutex_lock (&known_lock);
  if (pen_mqtt_files_is_known_locked (&status, now_s))
    list = X509_chain_up_ref (known_ca.certificates);
  g_mutex_unlock (&known_lock);
  is_good = list != NULL;
  for (int i = 0; is_good && i < sk_X509_num (list); i++)
    is_good = X509_STORE_add_cert (store, sk_X509_value (list, i)) == 1;
  pen_mqtt_files_free (list);
  return is_good;
}
