/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Durations and sizes, read and written alike everywhere, and the flags of properties.
 */

#pragma once

#include "pen-version.h"

G_BEGIN_DECLS

/**
 * PEN_PARAM_SECRET: (skip)
 *
 * Flag of a #GParamSpec: the value is never shown, logged, or part of an error.
 */
#define PEN_PARAM_SECRET ((GParamFlags) (1u << G_PARAM_USER_SHIFT))
/**
 * PEN_PARAM_REQUIRED: (skip)
 *
 * Flag of a #GParamSpec: a keyfile must set it.
 */
#define PEN_PARAM_REQUIRED ((GParamFlags) (1u << (G_PARAM_USER_SHIFT + 1)))
/**
 * PEN_PARAM_MUTABLE: (skip)
 *
 * Flag of a #GParamSpec: may change while the element runs.
 */
#define PEN_PARAM_MUTABLE ((GParamFlags) (1u << (G_PARAM_USER_SHIFT + 2)))
/**
 * PEN_PARAM_PATH: (skip)
 *
 * Flag of a string #GParamSpec: a path; a relative one is relative to the keyfile's folder, "-" is
 * left alone.
 */
#define PEN_PARAM_PATH ((GParamFlags) (1u << (G_PARAM_USER_SHIFT + 3)))
/**
 * PEN_PARAM_INPUT: (skip)
 *
 * Flag beside %PEN_PARAM_PATH: the file must exist and be readable before anything starts.
 */
#define PEN_PARAM_INPUT ((GParamFlags) (1u << (G_PARAM_USER_SHIFT + 4)))
/**
 * PEN_PARAM_CONTENT: (skip)
 *
 * Flag beside %PEN_PARAM_PATH: what the file holds is part of the configuration. A reload starts a
 * pipeline again whose file holds something else, as if the keyfile had changed.
 */
#define PEN_PARAM_CONTENT ((GParamFlags) (1u << (G_PARAM_USER_SHIFT + 5)))
/**
 * PEN_PARAM_DEFAULTS: (skip)
 *
 * What every property of an element has: static strings, readable, writable, explicit notification.
 */
#define PEN_PARAM_DEFAULTS                                                                         \
  ((GParamFlags) (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY))

#define PEN_VALUE_ERROR (pen_value_error_quark ())

/**
 * PenValueError:
 * @PEN_VALUE_ERROR_SYNTAX: not a duration or size: correct the text
 * @PEN_VALUE_ERROR_UNIT: the unit is missing or unknown: add one
 * @PEN_VALUE_ERROR_RANGE: too large to be held: use a smaller one
 *
 * What is wrong with a text that should be a duration or a size.
 */
typedef enum
{
  PEN_VALUE_ERROR_SYNTAX,
  PEN_VALUE_ERROR_UNIT,
  PEN_VALUE_ERROR_RANGE,
} PenValueError;

PEN_AVAILABLE_IN_1_0
GQuark pen_value_error_quark (void) G_GNUC_CONST;

PEN_AVAILABLE_IN_1_0
gboolean pen_duration_parse (const char *text, gint64 *duration_us, GError **error);
PEN_AVAILABLE_IN_1_0
char *pen_duration_format (gint64 duration_us);
PEN_AVAILABLE_IN_1_0
gboolean pen_size_parse (const char *text, guint64 *size_bytes, GError **error);
PEN_AVAILABLE_IN_1_0
char *pen_size_format (guint64 size_bytes);

/**
 * PEN_TYPE_PARAM_DURATION:
 *
 * A property that holds a duration: a #gint64 of microseconds, written `500ms`, `30s`, `2h`.
 */
#define PEN_TYPE_PARAM_DURATION (pen_param_duration_get_type ())
#define PEN_IS_PARAM_SPEC_DURATION(pspec)                                                          \
  (G_TYPE_CHECK_INSTANCE_TYPE ((pspec), PEN_TYPE_PARAM_DURATION))
/**
 * PEN_TYPE_PARAM_SIZE:
 *
 * A property that holds a size: a #guint64 of bytes, written `512KiB`, `64MiB`.
 */
#define PEN_TYPE_PARAM_SIZE (pen_param_size_get_type ())
#define PEN_IS_PARAM_SPEC_SIZE(pspec) (G_TYPE_CHECK_INSTANCE_TYPE ((pspec), PEN_TYPE_PARAM_SIZE))

PEN_AVAILABLE_IN_1_0
GType pen_param_duration_get_type (void) G_GNUC_CONST;
PEN_AVAILABLE_IN_1_0
GType pen_param_size_get_type (void) G_GNUC_CONST;
PEN_AVAILABLE_IN_1_0
GParamSpec *pen_param_spec_duration (const char *name,
                                     const char *blurb,
                                     gint64 minimum_us,
                                     gint64 maximum_us,
                                     gint64 default_us,
                                     GParamFlags flags);
PEN_AVAILABLE_IN_1_0
GParamSpec *pen_param_spec_size (const char *name,
                                 const char *blurb,
                                 guint64 minimum_bytes,
                                 guint64 maximum_bytes,
                                 guint64 default_bytes,
                                 GParamFlags flags);

G_END_DECLS
