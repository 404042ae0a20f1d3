/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What those who answer share.
 */

#pragma once

#include "pen-cli-control.h"
#include "pen-cli-wire.h"

G_BEGIN_DECLS

/* One who is connected; its functions are called on a thread of its own. */
typedef struct
{
  PenCliControl *control;
  GThread *thread;
  PenCliWire wire;
  gboolean is_gone; /* control's lock: its thread is about to end */
} PenCliControlClient;

PenEngine *pen_cli_control_get_engine (PenCliControl *self);

/* Runs @func on the thread that started the engine, and waits for it; FALSE if the run is over. */
typedef void (*PenCliControlFunc) (gpointer data);
gboolean pen_cli_control_call (PenCliControl *self, PenCliControlFunc func, gpointer data);

/* Puts a member "error" into an answer of its own. FALSE if the client is gone. */
gboolean pen_cli_control_refuse (PenCliControlClient *self, const char *message);
/* FALSE if the client is gone, or does not read. */
gboolean pen_cli_control_send (PenCliControlClient *self, GString *text);

/* The requests: FALSE if there is nothing more to say to the client. */
gboolean pen_cli_control_answer_pipelines (PenCliControlClient *self, PenJson *request);
gboolean pen_cli_control_answer_tap (PenCliControlClient *self, PenJson *request);

G_END_DECLS
