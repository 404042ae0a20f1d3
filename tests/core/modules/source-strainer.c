/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A transform in a file that is named after a source.
 */

#include "config.h"

#include <penstock.h>

#define PEN_TYPE_STRAINER (pen_strainer_get_type ())
G_DECLARE_FINAL_TYPE (PenStrainer, pen_strainer, PEN, STRAINER, PenTransform)

struct _PenStrainer
{
  PenTransform parent_instance;
};

G_DEFINE_FINAL_TYPE (PenStrainer, pen_strainer, PEN_TYPE_TRANSFORM)

static void
pen_strainer_class_init (PenStrainerClass *klass)
{
}

static void
pen_strainer_init (PenStrainer *self)
{
}

PEN_PLUGIN_DEFINE ("strainer",
                   "Is of another kind than its file says",
                   "1",
                   "LGPL-2.1-or-later",
                   "",
                   pen_strainer_get_type)
