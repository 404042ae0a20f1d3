/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The groups of a keyfile: which elements there are, of which plugins, under which names. A group
 * that was probably meant to be another is told and taken for that, so that its keys are looked at
 * as well, and so that it is not missed where the elements are joined.
 */

#include "config.h"

#include "pen-definition-private.h"
#include "pen-suggest.h"

#include <string.h>

static const char *const group_kinds[]
    = { "source", "transform", "sink", "dead-letter", "pipeline", "variables", "sites", "test" };

enum
{
  GROUP_PIPELINE = PEN_KIND_DEAD_LETTER + 1, /* behind the kinds of elements */
  GROUP_VARIABLES,
  GROUP_SITES,
  GROUP_TEST,
  N_GROUP_KINDS
};

/* The words of a group's name, each with its place. */
typedef struct
{
  char *words[4];
  PenPlace places[4];
  guint n_words; /* more than 4 are counted, not kept */
} PenGroupWords;

static void
pen_group_words_clear (PenGroupWords *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->words); i++)
    g_free (self->words[i]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PenGroupWords, pen_group_words_clear)

static void
pen_group_words_split (PenGroupWords *self, const PenKeyfileGroup *group)
{
  const char *p = group->name;

  *self = (PenGroupWords){ 0 };
  while (*(p += strspn (p, " ")) != '\0')
    {
      gsize length = strcspn (p, " ");

      if (self->n_words < G_N_ELEMENTS (self->words))
        {
          self->words[self->n_words] = g_strndup (p, length);
          self->places[self->n_words]
              = (PenPlace){ group->place.line,
                            group->place.column + 1 + (guint) (p - group->name) };
        }
      self->n_words++;
      p += length;
    }
}

/*
 * pen_name_is_valid:
 * @name: name of a pipeline or an element
 *
 * Names become parts of file names, of labels, and of client ids.
 *
 * Returns: whether it is one by %PEN_NAME_RULE
 *
 * Threads: any
 */
