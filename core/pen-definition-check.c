/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the elements themselves have to say of their properties as a whole. Each is made, given its
 * values and its names, asked, and thrown away; it never starts. An element some of whose values
 * are faulty, or only known on the target machine, is asked all the same. A text stands in for
 * them, so that a password is not said to lack its username, and what the element says of them, or
 * of no property in particular, is not passed on.
 */

#include "config.h"

#include "pen-check-private.h"
#include "pen-definition-private.h"
#include "pen-element-private.h"
#include "pen-value.h"

#include <string.h>

#define MIN_REDACTED_BYTES 3
#define STAND_IN "unknown"

typedef struct
{
  PenLoader *loader;
  const PenDraft *draft;
  guint index; /* of the draft */
} PenElementCheck;

/* A value that may be secret does not leave through a message of the element's either. */
static void
pen_element_check_redact (const PenElementCheck *self, GString *message)
{
  for (guint i = 0; i < self->draft->values->len; i++)
    {
      const PenKeyValue *value = &g_array_index (self->draft->values, PenKeyValue, i);
      const char *text;

      if (!value->is_hidden || !G_VALUE_HOLDS_STRING (&value->value))
        continue;
      text = g_value_get_string (&value->value);
      if (strlen (text) >= MIN_REDACTED_BYTES)
        g_string_replace (message, text, "(not shown)", 0);
    }
}

static gboolean
pen_element_check_is_incomplete (const PenElementCheck *self)
{
  for (guint i = 0; i < self->draft->values->len; i++)
    {
      if (!G_IS_VALUE (&g_array_index (self->draft->values, PenKeyValue, i).value))
        return TRUE;
    }
  return FALSE;
}

/* Whether what is wrong with @property, or with what it is compared to, was told before. */
static gboolean
pen_element_check_is_told (const PenElementCheck *self, const char *property)
{
  const PenKeyValue *value = property == NULL ? NULL : pen_draft_find_value (self->draft, property);
  const GParamSpec *pspec
      = property == NULL ? NULL : g_object_class_find_property (self->draft->klass, property);

  if (value != NULL)
    return value->is_faulty || !G_IS_VALUE (&value->value);
  if (pspec != NULL && (pspec->flags & PEN_PARAM_REQUIRED) != 0)
    return TRUE;
  return pen_element_check_is_incomplete (self);
}

static void
pen_element_check_stand_in (const PenDraft *draft, GObject *element)
{
  static const char *const list[] = { STAND_IN, NULL };

  for (guint i = 0; i < draft->values->len; i++)
    {
      const PenKeyValue *value = &g_array_index (draft->values, PenKeyValue, i);

      if (G_IS_VALUE (&value->value))
        continue;
      if (G_IS_PARAM_SPEC_STRING (value->pspec))
        g_object_set (element, value->pspec->name, STAND_IN, NULL);
      else if (value->pspec->value_type == G_TYPE_STRV)
        g_object_set (element, value->pspec->name, list, NULL);
    }
}

static PenPlace
pen_element_check_get_place (const PenElementCheck *self, const char *property)
{
  const PenKeyValue *value = property == NULL ? NULL : pen_draft_find_value (self->draft, property);

  return value != NULL ? value->entry->value_place : self->draft->group->place;
}

/* Where it stands in the row of the site; line 0 if it does not. */
static PenPlace
pen_element_check_get_row_place (const PenElementCheck *self, const char *property)
{
  const PenKeyValue *value = property == NULL ? NULL : pen_draft_find_value (self->draft, property);

  if (self->loader->site == NULL || !pen_draft_is_per_site (self->draft))
    return (PenPlace){ 0, 0 };
  return value != NULL && value->is_per_site ? value->place : self->loader->site_place;
}

/* What two sites may have in common is in their rows, if anything of the element is. */
static PenPlace
pen_element_check_get_claim_place (const PenElementCheck *self, const char *property)
{
  PenPlace row = pen_element_check_get_row_place (self, property);

  return row.line != 0 ? row : pen_element_check_get_place (self, property);
}

