/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a keyfile says of a pipeline as a whole: the keys of [pipeline] are this object's
 * properties, as the keys of an element are the element's.
 */

#pragma once

#include "pen-version.h"

G_BEGIN_DECLS

#define PEN_TYPE_SETTINGS (pen_settings_get_type ())
PEN_RUNTIME_EXPORT
G_DECLARE_FINAL_TYPE (PenSettings, pen_settings, PEN, SETTINGS, GObject)

PEN_RUNTIME_EXPORT
PenSettings *pen_settings_new (void);
PEN_RUNTIME_EXPORT
const char *pen_settings_get_name (PenSettings *self);
PEN_RUNTIME_EXPORT
const char *pen_settings_get_description (PenSettings *self);
PEN_RUNTIME_EXPORT
gint64 pen_settings_get_drain_timeout (PenSettings *self);
PEN_RUNTIME_EXPORT
gboolean pen_settings_get_spool (PenSettings *self);
PEN_RUNTIME_EXPORT
guint64 pen_settings_get_spool_size (PenSettings *self);
PEN_RUNTIME_EXPORT
gint64 pen_settings_get_spool_keep (PenSettings *self);
PEN_RUNTIME_EXPORT
gboolean pen_settings_equal (PenSettings *self, PenSettings *other);

G_END_DECLS
