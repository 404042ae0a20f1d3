/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Throw-away keys and certificates for tests, made when a test begins: a root and what it has
 * signed, a version 1 root without extensions, and everything that can be wrong with them. Keys
 * are on the curve P-256: made in a millisecond.
 */

#include "config.h"

#include "pen-certificates.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#define DAY_S (24 * 60 * 60)

typedef struct
{
  gnutls_x509_crt_t certificate;
  gnutls_x509_privkey_t key;
} PenIdentity;

typedef enum
{
  PEN_IDENTITY_ROOT,
  PEN_IDENTITY_ROOT_V1,
  PEN_IDENTITY_SERVER,
  PEN_IDENTITY_CLIENT,
} PenIdentityRole;

typedef struct
{
  const char *name;
  PenIdentityRole role;
  const char *host; /* the common name, and the alternative name of a server */
  int first_day;    /* from today */
  int last_day;
} PenIdentityPlan;

static void
pen_identity_save (const PenIdentity *self, const char *folder, const char *name)
{
  g_autofree char *certificate_path = g_strdup_printf ("%s/%s.crt", folder, name);
  g_autofree char *key_path = g_strdup_printf ("%s/%s.key", folder, name);
  gnutls_datum_t text;

  g_assert_cmpint (gnutls_x509_crt_export2 (self->certificate, GNUTLS_X509_FMT_PEM, &text), ==, 0);
  g_assert_true (
      g_file_set_contents (certificate_path, (const char *) text.data, (gssize) text.size, NULL));
  gnutls_free (text.data);
  g_assert_cmpint (gnutls_x509_privkey_export2 (self->key, GNUTLS_X509_FMT_PEM, &text), ==, 0);
  g_assert_true (
      g_file_set_contents (key_path, (const char *) text.data, (gssize) text.size, NULL));
  gnutls_free (text.data);
}

static void
pen_identity_save_encrypted_key (const PenIdentity *self, const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  gnutls_datum_t text;

  g_assert_cmpint (gnutls_x509_privkey_export2_pkcs8 (self->key, GNUTLS_X509_FMT_PEM,
                                                      PEN_CERTIFICATES_KEY_PASSWORD,
                                                      GNUTLS_PKCS_PBES2_AES_256, &text),
                   ==, 0);
  g_assert_true (g_file_set_contents (path, (const char *) text.data, (gssize) text.size, NULL));
  gnutls_free (text.data);
}

/* As OpenSSL's tools write it without -outform PEM. */
static void
pen_identity_save_der (const PenIdentity *self, const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  gnutls_datum_t data;

  g_assert_cmpint (gnutls_x509_crt_export2 (self->certificate, GNUTLS_X509_FMT_DER, &data), ==, 0);
  g_assert_true (g_file_set_contents (path, (const char *) data.data, (gssize) data.size, NULL));
  gnutls_free (data.data);
}

static void
pen_identity_clear (PenIdentity *self)
{
  gnutls_x509_crt_deinit (self->certificate);
  gnutls_x509_privkey_deinit (self->key);
}

static void
pen_identity_add_extensions (gnutls_x509_crt_t certificate, const PenIdentityPlan *plan)
{
  const guint8 loopback[] = { 127, 0, 0, 1 };

  gnutls_x509_crt_set_basic_constraints (certificate, plan->role == PEN_IDENTITY_ROOT, -1);
  if (plan->role == PEN_IDENTITY_ROOT)
    gnutls_x509_crt_set_key_usage (certificate, GNUTLS_KEY_KEY_CERT_SIGN);
  if (plan->role != PEN_IDENTITY_SERVER)
    return;
  gnutls_x509_crt_set_subject_alt_name (certificate, GNUTLS_SAN_DNSNAME, plan->host,
                                        (guint) strlen (plan->host), GNUTLS_FSAN_SET);
  if (g_str_equal (plan->host, "localhost"))
    gnutls_x509_crt_set_subject_alt_name (certificate, GNUTLS_SAN_IPADDRESS, loopback,
                                          sizeof loopback, GNUTLS_FSAN_APPEND);
}

