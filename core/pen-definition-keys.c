/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The keys of a keyfile: each is a property, whose GParamSpec says what it accepts. A value is
 * expanded, turned into a GValue, and kept until an element is made.
 *
 * Secrets come first: before any value is looked at, what secrets refer to is known, so that no
 * message shows it where it does not belong.
 */

#include "config.h"

#include "pen-check-private.h"
#include "pen-definition-private.h"
#include "pen-property.h"
#include "pen-suggest.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_LISTED_KEYS 10

/* One key on its way from text to value. */
typedef struct
{
  PenLoader *loader;
  const PenDraft *draft;
  GParamSpec *pspec;
  const PenKeyfileEntry *entry;
  PenKeyValue *result;
} PenKeyReader;

static gboolean
pen_key_reader_is_secret (const PenKeyReader *self)
{
  return (self->pspec->flags & PEN_PARAM_SECRET) != 0;
}

static void G_GNUC_PRINTF (3, 4)
    pen_key_reader_fail (PenKeyReader *self, PenPlace place, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->result->is_faulty = TRUE;
  pen_report_error (self->loader->report, place, "%s", message);
}

/* The value as a message may show it: with what it was made of, or not at all. */
static char *
pen_key_reader_show (const PenKeyReader *self, const char *raw, const PenExpansion *expansion)
{
  g_autofree char *quoted = NULL;
  g_autofree char *quoted_raw = NULL;

  if (pen_key_reader_is_secret (self) || expansion->is_hidden)
    return g_strdup ("(not shown, it may be secret)");
  quoted = pen_quote (expansion->text);
  if (!expansion->is_replaced)
    return g_steal_pointer (&quoted);
  quoted_raw = pen_quote (raw);
  return g_strdup_printf ("%s (from %s)", quoted, quoted_raw);
}

static void
pen_key_reader_refuse (PenKeyReader *self,
                       PenPlace place,
                       const char *raw,
                       const PenExpansion *expansion)
{
  gboolean is_hidden = pen_key_reader_is_secret (self) || expansion->is_hidden;
  g_autofree char *shown = pen_key_reader_show (self, raw, expansion);
  g_autofree char *accepted = pen_property_describe (self->pspec);
  g_autofree char *guess
      = is_hidden ? g_strdup ("") : pen_property_guess (self->pspec, expansion->text);

  pen_key_reader_fail (self, place, "bad value %s for '%s' in [%s]; expected %s%s", shown,
                       self->pspec->name, self->draft->group->name, accepted, guess);
}

/* A secret in a file that everybody can read is none. */
static void
pen_key_reader_check_secret_file (PenKeyReader *self, PenPlace place, const char *path)
{
  guint mode;

  if (path != NULL && pen_path_is_exposed (path, &mode))
    pen_report_warning (self->loader->report, place,
                        "every user of this machine can read '%s', from where the secret '%s' "
                        "comes (mode %04o); do: chmod o-rwx '%s'",
                        path, self->pspec->name, mode, path);
}

/* A secret that stands in the file itself: told once a file if others can read that. */
static void
pen_key_reader_check_secret (PenKeyReader *self, PenPlace place, const PenExpansion *expansion)
{
  const guint safe = PEN_ORIGIN_ENVIRONMENT | PEN_ORIGIN_FILE | PEN_ORIGIN_CREDENTIAL;
  gboolean is_literal
      = (expansion->origins & safe) == 0 && expansion->text != NULL && *expansion->text != '\0';
  gboolean has_default = (expansion->origins & PEN_ORIGIN_DEFAULT) != 0;
  gboolean is_row = expansion->site_place.line != 0;
  PenLoader *loader = self->loader;

  pen_key_reader_check_secret_file (self, place, expansion->file);
  if (!is_literal && !has_default)
    return;
  /* of thousands of rows, the first speaks for all */
  if (is_row && !g_hash_table_add (loader->literals, (gpointer) self->entry))
    return;
  pen_report_warning (loader->report, place,
                      "the secret '%s' stands in the file itself%s%s; put it into ${env:NAME}, "
                      "${file:PATH} or ${credential:NAME}",
                      self->pspec->name, has_default ? " as a default" : "",
                      is_row ? ", in this row and perhaps in others" : "");
  if (!loader->has_literal_secret && (loader->mode & S_IROTH) != 0
      && (loader->flags & PEN_DEFINITION_NO_ENVIRONMENT) == 0)
    pen_report_warning (loader->report, place,
                        "every user of this machine can read this file, and so its secrets (mode "
                        "%04o); do: chmod o-rwx '%s'",
                        loader->mode & 07777, loader->path);
  loader->has_literal_secret = TRUE;
}

