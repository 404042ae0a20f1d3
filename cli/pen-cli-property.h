/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What can be said of a key of a keyfile: a property of an element's class.
 */

#pragma once

#include "pen-cli.h"
#include "pen-value.h"

G_BEGIN_DECLS

/* The properties of one class; those of its own, or those that it has from its parents. */
typedef struct
{
  GParamSpec **specs;
  guint n_specs;
  GObject *example; /* a new object: what it holds are the defaults */
} PenCliProperties;

void pen_cli_properties_init (PenCliProperties *self, GType type);
void pen_cli_properties_clear (PenCliProperties *self);
gboolean pen_cli_property_is_common (const GParamSpec *spec);
const char *pen_cli_property_get_type_name (const GParamSpec *spec);
char *pen_cli_property_dup_minimum (const GParamSpec *spec);
char *pen_cli_property_dup_maximum (const GParamSpec *spec);
char *pen_cli_property_dup_default (const GParamSpec *spec, GObject *example);
const char *pen_cli_enum_get_description (const GEnumValue *value);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PenCliProperties, pen_cli_properties_clear)

G_END_DECLS