static gboolean
pen_element_check_is_of_all (const PenElementCheck *self)
{
  return self->loader->site != NULL && !pen_draft_is_per_site (self->draft);
}

static void
pen_element_check_report (gboolean is_error,
                          const char *property,
                          const char *text,
                          gpointer user_data)
{
  const PenElementCheck *self = user_data;
  g_autoptr (GString) message = g_string_new (text);
  PenPlace place = pen_element_check_get_place (self, property);
  const char *group = self->draft->group->name;

  if (pen_element_check_is_told (self, property))
    return;
  pen_element_check_redact (self, message);
  if (property != NULL)
    {
      g_autofree char *prefix = g_strdup_printf ("'%s' in [%s]: ", property, group);

      g_string_prepend (message, prefix);
    }
  else
    {
      g_autofree char *prefix = g_strdup_printf ("[%s]: ", group);

      g_string_prepend (message, prefix);
    }
  self->loader->report->row = pen_element_check_get_row_place (self, property);
  if (is_error)
    pen_report_error (self->loader->report, place, "%s", message->str);
  else
    pen_report_warning (self->loader->report, place, "%s", message->str);
  self->loader->report->row = (PenPlace){ 0, 0 };
}

static char *
pen_element_check_show (const PenElementCheck *self, const char *text)
{
  g_autoptr (GString) shown = g_string_new (text);

  pen_element_check_redact (self, shown);
  return g_string_free (g_steal_pointer (&shown), FALSE);
}

/* Of an element some of whose values nobody knows, nobody knows what it will claim. */
static void
pen_element_check_claim (const char *property,
                         const char *what,
                         const char *why,
                         gpointer user_data)
{
  const PenElementCheck *self = user_data;
  PenClaim *claim = NULL;

  if (pen_element_check_is_incomplete (self))
    return;
  claim = g_new0 (PenClaim, 1);
  claim->what = g_strdup (what);
  claim->shown = pen_element_check_show (self, what);
  claim->why = g_strdup (why);
  claim->place = pen_element_check_get_claim_place (self, property);
  claim->is_of_all = pen_element_check_is_of_all (self);
  for (guint i = 0; i < self->loader->claims->len; i++)
    {
      const PenClaim *first = g_ptr_array_index (self->loader->claims, i);

      if (g_str_equal (first->what, what))
        pen_report_error (self->loader->report, claim->place, "%s is used in line %u already: %s",
                          claim->shown, first->place.line, why);
    }
  g_ptr_array_add (self->loader->claims, claim);
}

static void
pen_element_check_interest (const char *property, const PenInterest *interest, gpointer user_data)
{
  const PenElementCheck *self = user_data;
  PenHeldInterest *held = NULL;

  if (pen_element_check_is_incomplete (self))
    return;
  held = g_new0 (PenHeldInterest, 1);
  held->interest = *interest;
  held->interest.where = g_strdup (interest->where);
  held->interest.what = g_strdup (interest->what);
  held->interest.prefix = g_strdup (interest->prefix);
  held->interest.why = g_strdup (interest->why);
  held->shown = pen_element_check_show (self, interest->what);
  held->element = self->index;
  held->place = pen_element_check_get_claim_place (self, property);
  g_ptr_array_add (self->loader->interests, held);
}

static gboolean
pen_element_check_is_only_of_kind (const PenElementCheck *self)
{
  guint n_of_kind = 0;

  for (guint i = 0; i < self->loader->drafts->len; i++)
    {
      const PenDraft *draft = g_ptr_array_index (self->loader->drafts, i);

      n_of_kind += draft->kind == self->draft->kind;
    }
  return n_of_kind == 1;
}

