/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A source that a test program plays.
 */

#include "config.h"

#include "pen-puppet.h"

#define PEN_TYPE_PUPPET_SOURCE (pen_puppet_source_get_type ())
G_DECLARE_FINAL_TYPE (PenPuppetSource, pen_puppet_source, PEN, PUPPET_SOURCE, PenSource)

struct _PenPuppetSource
{
  PenSource parent_instance;
};

G_DEFINE_FINAL_TYPE (PenPuppetSource, pen_puppet_source, PEN_TYPE_SOURCE)

static void
pen_puppet_source_settle (PenSource *source, guint64 position)
{
  const PenPuppetStrings *strings = pen_puppet_get_strings (source);

  strings->settle (strings->data, source, position);
}

static void
pen_puppet_source_class_init (PenPuppetSourceClass *class)
{
  PEN_ELEMENT_CLASS (class)->start = pen_puppet_start;
  PEN_ELEMENT_CLASS (class)->stop = pen_puppet_stop;
  PEN_SOURCE_CLASS (class)->settle = pen_puppet_source_settle;
}

static void
pen_puppet_source_init (PenPuppetSource *self)
{
}

PEN_PLUGIN_DEFINE ("puppet",
                   "Is played by a test",
                   "1.0",
                   "LGPL-2.1-or-later",
                   "-",
                   pen_puppet_source_get_type)
