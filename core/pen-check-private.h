/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Making a PenCheck, for whoever loads a definition.
 */

#pragma once

#include "pen-check.h"

G_BEGIN_DECLS

/* Called for each finding; @property may be NULL: it concerns the element as a whole. */
typedef void (*PenCheckFunc) (gboolean is_error,
                              const char *property,
                              const char *message,
                              gpointer user_data);

/* Called for what no other may have. */
typedef void (*PenCheckClaimFunc) (const char *property,
                                   const char *what,
                                   const char *why,
                                   gpointer user_data);

/* Called for what may be read by others too, but hardly on purpose. */
typedef void (*PenCheckInterestFunc) (const char *property,
                                      const PenInterest *interest,
                                      gpointer user_data);

/* Which properties the keyfile sets. */
typedef gboolean (*PenCheckIsSetFunc) (const char *property, gpointer user_data);

struct _PenCheck
{
  PenCheckFunc report;
  PenCheckClaimFunc claim;
  PenCheckInterestFunc interest;
  PenCheckIsSetFunc is_set;
  gpointer user_data;
  gboolean wants_environment;
};

/* Whether every user of the machine can read a file that is there; @mode: (out): its mode. */
PEN_RUNTIME_EXPORT
gboolean pen_path_is_exposed (const char *path, guint *mode);

G_END_DECLS
