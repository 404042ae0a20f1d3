/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every way in which a certificate file can be wrong, and the one line that is said about it; and
 * that the quick look never finds good what the judge finds fault with.
 */

#include "config.h"

#include "pen-certificates.h"
#include "pen-mqtt-files.h"
#include "pen-test.h"

#include <glib/gstdio.h>
#include <openssl/x509_vfy.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY 65534
#define DAY_S (24 * 60 * 60)

static char *test_folder;

typedef struct
{
  const char *cafile;
  const char *certfile;
  const char *keyfile;
  const char *key_password;
  const char *property; /* of the fault; NULL: all is well */
  const char *message;  /* a pattern for g_pattern_match */
} Row;

static void
test_collect_fault (const char *property, const char *message, gpointer user_data)
{
  GPtrArray *faults = user_data;

  g_ptr_array_add (faults, g_strdup_printf ("%s: %s", property, message));
}

static char *
test_find_file (const char *name)
{
  return name == NULL || name[0] == '/' ? g_strdup (name)
                                        : g_build_filename (test_folder, name, NULL);
}

/* The quick look leaves to the judge whatever is at fault, and who asks both hears the judge. */
static void
test_compare_with_judge (const PenMqttCertificates *files,
                         GPtrArray *faults,
                         const PenMqttExpiry *expiry)
{
  g_autoptr (GPtrArray) same = g_ptr_array_new_with_free_func (g_free);
  gint64 now_s = g_get_real_time () / G_USEC_PER_SEC;
  PenMqttExpiry quick;

  if (pen_mqtt_files_are_good (files, now_s, &quick))
    {
      g_assert_cmpuint (faults->len, ==, 0);
      g_assert_cmpint (quick.ca_s, ==, expiry->ca_s);
      g_assert_cmpint (quick.certificate_s, ==, expiry->certificate_s);
    }
  pen_mqtt_files_check (files, now_s, test_collect_fault, same, &quick);
  g_assert_cmpuint (same->len, ==, faults->len);
  for (guint i = 0; i < faults->len; i++)
    g_assert_cmpstr (same->pdata[i], ==, faults->pdata[i]);
}

static GPtrArray *
test_check_files (const Row *row, PenMqttExpiry *expiry)
{
  GPtrArray *faults = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *cafile = test_find_file (row->cafile);
  g_autofree char *certfile = test_find_file (row->certfile);
  g_autofree char *keyfile = test_find_file (row->keyfile);
  const PenMqttCertificates files = { cafile, certfile, keyfile, row->key_password };
  gboolean is_good = pen_mqtt_certificates_check (&files, g_get_real_time () / G_USEC_PER_SEC,
                                                  test_collect_fault, faults, expiry);

  g_assert_cmpint (is_good, ==, faults->len == 0);
  test_compare_with_judge (&files, faults, expiry);
  return faults;
}

static void
test_assert_rows (const Row *rows, gsize n_rows)
{
  for (gsize i = 0; i < n_rows; i++)
    {
      PenMqttExpiry expiry;
      g_autoptr (GPtrArray) faults = test_check_files (&rows[i], &expiry);
      g_autofree char *pattern = g_strdup_printf ("%s: %s", rows[i].property, rows[i].message);

      if (rows[i].property == NULL)
        {
          g_assert_cmpstr (faults->len == 0 ? NULL : faults->pdata[0], ==, NULL);
          continue;
        }
      g_assert_cmpuint (faults->len, ==, 1);
      g_test_message ("%s", (char *) faults->pdata[0]);
      if (!g_pattern_match_simple (pattern, faults->pdata[0]))
        g_error ("'%s' is not like '%s'", (char *) faults->pdata[0], pattern);
    }
}

static void
test_good (void)
{
  const Row rows[] = {
    { NULL },
    { "ca.crt" },
    { "ca-v1.crt" },
    { "ca.crt", "client.crt", "client.key" },
    { NULL, "client.crt", "client.key" },
    { "ca.crt", "client.crt", "client-encrypted.key", PEN_CERTIFICATES_KEY_PASSWORD },
    { "bundle.crt" },
    { "windows.crt" },
  };

  test_assert_rows (rows, G_N_ELEMENTS (rows));
}