/* A ' # ' in a text is part of it, which is seldom what was meant. */
static void
pen_key_reader_check_comment (PenKeyReader *self, PenPlace place, const char *raw)
{
  const char *mark = strstr (raw, " # ");

  if (mark == NULL || pen_key_reader_is_secret (self))
    return;
  place.column += (guint) (mark - raw) + 1;
  pen_report_warning (self->loader->report, place,
                      "this '#' and what follows are part of '%s'; a comment has a line of its own",
                      self->pspec->name);
}

/* Tests that a file is there and can be read. */
static void
pen_key_reader_check_input (PenKeyReader *self,
                            PenPlace place,
                            const char *path,
                            const PenExpansion *expansion)
{
  struct stat status;
  const char *reason = NULL;
  g_autofree char *shown = expansion->is_hidden || pen_key_reader_is_secret (self)
                               ? g_strdup ("(not shown, it may be secret)")
                               : pen_quote (path);

  if (!pen_loader_wants_environment (self->loader, self->draft))
    return;
  if (stat (path, &status) != 0 || access (path, R_OK) != 0)
    reason = g_strerror (errno);
  else if (S_ISDIR (status.st_mode))
    reason = "it is a folder";
  if (reason != NULL)
    pen_key_reader_fail (self, place, "'%s' in [%s] cannot be read: %s: %s%s", self->pspec->name,
                         self->draft->group->name, shown, reason,
                         expansion->text[0] == '~' ? " ('~' is not expanded here)" : "");
}

/* Returns the text that becomes the value: for a path, one that does not depend on where the
 * program was started. */
static char *
pen_key_reader_resolve (PenKeyReader *self, PenPlace place, const PenExpansion *expansion)
{
  char *path;

  if ((self->pspec->flags & PEN_PARAM_PATH) == 0 || *expansion->text == '\0'
      || g_str_equal (expansion->text, "-"))
    return g_strdup (expansion->text);
  path = g_path_is_absolute (expansion->text)
             ? g_strdup (expansion->text)
             : g_build_filename (self->loader->folder, expansion->text, NULL);
  if ((self->pspec->flags & PEN_PARAM_INPUT) != 0)
    pen_key_reader_check_input (self, place, path, expansion);
  return path;
}

/* What is wrong with a value that a row gave is told there. */
static void
pen_key_reader_move (PenKeyReader *self, PenPlace *place, const PenExpansion *expansion)
{
  if (expansion->site_place.line == 0)
    return;
  *place = expansion->site_place;
  self->result->place = expansion->site_place;
}

/* The text of a value or of an item, or NULL if it is faulty or not known here; @place becomes
 * where findings about it are told. */
static char *
pen_key_reader_expand (PenKeyReader *self,
                       const char *raw,
                       guint flags,
                       PenPlace *place,
                       PenExpansion *expansion)
{
  guint secret = pen_key_reader_is_secret (self) ? PEN_EXPAND_SECRET : 0;

  if (!pen_substitution_expand (self->loader->substitution, raw, flags | secret, *place, expansion))
    {
      self->result->is_faulty = TRUE;
      return NULL;
    }
  pen_key_reader_move (self, place, expansion);
  self->result->is_hidden |= secret != 0 || expansion->is_hidden;
  if (secret != 0)
    pen_key_reader_check_secret (self, *place, expansion);
  return expansion->text == NULL ? NULL : pen_key_reader_resolve (self, *place, expansion);
}

static void
pen_key_reader_read_scalar (PenKeyReader *self)
{
  const char *raw = self->entry->value;
  PenPlace place = self->entry->value_place;
  g_auto (PenExpansion) expansion = { 0 };
  g_autofree char *text = pen_key_reader_expand (self, raw, 0, &place, &expansion);

  if (text == NULL || self->result->is_faulty)
    return;
  if (G_IS_PARAM_SPEC_STRING (self->pspec))
    pen_key_reader_check_comment (self, self->entry->value_place, raw);
  if (!pen_property_parse (self->pspec, text, &self->result->value))
    {
      g_value_unset (&self->result->value);
      pen_key_reader_refuse (self, place, raw, &expansion);
    }
}