static void
pen_identity_make (PenIdentity *self, const PenIdentityPlan *plan, const PenIdentity *issuer)
{
  static guint32 n_made;
  guint32 serial = GUINT32_TO_BE (0x01000000 + n_made++); /* never 0, never negative */
  time_t now = (time_t) (g_get_real_time () / G_USEC_PER_SEC);

  g_assert_cmpint (gnutls_x509_privkey_init (&self->key), ==, 0);
  g_assert_cmpint (gnutls_x509_privkey_generate2 (self->key, GNUTLS_PK_ECDSA,
                                                  GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1),
                                                  0, NULL, 0),
                   ==, 0);
  g_assert_cmpint (gnutls_x509_crt_init (&self->certificate), ==, 0);
  gnutls_x509_crt_set_version (self->certificate, plan->role == PEN_IDENTITY_ROOT_V1 ? 1 : 3);
  gnutls_x509_crt_set_serial (self->certificate, &serial, sizeof serial);
  gnutls_x509_crt_set_activation_time (self->certificate, now + plan->first_day * DAY_S);
  gnutls_x509_crt_set_expiration_time (self->certificate, now + plan->last_day * DAY_S);
  gnutls_x509_crt_set_dn_by_oid (self->certificate, GNUTLS_OID_X520_COMMON_NAME, 0, plan->host,
                                 (guint) strlen (plan->host));
  gnutls_x509_crt_set_key (self->certificate, self->key);
  if (plan->role != PEN_IDENTITY_ROOT_V1)
    pen_identity_add_extensions (self->certificate, plan);
  if (issuer == NULL)
    issuer = self;
  g_assert_cmpint (gnutls_x509_crt_sign2 (self->certificate, issuer->certificate, issuer->key,
                                          GNUTLS_DIG_SHA256, 0),
                   ==, 0);
}

/* Makes the identities of @plans, the first of which signs itself and all others. */
static void
pen_certificates_make_family (const char *folder, const PenIdentityPlan *plans, gsize n_plans)
{
  PenIdentity root;

  pen_identity_make (&root, &plans[0], NULL);
  pen_identity_save (&root, folder, plans[0].name);
  pen_identity_save_der (&root, folder, "der.crt");
  for (gsize i = 1; i < n_plans; i++)
    {
      PenIdentity identity;

      pen_identity_make (&identity, &plans[i], &root);
      pen_identity_save (&identity, folder, plans[i].name);
      if (g_str_equal (plans[i].name, "client"))
        pen_identity_save_encrypted_key (&identity, folder, "client-encrypted.key");
      pen_identity_clear (&identity);
    }
  pen_identity_clear (&root);
}

/* Writes NAME.crt and NAME.key for every plan below, client-encrypted.key, and der.crt. */
void
pen_certificates_make (const char *folder)
{
  const PenIdentityPlan family[] = {
    { "ca", PEN_IDENTITY_ROOT, "Test root", -1, 365 },
    { "server", PEN_IDENTITY_SERVER, "localhost", -1, 90 },
    { "server-expired", PEN_IDENTITY_SERVER, "localhost", -30, -2 },
    { "server-early", PEN_IDENTITY_SERVER, "localhost", 2, 30 },
    { "server-other", PEN_IDENTITY_SERVER, "other.example", -1, 90 },
    { "client", PEN_IDENTITY_CLIENT, "site-7", -1, 30 },
    { "client-expired", PEN_IDENTITY_CLIENT, "site-7", -30, -2 },
    { "client-early", PEN_IDENTITY_CLIENT, "site-7", 2, 30 },
  };
  const PenIdentityPlan old_family[] = {
    { "ca-v1", PEN_IDENTITY_ROOT_V1, "Test root of version 1", -1, 365 },
    { "server-v1", PEN_IDENTITY_SERVER, "localhost", -1, 90 },
  };
  const PenIdentityPlan stranger[] = {
    { "ca-other", PEN_IDENTITY_ROOT, "Another root", -1, 365 },
  };
  const PenIdentityPlan expired[] = {
    { "ca-expired", PEN_IDENTITY_ROOT, "Test root of old", -30, -2 },
  };

  pen_certificates_make_family (folder, family, G_N_ELEMENTS (family));
  pen_certificates_make_family (folder, old_family, G_N_ELEMENTS (old_family));
  pen_certificates_make_family (folder, stranger, G_N_ELEMENTS (stranger));
  pen_certificates_make_family (folder, expired, G_N_ELEMENTS (expired));
}
