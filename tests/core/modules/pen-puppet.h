/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Elements that do nothing by themselves: a test program plays them. It hangs a PenPuppetStrings on
 * each, as data of the object, before the pipeline starts; of a pipeline that has none, nothing
 * moves.
 */

#pragma once

#include <penstock.h>

#define PEN_PUPPET_STRINGS "pen-puppet-strings"

typedef struct
{
  gpointer data; /* the first argument of all */
  void (*started) (gpointer data, PenElement *element);
  void (*stopped) (gpointer data, PenElement *element);
  /* a source */
  void (*settle) (gpointer data, PenSource *source, guint64 position);
  /* a transform */
  gboolean (*process) (gpointer data,
                       PenTransform *transform,
                       PenEvent *event,
                       PenOutput *output,
                       GError **error);
  void (*tick) (gpointer data, PenTransform *transform, PenOutput *output);
  void (*drain) (gpointer data, PenTransform *transform, PenOutput *output);
  /* a sink */
  gboolean (*write) (gpointer data, PenSink *sink, PenBatch *batch, GError **error);
} PenPuppetStrings;

static inline const PenPuppetStrings *
pen_puppet_get_strings (gpointer element)
{
  return g_object_get_data (G_OBJECT (element), PEN_PUPPET_STRINGS);
}

static inline gboolean
pen_puppet_start (PenElement *element, GError **error)
{
  const PenPuppetStrings *strings = pen_puppet_get_strings (element);

  if (strings->started != NULL)
    strings->started (strings->data, element);
  return TRUE;
}

static inline void
pen_puppet_stop (PenElement *element)
{
  const PenPuppetStrings *strings = pen_puppet_get_strings (element);

  if (strings->stopped != NULL)
    strings->stopped (strings->data, element);
}
