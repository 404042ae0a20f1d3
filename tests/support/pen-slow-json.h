/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A second JSON reader, for tests only: RFC 8259's grammar written down rule by rule.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

typedef enum
{
  PEN_SLOW_JSON_ACCEPTED,
  PEN_SLOW_JSON_INVALID,
  PEN_SLOW_JSON_TOO_DEEP,
} PenSlowVerdict;

#define PEN_SLOW_JSON_NONE G_MAXUINT

/* A value. Offsets are from the start of the text; a string's piece includes its quotes, a key's
 * does not. Nodes stand in the order in which their first byte does. */
typedef struct
{
  PenJsonType type;
  gsize offset;
  gsize length;
  gboolean has_key;
  gsize key_offset;
  gsize key_length;
  guint n_children;
  guint next_sibling; /* or PEN_SLOW_JSON_NONE */
} PenSlowNode;

typedef struct
{
  PenSlowVerdict verdict;
  gsize failed_at; /* the first byte with which no JSON text can begin like this; or the length */
  const char *text;
  gsize length;
  GArray *nodes; /* (element-type PenSlowNode): complete if the text was accepted */
} PenSlowJson;

PenSlowJson *pen_slow_json_parse (const char *text, gsize length);
void pen_slow_json_free (PenSlowJson *self);
const PenSlowNode *pen_slow_json_get (const PenSlowJson *self, guint node);
guint pen_slow_json_first_child (const PenSlowJson *self, guint node);
char *pen_slow_json_decode (const char *inner, gsize inner_length, gsize *length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenSlowJson, pen_slow_json_free)

G_END_DECLS
