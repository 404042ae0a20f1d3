/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Who reads from whom. A transform or sink reads from the nearest source or transform above it,
 * unless its `from` says otherwise. Everything that a source gives must reach a sink, and nothing
 * may go in a circle.
 *
 * A mistake is told once: what only follows from another one is left out.
 */

#include "config.h"

#include "pen-definition-private.h"
#include "pen-suggest.h"

#include <string.h>

/* One name in a `from`. */
typedef struct
{
  PenLoader *loader;
  PenDraft *draft;
  const char *name;
  PenPlace place;
} PenInputName;

static PenDraft *
pen_loader_get_draft (const PenLoader *self, guint index)
{
  return g_ptr_array_index (self->drafts, index);
}

static gboolean
pen_draft_is_readable (const PenDraft *self)
{
  return self->kind == PEN_KIND_SOURCE || self->kind == PEN_KIND_TRANSFORM;
}

static gboolean
pen_draft_reads (const PenDraft *self)
{
  return self->kind == PEN_KIND_TRANSFORM || self->kind == PEN_KIND_SINK;
}

static void
pen_input_name_add (PenInputName *self, guint index)
{
  for (guint i = 0; i < self->draft->inputs->len; i++)
    {
      if (g_array_index (self->draft->inputs, guint, i) != index)
        continue;
      pen_report_error (self->loader->report, self->place, "'%s' stands twice in this 'from'",
                        self->name);
      return;
    }
  g_array_append_val (self->draft->inputs, index);
}

/* Tells that @name is not to be read from, and takes what was probably meant. */
static void
pen_input_name_tell_unknown (PenInputName *self)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *quoted = pen_quote (self->name);
  g_autofree char *list = NULL;
  const char *nearest;

  for (guint i = 0; i < self->loader->drafts->len; i++)
    {
      PenDraft *draft = pen_loader_get_draft (self->loader, i);

      if (pen_draft_is_readable (draft) && draft != self->draft)
        g_ptr_array_add (names, draft->name);
      else if (!pen_draft_is_readable (draft) && g_str_equal (draft->name, self->name))
        {
          pen_report_error (self->loader->report, self->place,
                            "%s is [%s], and nothing can be read from a sink", quoted,
                            draft->group->name);
          self->loader->is_incomplete = TRUE;
          return;
        }
    }
  nearest = pen_suggest (self->name, (const char *const *) names->pdata, names->len);
  list = pen_suggest_list (names, "and");
  if (nearest == NULL)
    {
      pen_report_error (self->loader->report, self->place,
                        "there is no source or transform %s to read from; there %s %s", quoted,
                        names->len == 1 ? "is" : "are", names->len == 0 ? "none" : list);
      self->loader->is_incomplete = TRUE;
      return;
    }
  pen_report_error (self->loader->report, self->place,
                    "there is no source or transform %s to read from; did you mean '%s'?", quoted,
                    nearest);
  for (guint i = 0; i < self->loader->drafts->len; i++)
    {
      if (pen_loader_get_draft (self->loader, i)->name == nearest)
        pen_input_name_add (self, i);
    }
}

static void
pen_input_name_resolve (PenInputName *self)
{
  const PenDraft *found = NULL;
  guint found_index = 0;

  for (guint i = 0; i < self->loader->drafts->len; i++)
    {
      const PenDraft *draft = pen_loader_get_draft (self->loader, i);

      if (!pen_draft_is_readable (draft) || !g_str_equal (draft->name, self->name))
        continue;
      if (found != NULL && found->kind != draft->kind)
        {
          pen_report_error (self->loader->report, self->place,
                            "'%s' can be [%s] in line %u or [%s] in line %u; give one of them "
                            "another name",
                            self->name, found->group->name, found->group->place.line,
                            draft->group->name, draft->group->place.line);
          self->loader->is_incomplete = TRUE;
          return;
        }
      if (found == NULL)
        found_index = i;
      found = found == NULL ? draft : found;
    }
  if (found == NULL)
    pen_input_name_tell_unknown (self);
  else
    pen_input_name_add (self, found_index);
}