static void
test_bad_ca (void)
{
  const Row rows[] = {
    { "missing.crt", .property = "cafile",
      .message = "cannot read cafile '*missing.crt': No such file*" },
    { "/", .property = "cafile", .message = "cafile '/' is not a file" },
    { "pipe", .property = "cafile", .message = "cafile '*pipe' is not a file" },
    { "empty", .property = "cafile", .message = "*holds no certificate: it is empty" },
    { "text", .property = "cafile", .message = "*holds no certificate: it is not PEM*" },
    { "der.crt", .property = "cafile", .message = "*looks like DER*openssl x509*" },
    { "ca.key", .property = "cafile", .message = "*holds no certificate: it holds a private key" },
    { "cut.crt", .property = "cafile", .message = "*damaged or cut off" },
    { "ca-expired.crt", .property = "cafile",
      .message = "*'CN=Test root of old' expired on 20* UTC" },
    { "server.crt", .property = "cafile",
      .message = "*holds no CA: 'CN=localhost' is the certificate of a server*" },
    { "client.crt", .property = "cafile", .message = "*holds no CA: 'CN=site-7'*" },
    { "large", .property = "cafile", .message = "*larger than 8 MiB*" },
  };

  test_assert_rows (rows, G_N_ELEMENTS (rows));
}

static void
test_bad_client (void)
{
  const Row rows[] = {
    { "ca.crt", "client-expired.crt", "client-expired.key", NULL, "certfile",
      "certfile '*client-expired.crt'*'CN=site-7' expired on*" },
    { "ca.crt", "client-early.crt", "client-early.key", NULL, "certfile",
      "*is not valid before*clock right?" },
    { "ca.crt", "client.crt", "server.key", NULL, "keyfile",
      "the key in keyfile '*server.key' does not belong to the certificate in certfile "
      "'*client.crt'" },
    { "ca.crt", "client.crt", "client.crt", NULL, "keyfile", "*holds no private key in PEM form*" },
    { "ca.crt", "client.crt", "missing.key", NULL, "keyfile", "cannot read keyfile*No such file*" },
    { "ca.crt", "client.crt", "cut.key", NULL, "keyfile", "*the private key cannot be read*" },
    { "ca.crt", "client.crt", "client-encrypted.key", NULL, "keyfile",
      "*is encrypted: set key-password" },
    { "ca.crt", "client.crt", "client-encrypted.key", "wrong", "key-password",
      "key-password does not open keyfile*" },
    { "ca.crt", "missing.crt", "client.key", NULL, "certfile", "cannot read certfile*" },
  };

  test_assert_rows (rows, G_N_ELEMENTS (rows));
}

static void
test_tells_all (void)
{
  const Row row = { "missing.crt", "client-expired.crt", "client.key" };
  PenMqttExpiry expiry;
  g_autoptr (GPtrArray) faults = test_check_files (&row, &expiry);

  g_assert_cmpuint (faults->len, ==, 3);
}

static void
test_unreadable (void)
{
  const Row row
      = { "secret.crt", .property = "cafile", .message = "cannot read cafile*Permission denied" };

  gboolean is_root = geteuid () == 0;

  /* root reads every file: so look at it as somebody else */
  if (is_root && seteuid (NOBODY) != 0)
    {
      g_test_skip ("root cannot become somebody else here");
      return;
    }
  test_assert_rows (&row, 1);
  if (is_root)
    g_assert_cmpint (seteuid (0), ==, 0);
}

static void
test_expiry (void)
{
  const Row row = { "ca.crt", "client.crt", "client.key" };
  gint64 now_s = g_get_real_time () / G_USEC_PER_SEC;
  PenMqttExpiry expiry;
  g_autoptr (GPtrArray) faults = test_check_files (&row, &expiry);

  g_assert_cmpuint (faults->len, ==, 0);
  g_assert_cmpint ((expiry.ca_s - now_s + DAY_S / 2) / DAY_S, ==, 365);
  g_assert_cmpint ((expiry.certificate_s - now_s + DAY_S / 2) / DAY_S, ==, 30);
}