/* Where the item that begins at @start ends: at a ';' without a backslash before it. */
static gsize
pen_key_reader_find_item_end (const char *raw, gsize start)
{
  gsize end = start;

  while (raw[end] != '\0' && raw[end] != ';')
    end += raw[end] == '\\' && raw[end + 1] == ';' ? 2 : 1;
  return end;
}

/*
 * pen_list_next:
 * @raw: a list, before anything is put in
 * @offset: (inout): where the next item begins; 0 at first
 * @item: (out): the item, without blanks around it, and with its backslashes
 * @item_offset: (out): where it begins
 *
 * A ';' at the end makes no item.
 *
 * Returns: whether there was one more
 *
 * Threads: any
 */
gboolean
pen_list_next (const char *raw, gsize *offset, char **item, gsize *item_offset)
{
  gsize start = *offset;
  gsize end = pen_key_reader_find_item_end (raw, start);
  gsize blanks = MIN (strspn (raw + start, " \t"), end - start);

  if (raw[start] == '\0')
    return FALSE;
  *item_offset = start + blanks;
  *item = g_strchomp (g_strndup (raw + start + blanks, end - start - blanks));
  *offset = raw[end] == ';' ? end + 1 : end;
  return TRUE;
}

static void
pen_key_reader_read_list (PenKeyReader *self)
{
  const char *raw = self->entry->value;
  g_autoptr (GStrvBuilder) items = g_strv_builder_new ();
  gboolean is_known = TRUE;
  gsize offset = 0;
  gsize item_offset = 0;
  char *next = NULL;

  while (pen_list_next (raw, &offset, &next, &item_offset))
    {
      g_autofree char *item = next;
      PenPlace place = self->entry->value_place;
      g_auto (PenExpansion) expansion = { 0 };
      g_autofree char *text = NULL;

      place.column += (guint) item_offset;
      if (*item == '\0')
        pen_key_reader_fail (self, place, "an item of '%s' in [%s] is empty; remove a ';'",
                             self->pspec->name, self->draft->group->name);
      else
        text = pen_key_reader_expand (self, item, PEN_EXPAND_LIST_ITEM, &place, &expansion);
      if (text != NULL)
        g_strv_builder_add (items, text);
      is_known = is_known && text != NULL;
    }
  if (self->result->is_faulty || !is_known)
    return;
  g_value_init (&self->result->value, G_TYPE_STRV);
  g_value_take_boxed (&self->result->value, g_strv_builder_end (items));
}

/* Whether a property that has to be set is set to nothing. */
static gboolean
pen_key_value_is_empty (const PenKeyValue *value)
{
  if (G_VALUE_HOLDS_STRING (&value->value))
    return *g_value_get_string (&value->value) == '\0';
  if (G_VALUE_HOLDS (&value->value, G_TYPE_STRV))
    return *(char **) g_value_get_boxed (&value->value) == NULL;
  return FALSE;
}

static void
pen_loader_fill_value (PenLoader *self, const PenDraft *draft, PenKeyValue *value)
{
  GParamSpec *pspec = value->pspec;
  PenKeyReader reader
      = { .loader = self, .draft = draft, .pspec = pspec, .entry = value->entry, .result = value };

  pen_substitution_want_environment (self->substitution,
                                     pen_loader_wants_environment (self, draft));
  if (pen_property_is_list (pspec))
    pen_key_reader_read_list (&reader);
  else
    pen_key_reader_read_scalar (&reader);
  if (!value->is_faulty && (pspec->flags & PEN_PARAM_REQUIRED) != 0 && G_IS_VALUE (&value->value)
      && pen_key_value_is_empty (value))
    pen_key_reader_fail (&reader, value->place, "'%s' in [%s] is required and empty: %s",
                         pspec->name, draft->group->name, g_param_spec_get_blurb (pspec));
}

/* What depends on the site is read for each. */
static void
pen_loader_read_value (PenLoader *self,
                       PenDraft *draft,
                       GParamSpec *pspec,
                       const PenKeyfileEntry *entry)
{
  PenKeyValue value = { .pspec = pspec, .entry = entry, .place = entry->value_place };

  value.is_per_site = pen_substitution_depends_on_site (self->substitution, entry->value);
  if (!value.is_per_site)
    pen_loader_fill_value (self, draft, &value);
  g_array_append_val (draft->values, value);
}

