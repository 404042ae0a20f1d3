/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A pipeline keyfile that was read and understood. Reading goes on behind a mistake as far as it
 * can, so that a file's mistakes are all told at once; a definition is made of a file that has
 * none. It holds the values of the properties and no element: each run makes its own.
 *
 * A file with [sites] makes a definition for each row. They share what does not depend on the row.
 */

#include "config.h"

#include "pen-definition-private.h"
#include "pen-text-file.h"
#include "pen-value.h"

#include <string.h>

/* The largest bundles of root certificates have less than 1 MiB. */
#define CONTENT_LIMIT_BYTES (8 * 1024 * 1024)

/* reference-counted, constant */
struct _PenNamedValue
{
  const char *name; /* of the property: static, as its class is */
  GValue value;
  char *digest; /* (nullable): of the file that it names, with PEN_PARAM_CONTENT */
};

typedef struct
{
  PenElementDefinition *element; /* what others see */
  guint n_values;
  PenNamedValue *values[];
} PenDefinedElement;

struct _PenDefinition
{
  gatomicrefcount references;
  /* constant after it is loaded */
  char *path;          /* a GRefString */
  PenPlace name_place; /* where the name stands; the file's beginning if it is the file's */
  PenSettings *settings;
  char *site;           /* (nullable): the row that it was made for */
  GPtrArray *trials;    /* (element-type PenTrial) */
  GPtrArray *elements;  /* (element-type PenDefinedElement) */
  GPtrArray *claims;    /* (element-type PenClaim) */
  GPtrArray *interests; /* (element-type PenHeldInterest) */
};

static void
pen_named_value_clear (gpointer data)
{
  g_value_unset (&((PenNamedValue *) data)->value);
  g_free (((PenNamedValue *) data)->digest);
}

/* documented in the header, as the next */
void
pen_named_value_unref (PenNamedValue *self)
{
  g_atomic_rc_box_release_full (self, pen_named_value_clear);
}

static void
pen_element_definition_clear (gpointer data)
{
  g_free (((PenElementDefinition *) data)->name);
  g_free (((PenElementDefinition *) data)->inputs);
}

void
pen_element_definition_unref (PenElementDefinition *self)
{
  g_atomic_rc_box_release_full (self, pen_element_definition_clear);
}

/* One that cannot be read is told by who needs it. */
static char *
pen_named_value_digest (const PenKeyValue *value)
{
  g_autoptr (GString) content = NULL;

  if ((value->pspec->flags & PEN_PARAM_CONTENT) == 0 || !G_VALUE_HOLDS_STRING (&value->value)
      || g_value_get_string (&value->value) == NULL)
    return NULL;
  content = pen_text_file_read (g_value_get_string (&value->value), CONTENT_LIMIT_BYTES,
                                PEN_TEXT_FILE_NONE, NULL, NULL);
  return content == NULL ? NULL
                         : g_compute_checksum_for_data (
                             G_CHECKSUM_SHA256, (const guchar *) content->str, content->len);
}

/* (transfer full): the same one each time, as long as the value does not change */
static PenNamedValue *
pen_key_value_share (PenKeyValue *self)
{
  if (self->named == NULL)
    {
      self->named = g_atomic_rc_box_new0 (PenNamedValue);
      self->named->name = self->pspec->name;
      g_value_init (&self->named->value, G_VALUE_TYPE (&self->value));
      g_value_copy (&self->value, &self->named->value);
      self->named->digest = pen_named_value_digest (self);
    }
  return g_atomic_rc_box_acquire (self->named);
}

/* (transfer full): the same one each time */
static PenElementDefinition *
pen_draft_share (PenDraft *self)
{
  if (self->shared == NULL)
    {
      self->shared = g_atomic_rc_box_new0 (PenElementDefinition);
      self->shared->kind = self->kind;
      self->shared->name = g_strdup (self->name);
      self->shared->plugin = self->plugin;
      self->shared->n_inputs = self->inputs->len;
      self->shared->inputs = g_memdup2 (self->inputs->data, self->inputs->len * sizeof (guint));
      self->shared->line = self->group->place.line;
    }
  return g_atomic_rc_box_acquire (self->shared);
}

