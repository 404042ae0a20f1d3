/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * JSON as text: a strict scanner, a flat document, and a writer that never change a number.
 */

#pragma once

#include "pen-version.h"

G_BEGIN_DECLS

/**
 * PEN_JSON_MAX_DEPTH:
 *
 * How deep arrays and objects may nest; the top level is 1.
 */
#define PEN_JSON_MAX_DEPTH 64

#define PEN_JSON_ERROR (pen_json_error_quark ())

/**
 * PenJsonError:
 * @PEN_JSON_ERROR_INVALID: not JSON by RFC 8259: dead-letter it
 * @PEN_JSON_ERROR_TOO_DEEP: nested deeper than %PEN_JSON_MAX_DEPTH: dead-letter it
 * @PEN_JSON_ERROR_RANGE: a number does not fit the type asked for: dead-letter it, or ask for text
 * @PEN_JSON_ERROR_TYPE: a value is of another type than the one asked for: dead-letter it
 *
 * What is wrong with a text, or with what was asked of it.
 */
typedef enum
{
  PEN_JSON_ERROR_INVALID,
  PEN_JSON_ERROR_TOO_DEEP,
  PEN_JSON_ERROR_RANGE,
  PEN_JSON_ERROR_TYPE,
} PenJsonError;

PEN_AVAILABLE_IN_1_0
GQuark pen_json_error_quark (void) G_GNUC_CONST;

/**
 * PenJsonType:
 *
 * The kinds of a JSON value. Numbers are not split into integers and others: they are text.
 */
typedef enum
{
  PEN_JSON_NULL,
  PEN_JSON_FALSE,
  PEN_JSON_TRUE,
  PEN_JSON_NUMBER,
  PEN_JSON_STRING,
  PEN_JSON_ARRAY,
  PEN_JSON_OBJECT,
} PenJsonType;

/**
 * PenJsonSlice:
 * @text: (array length=length): first byte, inside the scanned text; not NUL-terminated
 * @length: number of bytes
 * @type: what the text is
 * @escaped: for a string or a key, whether it holds a backslash
 *
 * A piece of a JSON text as it came. A string's slice includes its quotes; a key's slice does not.
 */
typedef struct
{
  const char *text;
  gsize length;
  PenJsonType type;
  gboolean escaped;
} PenJsonSlice;

/**
 * PenJsonMember:
 * @key: the key without its quotes; unset for an element of an array
 * @value: the value; of an array or object only the opening bracket until it was skipped
 *
 * What [method@JsonScanner.next] found.
 */
typedef struct
{
  PenJsonSlice key;
  PenJsonSlice value;
} PenJsonMember;

/**
 * PenJsonScanner:
 *
 * A place in a JSON text. It lives on the caller's stack, allocates nothing, and reads every byte
 * once, from the left. The fields are its own.
 */
typedef struct
{
  /*< private >*/
  const guint8 *cursor;
  const guint8 *end;
  const guint8 *start;
  guint depth;
  guint32 state;
  guint64 is_object; /* bit 0: the current container; bit 1: the one around it; … */
  gint error;        /* PenJsonError, or -1 */
  const char *reason;
  const guint8 *error_at;
  const guint8 *window; /* what the next three are of: bit n is byte n */
  guint64 specials[9];  /* what is not just a character in a string; the last word is 0 */
  guint64 non_digits[9];
  guint64 non_numbers[9]; /* neither a digit nor a point */
  gpointer reserved[4];
} PenJsonScanner;

PEN_AVAILABLE_IN_1_0
void pen_json_scanner_init (PenJsonScanner *self, const char *text, gsize length);
PEN_AVAILABLE_IN_1_0
gboolean pen_json_scanner_begin (PenJsonScanner *self, PenJsonSlice *value);
PEN_AVAILABLE_IN_1_0
gboolean pen_json_scanner_enter (PenJsonScanner *self);
PEN_AVAILABLE_IN_1_0
gboolean pen_json_scanner_skip (PenJsonScanner *self, PenJsonSlice *value);
PEN_AVAILABLE_IN_1_0
gboolean pen_json_scanner_next (PenJsonScanner *self, PenJsonMember *member);
PEN_AVAILABLE_IN_1_0
guint pen_json_scanner_next_usual (PenJsonScanner *self, PenJsonMember *members, guint n_members);
PEN_AVAILABLE_IN_1_0
gboolean pen_json_scanner_leave (PenJsonScanner *self);
PEN_AVAILABLE_IN_1_0
gboolean pen_json_scanner_finish (PenJsonScanner *self, GError **error);
PEN_AVAILABLE_IN_1_0
gboolean pen_json_scanner_failed (const PenJsonScanner *self);

PEN_AVAILABLE_IN_1_0
gboolean pen_json_validate (const char *text, gsize length, GError **error);
PEN_AVAILABLE_IN_1_0
gboolean pen_json_key_equal (const PenJsonSlice *key, const char *name);
PEN_AVAILABLE_IN_1_0
gboolean pen_json_slice_equal (const PenJsonSlice *a, const PenJsonSlice *b);
PEN_AVAILABLE_IN_1_0
guint pen_json_slice_hash (const PenJsonSlice *slice);
PEN_AVAILABLE_IN_1_0
char *pen_json_slice_decode (const PenJsonSlice *slice, gsize *length);
PEN_AVAILABLE_IN_1_0
gboolean pen_json_slice_get_int64 (const PenJsonSlice *slice, gint64 *value, GError **error);
PEN_AVAILABLE_IN_1_0
gboolean pen_json_slice_get_double (const PenJsonSlice *slice, double *value, GError **error);