static void
pen_loader_refill_draft (PenLoader *self, PenDraft *draft)
{
  for (guint i = 0; i < draft->values->len; i++)
    {
      PenKeyValue *value = &g_array_index (draft->values, PenKeyValue, i);

      if (!value->is_per_site)
        continue;
      if (G_IS_VALUE (&value->value))
        g_value_unset (&value->value);
      g_clear_pointer (&value->named, pen_named_value_unref);
      value->is_faulty = FALSE;
      value->is_hidden = FALSE;
      value->place = value->entry->value_place;
      pen_loader_fill_value (self, draft, value);
    }
}

/* `from` is the pipeline's key, whatever the element. */
static gboolean
pen_draft_takes_from (const PenDraft *self)
{
  return !self->is_settings && (self->kind == PEN_KIND_TRANSFORM || self->kind == PEN_KIND_SINK);
}

/* The end of a message about a key that does not exist: the nearest one, or all. */
static char *
pen_draft_suggest_key (const PenDraft *self, const char *key)
{
  g_autoptr (GPtrArray) keys = pen_property_list_keys (self->klass);
  g_autofree char *hint = NULL;
  g_autofree char *list = NULL;

  if (pen_draft_takes_from (self))
    g_ptr_array_add (keys, (gpointer) "from");
  hint = pen_suggest_hint (key, keys);
  if (*hint != '\0')
    return g_steal_pointer (&hint);
  list = pen_suggest_list (keys, "and");
  if (keys->len <= MAX_LISTED_KEYS || self->is_test)
    return g_strdup_printf ("; it has %s", list);
  if (self->is_settings)
    return g_strdup ("; 'penstock inspect pipeline' lists its keys");
  return g_strdup_printf ("; 'penstock inspect %s %s' lists its keys",
                          pen_element_kind_get_nick (self->plugin->kind), self->plugin->name);
}

static void
pen_loader_tell_unknown_key (PenLoader *self, const PenDraft *draft, const PenKeyfileEntry *entry)
{
  g_autofree char *hint = pen_draft_suggest_key (draft, entry->key);

  pen_report_error (self->report, entry->key_place, "unknown key '%s' in [%s]%s", entry->key,
                    draft->group->name, hint);
}

static void
pen_loader_read_key (PenLoader *self, PenDraft *draft, const PenKeyfileEntry *entry)
{
  GParamSpec *pspec;

  if (!draft->is_settings && g_str_equal (entry->key, "from"))
    {
      if (draft->kind == PEN_KIND_SOURCE)
        pen_report_error (self->report, entry->key_place,
                          "'from' in [%s]: a source reads from no other element",
                          draft->group->name);
      else if (draft->kind == PEN_KIND_DEAD_LETTER)
        pen_report_error (self->report, entry->key_place,
                          "'from' in [%s]: a dead-letter sink gets what any element rejects",
                          draft->group->name);
      return;
    }
  if (draft->klass == NULL)
    return;
  pspec = pen_property_find (draft->klass, entry->key);
  if (pspec == NULL)
    pen_loader_tell_unknown_key (self, draft, entry);
  else
    pen_loader_read_value (self, draft, pspec, entry);
}

/* Whether a key that does not exist was probably meant to be @required: `hots` for `host`. */
static gboolean
pen_draft_has_misspelt (const PenDraft *self, const char *required)
{
  g_autoptr (GPtrArray) keys = pen_property_list_keys (self->klass);

  for (guint i = 0; i < self->group->entries->len; i++)
    {
      const PenKeyfileEntry *entry = g_ptr_array_index (self->group->entries, i);

      if (pen_property_find (self->klass, entry->key) == NULL
          && pen_suggest (entry->key, (const char *const *) keys->pdata, keys->len) == required)
        return TRUE;
    }
  return FALSE;
}

static void
pen_loader_check_required (PenLoader *self, const PenDraft *draft)
{
  guint n_properties = 0;
  g_autofree GParamSpec **properties = g_object_class_list_properties (draft->klass, &n_properties);

  for (guint i = 0; i < n_properties; i++)
    {
      if ((properties[i]->flags & PEN_PARAM_REQUIRED) == 0
          || pen_keyfile_group_find (draft->group, properties[i]->name) != NULL
          || pen_draft_has_misspelt (draft, properties[i]->name))
        continue;
      pen_report_error (self->report, draft->group->place, "[%s] needs '%s': %s",
                        draft->group->name, properties[i]->name,
                        g_param_spec_get_blurb (properties[i]));
    }
}