static void
pen_defined_element_free (gpointer data)
{
  PenDefinedElement *self = data;

  for (guint i = 0; i < self->n_values; i++)
    pen_named_value_unref (self->values[i]);
  pen_element_definition_unref (self->element);
  g_free (self);
}

static PenDefinedElement *
pen_defined_element_new (PenDraft *draft)
{
  PenDefinedElement *self = g_malloc (sizeof *self + draft->values->len * sizeof (PenNamedValue *));

  self->element = pen_draft_share (draft);
  self->n_values = 0;
  for (guint i = 0; i < draft->values->len; i++)
    {
      PenKeyValue *value = &g_array_index (draft->values, PenKeyValue, i);

      if (G_IS_VALUE (&value->value))
        self->values[self->n_values++] = pen_key_value_share (value);
    }
  return self;
}

/*
 * pen_definition_new:
 * @loader: what has read a file, and that of a site
 * @settings: (transfer full): what is said of the pipeline as a whole
 * @name_place: where its name stands
 *
 * Returns: (transfer full): what became of it
 *
 * Threads: any
 */
PenDefinition *
pen_definition_new (const PenLoader *loader, PenSettings *settings, PenPlace name_place)
{
  PenDefinition *self = g_new0 (PenDefinition, 1);

  g_atomic_ref_count_init (&self->references);
  self->path = g_ref_string_acquire (loader->shared_path);
  self->settings = settings;
  self->name_place = name_place;
  self->site = g_strdup (loader->site);
  self->trials = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < loader->tests->len; i++)
    {
      const PenDraft *draft = g_ptr_array_index (loader->tests, i);
      PenTrial *trial = pen_trial_new (draft->name, draft->group->place);

      pen_key_values_apply (draft->values, G_OBJECT (trial));
      g_ptr_array_add (self->trials, trial);
    }
  self->claims = g_ptr_array_ref (loader->claims);
  self->interests = g_ptr_array_ref (loader->interests);
  self->elements = g_ptr_array_new_with_free_func (pen_defined_element_free);
  for (guint i = 0; i < loader->drafts->len; i++)
    g_ptr_array_add (self->elements,
                     pen_defined_element_new (g_ptr_array_index (loader->drafts, i)));
  return self;
}

/*
 * pen_definition_ref:
 * @self: a definition
 *
 * Returns: (transfer full): @self
 *
 * Threads: any
 */
PenDefinition *
pen_definition_ref (PenDefinition *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

/*
 * pen_definition_unref:
 * @self: (transfer full): a definition
 *
 * Threads: any
 */
void
pen_definition_unref (PenDefinition *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_ptr_array_unref (self->elements);
  g_ptr_array_unref (self->trials);
  g_free (self->site);
  g_ptr_array_unref (self->claims);
  g_ptr_array_unref (self->interests);
  g_object_unref (self->settings);
  g_ref_string_release (self->path);
  g_free (self);
}

/*
 * pen_definition_get_name_place:
 *
 * Returns: where the pipeline's name stands; the file's beginning if it is the file's
 *
 * Threads: any
 */
PenPlace
pen_definition_get_name_place (const PenDefinition *self)
{
  return self->name_place;
}

/*
 * pen_definition_get_claims:
 *
 * Returns: (element-type PenClaim): what no other pipeline may use
 *
 * Threads: any
 */
const GPtrArray *
pen_definition_get_claims (const PenDefinition *self)
{
  return self->claims;
}

/*
 * pen_definition_get_interests:
 *
 * Returns: (element-type PenHeldInterest): what no other element should read
 *
 * Threads: any
 */
const GPtrArray *
pen_definition_get_interests (const PenDefinition *self)
{
  return self->interests;
}

/*
 * pen_definition_get_path:
 * @self: a definition
 *
 * Returns: its file, as it was given
 *
 * Threads: any
 */
const char *
pen_definition_get_path (const PenDefinition *self)
{
  return self->path;
}

/*
 * pen_definition_get_name:
 * @self: a definition
 *
 * Returns: the pipeline's name
 *
 * Threads: any
 */
const char *
pen_definition_get_name (const PenDefinition *self)
{
  return pen_settings_get_name (self->settings);
}

/*
 * pen_definition_index:
 * @definitions: (element-type PenDefinition): what is looked up by name, once for each of thousands
 *
 * Returns: (transfer full) (element-type utf8 PenDefinition): by name; owns neither, so
 *   @definitions must live as long
 *
 * Threads: any
 */
GHashTable *
pen_definition_index (GPtrArray *definitions)
{
  GHashTable *index = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < definitions->len; i++)
    {
      PenDefinition *definition = g_ptr_array_index (definitions, i);

      g_hash_table_insert (index, (gpointer) pen_definition_get_name (definition), definition);
    }
  return index;
}