gboolean
pen_name_is_valid (const char *name)
{
  gsize length = strspn (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.");

  return length > 0 && length <= PEN_NAME_MAX_BYTES && name[length] == '\0'
         && g_ascii_isalnum (name[0]);
}

/*
 * pen_draft_new:
 * @group: (nullable): its group; must outlive it
 * @kind: its kind
 *
 * Returns: (transfer full): a draft without plugin, values and inputs
 *
 * Threads: any
 */
PenDraft *
pen_draft_new (const PenKeyfileGroup *group, PenElementKind kind)
{
  PenDraft *self = g_new0 (PenDraft, 1);

  self->group = group;
  self->kind = kind;
  self->values = g_array_new (FALSE, TRUE, sizeof (PenKeyValue));
  self->inputs = g_array_new (FALSE, TRUE, sizeof (guint));
  return self;
}

/*
 * pen_draft_free:
 * @self: (transfer full): a draft
 *
 * Threads: any
 */
void
pen_draft_free (PenDraft *self)
{
  for (guint i = 0; i < self->values->len; i++)
    {
      PenKeyValue *value = &g_array_index (self->values, PenKeyValue, i);

      if (G_IS_VALUE (&value->value))
        g_value_unset (&value->value);
      g_clear_pointer (&value->named, pen_named_value_unref);
    }
  g_array_unref (self->values);
  g_array_unref (self->inputs);
  g_clear_pointer (&self->klass, g_type_class_unref);
  g_clear_pointer (&self->shared, pen_element_definition_unref);
  g_free (self->name);
  g_free (self);
}

/*
 * pen_draft_get_place:
 * @self: a draft
 *
 * Returns: where its group begins; the beginning of the file where there is none
 *
 * Threads: any
 */
PenPlace
pen_draft_get_place (const PenDraft *self)
{
  return self->group != NULL ? self->group->place : (PenPlace){ 1, 1 };
}

/* Tells of a word that is no kind of group; returns what it was probably meant to be, or -1. */
static int
pen_loader_guess_kind (PenLoader *self, const PenGroupWords *words, const char *group_name)
{
  const char *word = words->words[0];
  const char *nearest = pen_suggest (word, group_kinds, N_GROUP_KINDS);

  if (nearest != NULL)
    {
      pen_report_error (self->report, words->places[0], "unknown group [%s]; did you mean [%s%s]?",
                        group_name, nearest, group_name + strspn (group_name, " ") + strlen (word));
      for (int i = 0; i < N_GROUP_KINDS; i++)
        {
          if (nearest == group_kinds[i])
            return i;
        }
    }
  self->is_incomplete = TRUE;
  for (int kind = PEN_KIND_SOURCE; kind <= PEN_KIND_SINK; kind++)
    {
      g_autoptr (GPtrArray) names = pen_registry_list (self->registry, (PenElementKind) kind);

      if (!g_ptr_array_find_with_equal_func (names, word, g_str_equal, NULL))
        continue;
      pen_report_error (self->report, words->places[0], "unknown group [%s]; did you mean [%s %s]?",
                        group_name, group_kinds[kind], group_name);
      return -1;
    }
  pen_report_error (self->report, words->places[0],
                    "unknown group [%s]; the groups are [pipeline], [variables], [sites], [source "
                    "PLUGIN], [transform PLUGIN], [sink PLUGIN], [dead-letter PLUGIN] and "
                    "[test NAME]",
                    group_name);
  return -1;
}

static int
pen_loader_find_kind (PenLoader *self, const PenGroupWords *words, const char *group_name)
{
  for (int i = 0; i < N_GROUP_KINDS; i++)
    {
      if (g_str_equal (words->words[0], group_kinds[i]))
        return i;
    }
  return pen_loader_guess_kind (self, words, group_name);
}

/* Tells that there is no such plugin, with what there is instead. */
static void
pen_loader_tell_unknown_plugin (PenLoader *self,
                                const PenGroupWords *words,
                                PenElementKind kind,
                                const GError *error)
{
  const char *word = words->words[1];
  const char *kind_name = kind == PEN_KIND_DEAD_LETTER ? "sink" : group_kinds[kind];
  g_autoptr (GPtrArray) names = pen_registry_list (self->registry, kind);
  g_autofree char *hint = pen_suggest_hint (word, names);
  g_autofree char *quoted = pen_quote (word);
  g_autofree char *list = pen_suggest_list (names, "and");

  for (int other = PEN_KIND_SOURCE; other <= PEN_KIND_SINK; other++)
    {
      g_autoptr (GPtrArray) others = pen_registry_list (self->registry, (PenElementKind) other);

      if (!g_ptr_array_find_with_equal_func (others, word, g_str_equal, NULL))
        continue;
      pen_report_error (self->report, words->places[1],
                        "the plugin %s is a %s and not a %s; did you mean [%s %s]?", quoted,
                        group_kinds[other], kind_name, group_kinds[other], word);
      return;
    }
  if (*hint != '\0')
    pen_report_error (self->report, words->places[1], "unknown %s plugin %s%s", kind_name, quoted,
                      hint);
  else
    pen_report_error (self->report, words->places[1],
                      "unknown %s plugin %s: %s; %ss that are there: %s", kind_name, quoted,
                      error->message, kind_name, names->len == 0 ? "none" : list);
}

static void
pen_loader_find_plugin (PenLoader *self, const PenGroupWords *words, PenDraft *draft)
{
  g_autoptr (GError) error = NULL;

  draft->plugin = pen_registry_find (self->registry, draft->kind, words->words[1], &error);
  if (draft->plugin != NULL)
    draft->klass = g_type_class_ref (draft->plugin->type);
  else if (g_error_matches (error, PEN_PLUGIN_ERROR, PEN_PLUGIN_ERROR_NOT_FOUND))
    pen_loader_tell_unknown_plugin (self, words, draft->kind, error);
  else
    pen_report_error (self->report, words->places[1], "%s", error->message);
}

/* Tells of an element that has the name of another, or that there may be one of only. */
static void
pen_loader_check_unique (PenLoader *self, const PenDraft *draft, PenPlace place)
{
  for (guint i = 0; i < self->drafts->len; i++)
    {
      const PenDraft *other = g_ptr_array_index (self->drafts, i);
      guint line = other->group->place.line;

      if (other->kind != draft->kind)
        continue;
      if (draft->kind == PEN_KIND_DEAD_LETTER)
        pen_report_error (self->report, draft->group->place,
                          "[%s] is the second dead-letter sink; the first is in line %u, and a "
                          "pipeline has one",
                          draft->group->name, line);
      else if (!g_str_equal (other->name, draft->name))
        continue;
      else
        pen_report_error (self->report, place,
                          "there is a %s '%s' already, in line %u; give this one a name of its "
                          "own: [%s %s NAME]",
                          group_kinds[draft->kind], draft->name, line, group_kinds[draft->kind],
                          draft->plugin != NULL ? draft->plugin->name : "PLUGIN");
      return;
    }
}

static void
pen_loader_add_element (PenLoader *self,
                        const PenKeyfileGroup *group,
                        const PenGroupWords *words,
                        PenElementKind kind)
{
  PenDraft *draft;
  PenPlace name_place;

  if (words->n_words < 2)
    {
      g_autoptr (GPtrArray) names = pen_registry_list (self->registry, kind);
      g_autofree char *list = pen_suggest_list (names, "and");

      self->is_incomplete = TRUE;
      pen_report_error (self->report, group->place,
                        "[%s] names no plugin; write [%s PLUGIN]; plugins that are there: %s",
                        group->name, group_kinds[kind], names->len == 0 ? "none" : list);
      return;
    }
  draft = pen_draft_new (group, kind);
  draft->name = g_strdup (words->words[words->n_words > 2 ? 2 : 1]);
  name_place = words->places[words->n_words > 2 ? 2 : 1];
  pen_loader_find_plugin (self, words, draft);
  if (words->n_words > 3)
    pen_report_error (self->report, words->places[3],
                      "[%s] has too many words; an element's name is one word: [%s %s %s-%s]",
                      group->name, group_kinds[kind], words->words[1], words->words[2],
                      words->words[3]);
  else if (words->n_words == 3 && !pen_name_is_valid (draft->name))
    {
      g_autofree char *quoted = pen_quote (draft->name);

      pen_report_error (self->report, name_place, "%s is not a name; " PEN_NAME_RULE, quoted);
    }
  pen_loader_check_unique (self, draft, name_place);
  g_ptr_array_add (self->drafts, draft);
}

static void
pen_loader_add_variables (PenLoader *self, const PenKeyfileGroup *group)
{
  for (guint i = 0; i < group->entries->len; i++)
    {
      const PenKeyfileEntry *entry = g_ptr_array_index (group->entries, i);

      pen_substitution_add_variable (self->substitution, entry->key, entry->value,
                                     entry->value_place);
    }
}

/* A test's name is a text for people, and may have blanks. */
static void
pen_loader_add_test (PenLoader *self, const PenKeyfileGroup *group, const PenGroupWords *words)
{
  const char *name = group->name + strspn (group->name, " ") + strlen (words->words[0]);
  PenDraft *draft;

  if ((self->flags & PEN_DEFINITION_WITH_TESTS) == 0)
    return;
  if (words->n_words == 1)
    {
      pen_report_error (self->report, group->place,
                        "a test has a name that says what it shows: [%s NAME]", words->words[0]);
      return;
    }
  draft = pen_draft_new (group, PEN_KIND_TRANSFORM);
  draft->is_settings = TRUE;
  draft->is_test = TRUE;
  draft->klass = g_type_class_ref (PEN_TYPE_TRIAL);
  draft->name = g_strstrip (g_strdup (name));
  for (guint i = 0; i < self->tests->len; i++)
    {
      const PenDraft *other = g_ptr_array_index (self->tests, i);

      if (g_str_equal (other->name, draft->name))
        pen_report_error (self->report, words->places[1],
                          "there is a test '%s' already, in line %u; give this one another name",
                          draft->name, other->group->place.line);
    }
  g_ptr_array_add (self->tests, draft);
}

/* [pipeline], [variables] and [sites]: no more words, and at most once. */
static gboolean
pen_loader_check_single (PenLoader *self,
                         const PenKeyfileGroup *group,
                         const PenGroupWords *words,
                         const PenKeyfileGroup *first)
{
  if (words->n_words > 1)
    pen_report_error (self->report, words->places[1], "[%s] takes no name%s", words->words[0],
                      first == NULL && g_str_equal (words->words[0], "pipeline")
                          ? "; write it as a key: name=..."
                          : "");
  if (first == NULL)
    return TRUE;
  pen_report_error (self->report, group->place,
                    "there is a [%s] already, in line %u; put the keys of both into one",
                    words->words[0], first->place.line);
  return FALSE;
}

/*
 * pen_loader_read_groups:
 * @self: a loader with a keyfile
 *
 * Makes a draft of every element and of the settings, and knows the variables and the sites.
 *
 * Threads: any
 */
void
pen_loader_read_groups (PenLoader *self)
{
  const PenKeyfileGroup *variables = NULL;
  const PenKeyfileGroup *pipeline = NULL;
  const PenKeyfileGroup *sites = NULL;

  for (guint i = 0; i < self->keyfile->groups->len; i++)
    {
      const PenKeyfileGroup *group = g_ptr_array_index (self->keyfile->groups, i);
      g_auto (PenGroupWords) words = { 0 };
      int kind;

      pen_group_words_split (&words, group);
      if (words.n_words == 0)
        {
          pen_report_error (self->report, group->place, "this group's name is blank");
          continue;
        }
      kind = pen_loader_find_kind (self, &words, group->name);
      if (kind == GROUP_VARIABLES && pen_loader_check_single (self, group, &words, variables))
        {
          variables = group;
          pen_loader_add_variables (self, group);
        }
      else if (kind == GROUP_PIPELINE && pen_loader_check_single (self, group, &words, pipeline))
        pipeline = group;
      else if (kind == GROUP_SITES && pen_loader_check_single (self, group, &words, sites))
        sites = group;
      else if (kind == GROUP_TEST)
        pen_loader_add_test (self, group, &words);
      else if (kind >= 0 && kind <= PEN_KIND_DEAD_LETTER)
        pen_loader_add_element (self, group, &words, (PenElementKind) kind);
    }
  self->settings = pen_draft_new (pipeline, PEN_KIND_SOURCE);
  self->settings->is_settings = TRUE;
  self->settings->klass = g_type_class_ref (PEN_TYPE_SETTINGS);
  if (sites != NULL)
    pen_loader_read_sites (self, sites);
}