/* What is broken in other ways than a signature. */
static void
test_make_files (void)
{
  g_autofree char *ca_path = test_find_file ("ca.crt");
  g_autofree char *ca = pen_test_read_file (ca_path, NULL);
  g_autofree char *expired_path = test_find_file ("ca-expired.crt");
  g_autofree char *expired = pen_test_read_file (expired_path, NULL);
  g_autofree char *key_path = test_find_file ("client.key");
  g_autofree char *key = pen_test_read_file (key_path, NULL);
  g_autofree char *bundle = g_strconcat ("# two roots\n", expired, "\n", ca, NULL);
  g_autofree char *crl
      = g_strconcat (ca, "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n", NULL);
  g_auto (GStrv) lines = g_strsplit (ca, "\n", -1);
  g_autofree char *windows = g_strjoinv ("\r\n", lines);
  g_autofree char *pipe_path = test_find_file ("pipe");
  g_autofree char *secret_path = test_find_file ("secret.crt");
  g_autofree char *large = g_strnfill (8 * 1024 * 1024 + 1, 'x');

  pen_test_write_file (test_folder, "bundle.crt", bundle);
  pen_test_write_file (test_folder, "windows.crt", windows);
  pen_test_write_file (test_folder, "crl.crt", crl);
  pen_test_write_file (test_folder, "empty", "");
  pen_test_write_file (test_folder, "text", "cafile=ca.crt\n");
  pen_test_write_file (test_folder, "large", large);
  pen_test_write_file (test_folder, "secret.crt", ca);
  g_assert_cmpint (g_chmod (secret_path, 0), ==, 0);
  ca[200] = '\0';
  pen_test_write_file (test_folder, "cut.crt", ca);
  key[80] = '\0';
  pen_test_write_file (test_folder, "cut.key", key);
  g_assert_cmpint (mkfifo (pipe_path, 0600), ==, 0);
}

/* How much this process has read so far, from files and otherwise. */
static guint64
test_count_read (void)
{
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/io", &text, NULL, NULL));
  g_assert_true (g_str_has_prefix (text, "rchar: "));
  return g_ascii_strtoull (text + strlen ("rchar: "), NULL, 10);
}

static guint
test_check_ca_at (const char *path, gint64 now_s, PenMqttExpiry *expiry)
{
  g_autoptr (GPtrArray) faults = g_ptr_array_new_with_free_func (g_free);
  const PenMqttCertificates files = { .cafile = path };

  pen_mqtt_certificates_check (&files, now_s, test_collect_fault, faults, expiry);
  return faults->len;
}

/* Thousands of sites have one CA: it is read once for all, but not when it is another file. */
static void
test_certificates_are_recalled (void)
{
  g_autofree char *ca = test_find_file ("ca.crt");
  g_autofree char *path = test_find_file ("recalled.crt");
  g_autofree char *text = pen_test_read_file (ca, NULL);
  gint64 now_s = g_get_real_time () / G_USEC_PER_SEC + 60;
  PenMqttExpiry expiry;
  PenMqttExpiry again;
  guint64 n_read;

  pen_test_write_file (test_folder, "recalled.crt", text);
  g_assert_cmpuint (test_check_ca_at (path, now_s, &expiry), ==, 0);
  n_read = test_count_read ();
  g_assert_cmpuint (test_check_ca_at (path, now_s + 1, &again), ==, 0);
  /* looking at how much was read reads as well, some 100 bytes */
  g_assert_cmpuint (test_count_read () - n_read, <, strlen (text));
  g_assert_cmpint (again.ca_s, ==, expiry.ca_s);
  g_assert_cmpint (again.ca_s, >, now_s);
  g_assert_cmpuint (test_check_ca_at (path, now_s + 3600, &again), ==, 0);
  g_assert_cmpuint (test_count_read () - n_read, >, strlen (text));
  pen_test_write_file (test_folder, "recalled.crt", "no certificate\n");
  g_assert_cmpuint (test_check_ca_at (path, now_s + 3601, &again), ==, 1);
  pen_test_write_file (test_folder, "recalled.crt", text);
  g_assert_cmpuint (test_check_ca_at (path, now_s + 3602, &again), ==, 0);
  g_assert_no_errno (g_unlink (path));
  g_assert_cmpuint (test_check_ca_at (path, now_s + 3603, &again), ==, 1);
}

