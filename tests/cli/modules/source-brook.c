/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A source that shares its name with another plugin.
 */

#include "config.h"

#include <penstock.h>

#define PEN_TYPE_BROOK_SOURCE (pen_brook_source_get_type ())
G_DECLARE_FINAL_TYPE (PenBrookSource, pen_brook_source, PEN, BROOK_SOURCE, PenSource)

struct _PenBrookSource
{
  PenSource parent_instance;
};

G_DEFINE_FINAL_TYPE (PenBrookSource, pen_brook_source, PEN_TYPE_SOURCE)

static gboolean
pen_brook_source_start (PenElement *element, GError **error)
{
  pen_source_finish (PEN_SOURCE (element));
  return TRUE;
}

static void
pen_brook_source_class_init (PenBrookSourceClass *class)
{
  PEN_ELEMENT_CLASS (class)->start = pen_brook_source_start;
}

static void
pen_brook_source_init (PenBrookSource *self)
{
}

PEN_PLUGIN_DEFINE ("brook", "Ends at once", "1", "LGPL-2.1-or-later", "", pen_brook_source_get_type)