static gboolean
pen_element_check_is_set (const char *property, gpointer user_data)
{
  const PenElementCheck *self = user_data;

  return pen_keyfile_group_find (self->draft->group, property) != NULL;
}

/* Asks what only the class can say, but not of an element some of whose values nobody knows. */
static void
pen_element_check_holding (const PenElementCheck *self, PenDraft *draft, GObject *element)
{
  if (pen_element_check_is_incomplete (self))
    return;
  if (PEN_IS_TRANSFORM (element))
    draft->holds = pen_transform_holds (PEN_TRANSFORM (element));
  else if (PEN_IS_SOURCE (element))
    draft->must_settle_soon = pen_source_must_settle_soon (PEN_SOURCE (element));
}

/* The first source of the file, if any, that draft @index reads from and that cannot wait. */
static const PenDraft *
pen_loader_find_urgent (const PenLoader *self, guint index)
{
  g_autoptr (GArray) waiting = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autofree gboolean *seen = g_new0 (gboolean, self->drafts->len);
  const PenDraft *first = NULL;

  g_array_append_val (waiting, index);
  while (waiting->len > 0)
    {
      guint next = g_array_index (waiting, guint, waiting->len - 1);
      const PenDraft *draft = g_ptr_array_index (self->drafts, next);

      g_array_set_size (waiting, waiting->len - 1);
      if (seen[next])
        continue;
      seen[next] = TRUE;
      if (draft->must_settle_soon
          && (first == NULL || draft->group->place.line < first->group->place.line))
        first = draft;
      g_array_append_vals (waiting, draft->inputs->data, draft->inputs->len);
    }
  return first;
}

/* What holds events holds their acknowledgements, for which not every source can wait. */
static void
pen_loader_check_holding (const PenLoader *self)
{
  const PenKeyValue *spool
      = self->settings == NULL ? NULL : pen_draft_find_value (self->settings, "spool");

  if (spool != NULL && (!G_IS_VALUE (&spool->value) || g_value_get_boolean (&spool->value)))
    return;
  for (guint i = 0; i < self->drafts->len; i++)
    {
      const PenDraft *draft = g_ptr_array_index (self->drafts, i);
      const PenDraft *source = draft->holds ? pen_loader_find_urgent (self, i) : NULL;

      if (source != NULL)
        pen_report_error (self->report, draft->group->place,
                          "[%s] keeps events, and with them the acknowledgements of [%s] in line "
                          "%u, which gets no more messages until it acknowledges the first: "
                          "nothing would move; set spool=true in [pipeline], which acknowledges "
                          "what is safe on disk",
                          draft->group->name, source->group->name, source->group->place.line);
    }
}

/*
 * pen_loader_check_elements:
 * @self: a loader whose drafts have values
 *
 * Threads: any
 */
void
pen_loader_check_elements (PenLoader *self)
{
  for (guint i = 0; i < self->drafts->len; i++)
    {
      PenElementCheck data
          = { .loader = self, .draft = g_ptr_array_index (self->drafts, i), .index = i };
      PenCheck check = { .report = pen_element_check_report,
                         .claim = pen_element_check_claim,
                         .interest = pen_element_check_interest,
                         .is_set = pen_element_check_is_set,
                         .user_data = &data };
      g_autoptr (GObject) element = NULL;

      if (data.draft->plugin == NULL)
        continue;
      check.wants_environment = pen_loader_wants_environment (self, data.draft);
      element = g_object_new (data.draft->plugin->type, NULL);
      pen_key_values_apply (data.draft->values, element);
      pen_element_check_stand_in (data.draft, element);
      pen_element_attach (PEN_ELEMENT (element), NULL /* host: it never starts */, data.draft->kind,
                          self->name, data.draft->name, pen_element_check_is_only_of_kind (&data));
      pen_element_run_check (PEN_ELEMENT (element), &check);
      pen_element_check_holding (&data, g_ptr_array_index (self->drafts, i), element);
    }
  pen_loader_check_holding (self);
}