/*
 * pen_definition_get_settings:
 * @self: a definition
 *
 * Returns: (transfer none): what [pipeline] says
 *
 * Threads: any
 */
PenSettings *
pen_definition_get_settings (const PenDefinition *self)
{
  return self->settings;
}

/*
 * pen_definition_get_site:
 * @self: a definition
 *
 * Returns: (nullable): the row of [sites] that it was made for
 *
 * Threads: any
 */
const char *
pen_definition_get_site (const PenDefinition *self)
{
  return self->site;
}

/*
 * pen_definition_get_trials:
 * @self: a definition
 *
 * Returns: (transfer none) (element-type PenTrial): its tests, where they were read
 *
 * Threads: any
 */
GPtrArray *
pen_definition_get_trials (const PenDefinition *self)
{
  return self->trials;
}

/*
 * pen_definition_get_n_elements:
 * @self: a definition
 *
 * Returns: how many elements it has, in the order of the file
 *
 * Threads: any
 */
guint
pen_definition_get_n_elements (const PenDefinition *self)
{
  return self->elements->len;
}

/*
 * pen_definition_get_element:
 * @self: a definition
 * @index: which element
 *
 * Returns: (transfer none): the element
 *
 * Threads: any
 */
const PenElementDefinition *
pen_definition_get_element (const PenDefinition *self, guint index)
{
  const PenDefinedElement *defined = g_ptr_array_index (self->elements, index);

  return defined->element;
}

/*
 * pen_definition_create_element:
 * @self: a definition
 * @index: which element
 *
 * Returns: (transfer full): a new element with the keyfile's properties, attached to no host
 *
 * Threads: any
 */
PenElement *
pen_definition_create_element (const PenDefinition *self, guint index)
{
  const PenDefinedElement *defined = g_ptr_array_index (self->elements, index);
  GObject *element = g_object_new (defined->element->plugin->type, NULL);

  for (guint i = 0; i < defined->n_values; i++)
    {
      const PenNamedValue *named = defined->values[i];

      g_object_set_property (element, named->name, &named->value);
    }
  return PEN_ELEMENT (element);
}

static gboolean
pen_value_equal (const GValue *a, const GValue *b)
{
  if (G_VALUE_TYPE (a) != G_VALUE_TYPE (b))
    return FALSE;
  if (G_VALUE_HOLDS (a, G_TYPE_STRV))
    {
      const char *const *first = g_value_get_boxed (a);
      const char *const *second = g_value_get_boxed (b);

      return first == second || (first != NULL && second != NULL && g_strv_equal (first, second));
    }
  if (G_VALUE_HOLDS_STRING (a))
    return g_strcmp0 (g_value_get_string (a), g_value_get_string (b)) == 0;
  if (G_VALUE_HOLDS_DOUBLE (a))
    return g_value_get_double (a) == g_value_get_double (b);
  /* what is left of the kinds of values that a key can have fits into 64 bits */
  return a->data[0].v_uint64 == b->data[0].v_uint64;
}

static gboolean
pen_defined_element_equal (const PenDefinedElement *a, const PenDefinedElement *b)
{
  const PenElementDefinition *one = a->element;
  const PenElementDefinition *other = b->element;

  if (one->kind != other->kind || one->plugin != other->plugin
      || !g_str_equal (one->name, other->name) || one->n_inputs != other->n_inputs
      || a->n_values != b->n_values)
    return FALSE;
  for (guint i = 0; i < one->n_inputs; i++)
    if (one->inputs[i] != other->inputs[i])
      return FALSE;
  for (guint i = 0; i < a->n_values; i++)
    {
      const PenNamedValue *first = a->values[i];
      const PenNamedValue *second = b->values[i];

      if (!g_str_equal (first->name, second->name)
          || !pen_value_equal (&first->value, &second->value)
          || g_strcmp0 (first->digest, second->digest) != 0)
        return FALSE;
    }
  return TRUE;
}