static void
pen_loader_read_from (PenLoader *self, guint index, const PenKeyfileEntry *entry)
{
  PenDraft *draft = pen_loader_get_draft (self, index);
  const char *raw = entry->value;
  gsize start = 0;

  if (*raw == '\0')
    {
      pen_report_error (self->report, entry->value_place,
                        "'from' in [%s] is empty; name a source or transform, or remove it",
                        draft->group->name);
      self->is_incomplete = TRUE;
    }
  while (raw[start] != '\0')
    {
      gsize length = strcspn (raw + start, ";");
      gsize blanks = MIN (strspn (raw + start, " \t"), length);
      g_autofree char *name = g_strchomp (g_strndup (raw + start + blanks, length - blanks));
      PenInputName input = { .loader = self, .draft = draft, .name = name };

      input.place = entry->value_place;
      input.place.column += (guint) (start + blanks);
      if (*name == '\0')
        pen_report_error (self->report, input.place,
                          "an item of 'from' in [%s] is empty; remove a ';'", draft->group->name);
      else
        pen_input_name_resolve (&input);
      start += length + (raw[start + length] == ';' ? 1 : 0);
    }
}

/* The nearest source or transform above. */
static void
pen_loader_read_from_above (PenLoader *self, guint index)
{
  PenDraft *draft = pen_loader_get_draft (self, index);

  for (guint above = index; above > 0; above--)
    {
      guint input = above - 1;

      if (!pen_draft_is_readable (pen_loader_get_draft (self, input)))
        continue;
      g_array_append_val (draft->inputs, input);
      return;
    }
}

static guint
pen_loader_count (const PenLoader *self, PenElementKind kind)
{
  guint n_drafts = 0;

  for (guint i = 0; i < self->drafts->len; i++)
    n_drafts += pen_loader_get_draft (self, i)->kind == kind ? 1 : 0;
  return n_drafts;
}

/* Told at the `from` that leads downwards, because only that can close a circle. */
static void
pen_loader_tell_circle (PenLoader *self, const GArray *trail, guint first)
{
  g_autoptr (GString) way = g_string_new (NULL);
  PenPlace place = { 1, 1 };
  gboolean is_placed = FALSE;

  for (guint i = first; i < trail->len; i++)
    {
      guint index = g_array_index (trail, guint, i);
      guint input = g_array_index (trail, guint, i + 1 < trail->len ? i + 1 : first);
      const PenDraft *draft = pen_loader_get_draft (self, index);
      const PenKeyfileEntry *entry = pen_keyfile_group_find (draft->group, "from");

      g_string_append_printf (way, "[%s]%s reads from ", draft->group->name,
                              i > first ? ", which" : "");
      if (entry != NULL && input >= index && !is_placed)
        {
          place = entry->value_place;
          is_placed = TRUE;
        }
    }
  pen_report_error (self->report, place, "this makes a circle: %s[%s]", way->str,
                    pen_loader_get_draft (self, g_array_index (trail, guint, first))->group->name);
}

/* Depth is bounded by the number of groups. */
static void
pen_loader_find_circles (PenLoader *self, guint index, GArray *trail, guint8 *visited)
{
  const PenDraft *draft = pen_loader_get_draft (self, index);

  for (guint i = 0; i < trail->len; i++)
    {
      if (g_array_index (trail, guint, i) != index)
        continue;
      pen_loader_tell_circle (self, trail, i);
      return;
    }
  if (visited[index])
    return;
  visited[index] = 1;
  g_array_append_val (trail, index);
  for (guint i = 0; i < draft->inputs->len; i++)
    pen_loader_find_circles (self, g_array_index (draft->inputs, guint, i), trail, visited);
  g_array_set_size (trail, trail->len - 1);
}