/* Most files need no judge, and some that are good do. */
static void
test_quick_look (void)
{
  const struct
  {
    const char *cafile;
    const char *certfile;
    const char *keyfile;
    const char *key_password;
    gboolean is_good;
  } rows[] = {
    { "ca.crt", .is_good = TRUE },
    { "windows.crt", .is_good = TRUE },
    { "ca.crt", "client.crt", "client.key", NULL, TRUE },
    { "ca.crt", "client.crt", "client-encrypted.key", PEN_CERTIFICATES_KEY_PASSWORD, TRUE },
    { "ca.crt", "client.crt", "client.key", PEN_CERTIFICATES_KEY_PASSWORD, FALSE },
    { "bundle.crt", .is_good = FALSE },
    { "ca-v1.crt", .is_good = FALSE },
    { "crl.crt", .is_good = FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *cafile = test_find_file (rows[i].cafile);
      g_autofree char *certfile = test_find_file (rows[i].certfile);
      g_autofree char *keyfile = test_find_file (rows[i].keyfile);
      const PenMqttCertificates files = { cafile, certfile, keyfile, rows[i].key_password };
      PenMqttExpiry expiry;
      gboolean is_good
          = pen_mqtt_files_are_good (&files, g_get_real_time () / G_USEC_PER_SEC, &expiry);

      g_test_message ("%s, %s, %s", rows[i].cafile, rows[i].certfile, rows[i].keyfile);
      g_assert_cmpint (is_good, ==, rows[i].is_good);
    }
}

static int
test_count_trusted (const char *path, gint64 now_s)
{
  X509_STORE *store = X509_STORE_new ();
  gboolean is_known = pen_mqtt_files_trust (store, path, now_s);
  int n_trusted = sk_X509_OBJECT_num (X509_STORE_get0_objects (store));

  X509_STORE_free (store);
  g_assert_true (is_known || n_trusted == 0);
  return is_known ? n_trusted : -1;
}

/* What was just found good is trusted without being read once more, as long as it is the same. */
static void
test_trusts_what_is_good (void)
{
  g_autofree char *ca = test_find_file ("ca.crt");
  g_autofree char *path = test_find_file ("trusted.crt");
  g_autofree char *text = pen_test_read_file (ca, NULL);
  gint64 now_s = g_get_real_time () / G_USEC_PER_SEC + 7200;
  const PenMqttCertificates files = { .cafile = path };
  PenMqttExpiry expiry;

  pen_test_write_file (test_folder, "trusted.crt", text);
  g_assert_cmpint (test_count_trusted (path, now_s), ==, -1);
  g_assert_true (pen_mqtt_files_are_good (&files, now_s, &expiry));
  g_assert_cmpint (test_count_trusted (path, now_s), ==, 1);
  g_assert_cmpint (test_count_trusted (ca, now_s), ==, -1);
  g_assert_cmpint (test_count_trusted (path, now_s + 3600), ==, -1);
  pen_test_write_file (test_folder, "trusted.crt", "no certificate\n");
  g_assert_cmpint (test_count_trusted (path, now_s), ==, -1);
  g_assert_false (pen_mqtt_files_are_good (&files, now_s, &expiry));
}

int
main (int argc, char **argv)
{
  int status;

  pen_test_init (&argc, &argv);
  test_folder = pen_test_make_folder ();
  pen_certificates_make (test_folder);
  test_make_files ();
  g_test_add_func ("/mqtt/certificates/good", test_good);
  g_test_add_func ("/mqtt/certificates/bad-ca", test_bad_ca);
  g_test_add_func ("/mqtt/certificates/bad-client", test_bad_client);
  g_test_add_func ("/mqtt/certificates/tells-all", test_tells_all);
  g_test_add_func ("/mqtt/certificates/unreadable", test_unreadable);
  g_test_add_func ("/mqtt/certificates/expiry", test_expiry);
  g_test_add_func ("/mqtt/certificates/are-recalled", test_certificates_are_recalled);
  g_test_add_func ("/mqtt/certificates/quick-look", test_quick_look);
  g_test_add_func ("/mqtt/certificates/trusts-what-is-good", test_trusts_what_is_good);
  status = g_test_run ();
  pen_test_remove_folder (test_folder);
  return status;
}