/*
 * pen_definition_equal:
 * @self: a definition
 * @other: another
 *
 * Layout and comments do not count; values count as they are after substitution, files that are
 * part of the configuration with what they held when it was loaded.
 *
 * Returns: whether a pipeline of one would do exactly what a pipeline of the other does
 *
 * Threads: any
 */
gboolean
pen_definition_equal (const PenDefinition *self, const PenDefinition *other)
{
  if (!g_str_equal (self->path, other->path) || self->elements->len != other->elements->len
      || !pen_settings_equal (self->settings, other->settings))
    return FALSE;
  for (guint i = 0; i < self->elements->len; i++)
    if (!pen_defined_element_equal (g_ptr_array_index (self->elements, i),
                                    g_ptr_array_index (other->elements, i)))
      return FALSE;
  return TRUE;
}

/* Different texts for all that pen_value_equal () tells apart. */
static char *
pen_value_dup_text (const GValue *value)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  if (G_VALUE_HOLDS (value, G_TYPE_STRV))
    {
      const char *const *items = g_value_get_boxed (value);
      GString *text = g_string_new (items == NULL ? NULL : "=");

      for (guint i = 0; items != NULL && items[i] != NULL; i++)
        g_string_append_printf (text, "%" G_GSIZE_FORMAT ":%s", strlen (items[i]), items[i]);
      return g_string_free (text, FALSE);
    }
  if (G_VALUE_HOLDS_STRING (value))
    return g_value_get_string (value) == NULL ? g_strdup ("")
                                              : g_strconcat ("=", g_value_get_string (value), NULL);
  if (G_VALUE_HOLDS_DOUBLE (value))
    return g_strdup (g_ascii_dtostr (number, sizeof number, g_value_get_double (value)));
  return g_strdup_printf ("%" G_GUINT64_FORMAT, value->data[0].v_uint64);
}

static void
pen_definition_tell_settings (const PenDefinition *self,
                              PenDefinitionValueFunc func,
                              gpointer user_data)
{
  guint n_specs = 0;
  g_autofree GParamSpec **specs
      = g_object_class_list_properties (G_OBJECT_GET_CLASS (self->settings), &n_specs);

  for (guint i = 0; i < n_specs; i++)
    {
      g_auto (GValue) value = G_VALUE_INIT;
      g_autofree char *text = NULL;

      g_object_get_property (G_OBJECT (self->settings), specs[i]->name, &value);
      text = pen_value_dup_text (&value);
      func ("pipeline", specs[i]->name, text, user_data);
    }
}

static void
pen_definition_tell_element (const PenDefinition *self,
                             const PenDefinedElement *defined,
                             PenDefinitionValueFunc func,
                             gpointer user_data)
{
  const PenElementDefinition *element = defined->element;
  gboolean is_named = !g_str_equal (element->name, element->plugin->name);
  g_autofree char *group
      = g_strconcat (pen_element_kind_get_nick (element->kind), " ", element->plugin->name,
                     is_named ? " " : NULL, element->name, NULL);
  g_autoptr (GString) inputs = g_string_new (NULL);

  func (group, NULL, "", user_data);
  for (guint i = 0; i < element->n_inputs; i++)
    {
      const PenElementDefinition *input = pen_definition_get_element (self, element->inputs[i]);

      g_string_append_printf (inputs, "%s %s;", pen_element_kind_get_nick (input->kind),
                              input->name);
    }
  func (group, "from", inputs->str, user_data);
  for (guint i = 0; i < defined->n_values; i++)
    {
      const PenNamedValue *named = defined->values[i];
      g_autofree char *text = pen_value_dup_text (&named->value);
      g_autofree char *whole
          = g_strconcat (text, named->digest != NULL ? "\n" : NULL, named->digest, NULL);

      func (group, named->name, whole, user_data);
    }
}

/*
 * pen_definition_foreach_value:
 * @self: a definition
 * @func: what to call for each value
 * @user_data: for @func
 *
 * Threads: any
 */
void
pen_definition_foreach_value (const PenDefinition *self,
                              PenDefinitionValueFunc func,
                              gpointer user_data)
{
  pen_definition_tell_settings (self, func, user_data);
  for (guint i = 0; i < self->elements->len; i++)
    pen_definition_tell_element (self, g_ptr_array_index (self->elements, i), func, user_data);
}