static void
pen_loader_hide_secrets (PenLoader *self, const PenDraft *draft)
{
  for (guint i = 0; draft->klass != NULL && i < draft->group->entries->len; i++)
    {
      const PenKeyfileEntry *entry = g_ptr_array_index (draft->group->entries, i);
      const GParamSpec *pspec = pen_property_find (draft->klass, entry->key);

      if (pspec != NULL && (pspec->flags & PEN_PARAM_SECRET) != 0)
        pen_substitution_hide (self->substitution, entry->value);
    }
}

static void
pen_loader_read_draft (PenLoader *self, PenDraft *draft)
{
  if (draft->group == NULL)
    return;
  for (guint i = 0; i < draft->group->entries->len; i++)
    pen_loader_read_key (self, draft, g_ptr_array_index (draft->group->entries, i));
  if (draft->klass != NULL && !draft->group->is_incomplete)
    pen_loader_check_required (self, draft);
}

/*
 * pen_loader_read_keys:
 * @self: a loader with drafts
 *
 * Gives the drafts their values.
 *
 * Threads: any
 */
void
pen_loader_read_keys (PenLoader *self)
{
  for (guint i = 0; i < self->drafts->len; i++)
    pen_loader_hide_secrets (self, g_ptr_array_index (self->drafts, i));
  if (self->sites != NULL)
    pen_sites_hide (self->sites, self);
  pen_loader_read_draft (self, self->settings);
  for (guint i = 0; i < self->drafts->len; i++)
    pen_loader_read_draft (self, g_ptr_array_index (self->drafts, i));
  for (guint i = 0; i < self->tests->len; i++)
    pen_loader_read_draft (self, g_ptr_array_index (self->tests, i));
}

/*
 * pen_loader_read_site_keys:
 * @self: a loader that has entered a site
 *
 * Gives the drafts the values that depend on the site.
 *
 * Threads: any
 */
void
pen_loader_read_site_keys (PenLoader *self)
{
  pen_loader_refill_draft (self, self->settings);
  for (guint i = 0; i < self->drafts->len; i++)
    pen_loader_refill_draft (self, g_ptr_array_index (self->drafts, i));
  for (guint i = 0; i < self->tests->len; i++)
    pen_loader_refill_draft (self, g_ptr_array_index (self->tests, i));
}

/*
 * pen_loader_wants_environment:
 * @self: a loader
 * @draft: a group with properties
 *
 * Returns: whether what only the target machine has is looked at for @draft
 *
 * Threads: any
 */
gboolean
pen_loader_wants_environment (const PenLoader *self, const PenDraft *draft)
{
  gboolean is_run = draft->is_test || (!draft->is_settings && draft->kind == PEN_KIND_TRANSFORM);

  if ((self->flags & PEN_DEFINITION_NO_ENVIRONMENT) == 0)
    return TRUE;
  return (self->flags & PEN_DEFINITION_FOR_TESTS) != 0 && is_run;
}

/*
 * pen_draft_is_per_site:
 * @self: a draft
 *
 * Returns: whether any of its values depends on the site
 *
 * Threads: any
 */
gboolean
pen_draft_is_per_site (const PenDraft *self)
{
  for (guint i = 0; i < self->values->len; i++)
    if (g_array_index (self->values, PenKeyValue, i).is_per_site)
      return TRUE;
  return FALSE;
}

/*
 * pen_draft_find_value:
 * @self: a draft
 * @key: a key
 *
 * Returns: (nullable): what came of @key
 *
 * Threads: any
 */
const PenKeyValue *
pen_draft_find_value (const PenDraft *self, const char *key)
{
  for (guint i = 0; i < self->values->len; i++)
    {
      const PenKeyValue *value = &g_array_index (self->values, PenKeyValue, i);

      if (g_str_equal (value->pspec->name, key))
        return value;
    }
  return NULL;
}

/*
 * pen_key_values_apply:
 * @values: (element-type PenKeyValue): what keys came to
 * @object: what has the properties
 *
 * Threads: any
 */
void
pen_key_values_apply (const GArray *values, GObject *object)
{
  for (guint i = 0; i < values->len; i++)
    {
      const PenKeyValue *value = &g_array_index (values, PenKeyValue, i);

      if (!value->is_faulty && G_IS_VALUE (&value->value))
        g_object_set_property (object, value->pspec->name, &value->value);
    }
}