/* --- The document --- */

#define PEN_TYPE_JSON (pen_json_get_type ())

/**
 * PenJson:
 *
 * A parsed text: flat nodes over the bytes, which it keeps. Immutable and reference-counted.
 */
typedef struct _PenJson PenJson;

/**
 * PenJsonNode:
 *
 * A value of a [struct@Json]: a position that is valid as long as its document.
 * 0 is the top-level value.
 */
typedef guint32 PenJsonNode;

/**
 * PEN_JSON_NO_NODE:
 *
 * What look-ups return when there is no such value.
 */
#define PEN_JSON_NO_NODE G_MAXUINT32

PEN_AVAILABLE_IN_1_0
GType pen_json_get_type (void) G_GNUC_CONST;
PEN_AVAILABLE_IN_1_0
PenJson *pen_json_new_from_bytes (GBytes *bytes, GError **error);
PEN_AVAILABLE_IN_1_0
PenJson *pen_json_ref (PenJson *self);
PEN_AVAILABLE_IN_1_0
void pen_json_unref (PenJson *self);
PEN_AVAILABLE_IN_1_0
guint pen_json_get_n_nodes (const PenJson *self);
PEN_AVAILABLE_IN_1_0
void pen_json_get_slice (const PenJson *self, PenJsonNode node, PenJsonSlice *slice);
PEN_AVAILABLE_IN_1_0
PenJsonType pen_json_get_node_type (const PenJson *self, PenJsonNode node);
PEN_AVAILABLE_IN_1_0
guint pen_json_get_length (const PenJson *self, PenJsonNode node);
PEN_AVAILABLE_IN_1_0
PenJsonNode pen_json_get_first_child (const PenJson *self, PenJsonNode node);
PEN_AVAILABLE_IN_1_0
PenJsonNode pen_json_get_next_sibling (const PenJson *self, PenJsonNode node);
PEN_AVAILABLE_IN_1_0
gboolean pen_json_get_key (const PenJson *self, PenJsonNode node, PenJsonSlice *key);
PEN_AVAILABLE_IN_1_0
PenJsonNode pen_json_get_member (const PenJson *self, PenJsonNode object, const char *name);
PEN_AVAILABLE_IN_1_0
PenJsonNode pen_json_get_element (const PenJson *self, PenJsonNode array, guint index);
PEN_AVAILABLE_IN_1_0
char *pen_json_dup_string (const PenJson *self, PenJsonNode node, GError **error);
PEN_AVAILABLE_IN_1_0
gboolean pen_json_get_int64 (const PenJson *self, PenJsonNode node, gint64 *value, GError **error);
PEN_AVAILABLE_IN_1_0
gboolean pen_json_get_double (const PenJson *self, PenJsonNode node, double *value, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenJson, pen_json_unref)

/* --- The writer --- */

/**
 * PenJsonWriter:
 *
 * Writes one JSON text without white space into a #GString. Commas and colons are its business.
 */
typedef struct
{
  /*< private >*/
  GString *text;
  guint depth;
  guint64 has_items; /* bit n: level n + 1 holds something already */
  gboolean after_key;
} PenJsonWriter;

PEN_AVAILABLE_IN_1_0
void pen_json_writer_init (PenJsonWriter *self, GString *text);
PEN_AVAILABLE_IN_1_0
void pen_json_writer_begin_object (PenJsonWriter *self);
PEN_AVAILABLE_IN_1_0
void pen_json_writer_end_object (PenJsonWriter *self);
PEN_AVAILABLE_IN_1_0
void pen_json_writer_begin_array (PenJsonWriter *self);
PEN_AVAILABLE_IN_1_0
void pen_json_writer_end_array (PenJsonWriter *self);
PEN_AVAILABLE_IN_1_0
void pen_json_writer_key (PenJsonWriter *self, const char *key);
PEN_AVAILABLE_IN_1_0
void pen_json_writer_raw_key (PenJsonWriter *self, const char *key, gsize length);
PEN_AVAILABLE_IN_1_0
void pen_json_writer_raw (PenJsonWriter *self, const char *text, gsize length);
PEN_AVAILABLE_IN_1_0
void pen_json_writer_string (PenJsonWriter *self, const char *text, gssize length);
PEN_AVAILABLE_IN_1_0
void pen_json_writer_int64 (PenJsonWriter *self, gint64 value);
PEN_AVAILABLE_IN_1_0
void pen_json_writer_uint64 (PenJsonWriter *self, guint64 value);
PEN_AVAILABLE_IN_1_0
gboolean pen_json_writer_double (PenJsonWriter *self, double value);
PEN_AVAILABLE_IN_1_0
void pen_json_writer_boolean (PenJsonWriter *self, gboolean value);
PEN_AVAILABLE_IN_1_0
void pen_json_writer_null (PenJsonWriter *self);

/**
 * PEN_JSON_DOUBLE_SIZE:
 *
 * Room that pen_json_format_double() needs, with the NUL behind the text.
 */
#define PEN_JSON_DOUBLE_SIZE 32

PEN_AVAILABLE_IN_1_0
gsize pen_json_format_double (double value, char *text);
PEN_AVAILABLE_IN_1_0
GBytes *pen_json_unfold (GBytes *text, GError **error);
PEN_AVAILABLE_IN_1_0
char *pen_json_prettify (GBytes *text, GError **error);

G_END_DECLS
