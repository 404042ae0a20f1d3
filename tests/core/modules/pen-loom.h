/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the transform `loom` does with an event. It follows from the event's text and the name of
 * the transform alone, so that a test can foretell it.
 */

#pragma once

#include <glib.h>
#include <string.h>

typedef enum
{
  PEN_LOOM_PASS,   /* "a" becomes "a.NAME" */
  PEN_LOOM_SPLIT,  /* "a.NAME0" and "a.NAME1" */
  PEN_LOOM_DROP,   /* nothing */
  PEN_LOOM_REJECT, /* a dead letter */
  PEN_LOOM_HOLD,   /* with all that are held of its group: "(5:a+b+c).NAME", 5 being its first */
} PenLoomAction;

/* A window: messages "m0" to "m4" are a group, "m5" to "m9" the next, if the size is 5. It is put
 * out when an event of a later group comes that is not rejected. So what is held depends on nothing
 * but what is held. What is made of a message has its number. */
static inline guint
pen_loom_get_group (const char *text, guint size)
{
  while (!g_ascii_isdigit (*text))
    text++;
  return (guint) g_ascii_strtoull (text, NULL, 10) / size;
}

/* A window is treated alike whatever is in it: while what was held is rebuilt, windows that were
 * put out long ago appear once more with a part of their events. */
static inline char *
pen_loom_strip (const char *text)
{
  const char *end = strchr (text, ':');
  g_autofree char *begin = end == NULL ? NULL : g_strndup (text, (gsize) (end - text));
  guint depth = 1;

  if (end == NULL)
    return g_strdup (text);
  while (depth > 0)
    {
      end++;
      depth += *end == '(';
      depth -= *end == ')';
    }
  return g_strconcat (begin, end, NULL);
}

static inline PenLoomAction
pen_loom_choose (const char *name, const char *text)
{
  g_autofree char *stripped = pen_loom_strip (text);
  g_autofree char *both = g_strconcat (name, stripped, NULL);
  guint dice = (g_str_hash (both) * 2654435761u >> 16) % 100;

  if (dice < 10)
    return PEN_LOOM_SPLIT;
  if (dice < 20)
    return PEN_LOOM_DROP;
  if (dice < 30)
    return PEN_LOOM_REJECT;
  return dice < 60 ? PEN_LOOM_HOLD : PEN_LOOM_PASS;
}