static void
pen_loader_check_circles (PenLoader *self)
{
  g_autoptr (GArray) trail = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autofree guint8 *visited = g_new0 (guint8, self->drafts->len + 1);

  for (guint i = 0; i < self->drafts->len; i++)
    pen_loader_find_circles (self, i, trail, visited);
}

/* The element that would have read from @index, had it not been for one in between. */
static const PenDraft *
pen_loader_find_reader_below (const PenLoader *self, guint index)
{
  for (guint i = index + 1; i < self->drafts->len; i++)
    {
      const PenDraft *draft = pen_loader_get_draft (self, i);

      if (pen_draft_reads (draft))
        return draft;
    }
  return NULL;
}

static void
pen_loader_tell_unread (PenLoader *self, guint index)
{
  const PenDraft *draft = pen_loader_get_draft (self, index);
  const PenDraft *below = pen_loader_find_reader_below (self, index);
  g_autoptr (GString) from = g_string_new (draft->name);

  if (below == NULL)
    {
      pen_report_error (self->report, draft->group->place,
                        "nothing reads from [%s]; put a [sink PLUGIN] below it, or remove it",
                        draft->group->name);
      return;
    }
  for (guint i = 0; i < below->inputs->len; i++)
    g_string_append_printf (
        from, ";%s", pen_loader_get_draft (self, g_array_index (below->inputs, guint, i))->name);
  pen_report_error (self->report, draft->group->place,
                    "nothing reads from [%s]; if [%s] in line %u should, say so there: from=%s",
                    draft->group->name, below->group->name, below->group->place.line, from->str);
}

static void
pen_loader_check_readers (PenLoader *self)
{
  for (guint i = 0; i < self->drafts->len; i++)
    {
      const PenDraft *draft = pen_loader_get_draft (self, i);

      for (guint j = 0; j < draft->inputs->len; j++)
        pen_loader_get_draft (self, g_array_index (draft->inputs, guint, j))->is_read = TRUE;
    }
  for (guint i = 0; i < self->drafts->len; i++)
    {
      const PenDraft *draft = pen_loader_get_draft (self, i);

      if (pen_draft_reads (draft) && draft->inputs->len == 0
          && pen_keyfile_group_find (draft->group, "from") == NULL)
        pen_report_error (self->report, draft->group->place,
                          "[%s] has nothing to read from: no source or transform stands above it; "
                          "move it down, or set 'from'",
                          draft->group->name);
      else if (pen_draft_is_readable (draft) && !draft->is_read)
        pen_loader_tell_unread (self, i);
    }
}

/*
 * pen_loader_read_flow:
 * @self: a loader with drafts
 *
 * Joins the drafts to each other.
 *
 * Threads: any
 */
void
pen_loader_read_flow (PenLoader *self)
{
  gboolean has_source = pen_loader_count (self, PEN_KIND_SOURCE) > 0;
  gboolean has_sink = pen_loader_count (self, PEN_KIND_SINK) > 0;

  for (guint i = 0; i < self->drafts->len; i++)
    {
      const PenDraft *draft = pen_loader_get_draft (self, i);
      const PenKeyfileEntry *entry = pen_keyfile_group_find (draft->group, "from");

      if (pen_draft_reads (draft) && entry != NULL)
        pen_loader_read_from (self, i, entry);
      else if (pen_draft_reads (draft))
        pen_loader_read_from_above (self, i);
    }
  pen_loader_check_circles (self);
  if (self->is_incomplete)
    return;
  if (!has_source && !has_sink && self->drafts->len == 0)
    pen_report_error (self->report, (PenPlace){ 1, 1 },
                      "there is no pipeline in this file; write a [source PLUGIN] and, below it, "
                      "a [sink PLUGIN]");
  else if (!has_source)
    pen_report_error (self->report, (PenPlace){ 1, 1 },
                      "there is no source in this file; begin with a [source PLUGIN]");
  else if (!has_sink)
    pen_report_error (self->report, (PenPlace){ 1, 1 },
                      "there is no sink in this file; end with a [sink PLUGIN]");
  else
    pen_loader_check_readers (self);
}
