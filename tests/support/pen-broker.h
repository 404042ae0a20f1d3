/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A real Mosquitto for a test.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* All may be left out; zero-initialise. */
typedef struct
{
  const char *certificate; /* name of the server's identity: "server"; NULL: no TLS */
  const char *client_ca;   /* name of the CA that clients have to be signed by */
  const char *username;    /* the only one that is let in, with @password */
  const char *password;
  gboolean forgets;       /* keeps nothing over a restart */
  gboolean saves_at_once; /* keeps everything over a kill; slow */
  const char *extra;      /* further lines of its configuration */
} PenBrokerOptions;

typedef struct _PenBroker PenBroker;

const char *pen_broker_find_program (void);
PenBroker *pen_broker_new (const char *folder, const PenBrokerOptions *options);
void pen_broker_free (PenBroker *self);
void pen_broker_start (PenBroker *self);
void pen_broker_stop (PenBroker *self);
void pen_broker_kill (PenBroker *self);
void pen_broker_suspend (PenBroker *self, gboolean suspended);
void pen_broker_set_certificate (PenBroker *self, const char *certificate);
guint pen_broker_get_port (PenBroker *self);
guint pen_broker_get_plain_port (PenBroker *self);
char *pen_broker_read_log (PenBroker *self);
guint pen_test_find_free_port (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenBroker, pen_broker_free)

G_END_DECLS
