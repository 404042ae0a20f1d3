/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An event that was tapped, as text for people or for a program behind a pipe.
 */

#pragma once

#include "pen-json.h"

G_BEGIN_DECLS

typedef enum
{
  PEN_CLI_TAP_LINES,    /* the payload */
  PEN_CLI_TAP_PRETTY,   /* a heading, and the payload indented */
  PEN_CLI_TAP_ENVELOPE, /* as the sinks' envelope */
  PEN_CLI_TAP_JSON,     /* all that is known, also what was not shown */
} PenCliTapFormat;

/* Appends with the newline. @json: an answer that has an event. */
void pen_cli_tap_append (GString *text, PenCliTapFormat format, const PenJson *json);

G_END_DECLS
