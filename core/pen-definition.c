/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A pipeline keyfile that was read and understood. Reading goes on behind a mistake as far as it
 * can, so that a file's mistakes are all told at once; a definition is made of a file that has
 * none. It holds the values of the properties and no element: each run makes its own.
 */

#include "config.h"

#include "pen-definition-private.h"
#include "pen-fleet.h"
#include "pen-suggest.h"
#include "pen-text-file.h"
#include "pen-value.h"

#include <errno.h>
#include <string.h>

#define FILE_SUFFIX ".pipeline"
/* The largest bundles of root certificates have less than 1 MiB. */
#define CONTENT_LIMIT_BYTES (8 * 1024 * 1024)

typedef struct
{
  PenElementDefinition element; /* what others see */
  GArray *values;               /* (element-type PenNamedValue) */
} PenDefinedElement;

typedef struct
{
  const char *name; /* of the property: static, as its class is */
  GValue value;
  char *digest; /* (nullable): of the file that it names, with PEN_PARAM_CONTENT */
} PenNamedValue;

struct _PenDefinition
{
  gatomicrefcount references;
  /* constant after it is loaded */
  char *path;
  PenPlace name_place; /* where the name stands; the file's beginning if it is the file's */
  PenSettings *settings;
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

static void
pen_defined_element_free (gpointer data)
{
  PenDefinedElement *self = data;

  g_free (self->element.name);
  g_free (self->element.inputs);
  g_array_unref (self->values);
  g_free (self);
}

static PenDefinedElement *
pen_defined_element_new (const PenDraft *draft)
{
  PenDefinedElement *self = g_new0 (PenDefinedElement, 1);

  self->element.kind = draft->kind;
  self->element.name = g_strdup (draft->name);
  self->element.plugin = draft->plugin;
  self->element.n_inputs = draft->inputs->len;
  self->element.inputs = g_memdup2 (draft->inputs->data, draft->inputs->len * sizeof (guint));
  self->element.line = draft->group->place.line;
  self->values = g_array_new (FALSE, TRUE, sizeof (PenNamedValue));
  g_array_set_clear_func (self->values, pen_named_value_clear);
  for (guint i = 0; i < draft->values->len; i++)
    {
      const PenKeyValue *value = &g_array_index (draft->values, PenKeyValue, i);
      PenNamedValue named = { .name = value->pspec->name };

      if (!G_IS_VALUE (&value->value))
        continue;
      g_value_init (&named.value, G_VALUE_TYPE (&value->value));
      g_value_copy (&value->value, &named.value);
      named.digest = pen_named_value_digest (value);
      g_array_append_val (self->values, named);
    }
  return self;
}

static void
pen_claim_free (gpointer data)
{
  PenClaim *self = data;

  g_free (self->what);
  g_free (self->shown);
  g_free (self->why);
  g_free (self);
}

static void
pen_held_interest_free (gpointer data)
{
  PenHeldInterest *self = data;

  g_free ((char *) self->interest.where);
  g_free ((char *) self->interest.what);
  g_free ((char *) self->interest.prefix);
  g_free ((char *) self->interest.why);
  g_free (self->shown);
  g_free (self);
}

static void
pen_loader_init (PenLoader *self, const char *path, PenRegistry *registry, PenReport *report)
{
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);

  *self = (PenLoader){ .path = path, .registry = registry, .report = report };
  self->folder = g_path_get_dirname (absolute);
  self->drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_draft_free);
  self->claims = g_ptr_array_new_with_free_func (pen_claim_free);
  self->interests = g_ptr_array_new_with_free_func (pen_held_interest_free);
}

static void
pen_loader_clear (PenLoader *self)
{
  g_free (self->folder);
  g_ptr_array_unref (self->drafts);
  g_ptr_array_unref (self->claims);
  g_ptr_array_unref (self->interests);
  g_clear_pointer (&self->settings, pen_draft_free);
  g_clear_pointer (&self->substitution, pen_substitution_free);
  g_clear_pointer (&self->keyfile, pen_keyfile_free);
}

/* The name that the file has, without its ending. */
static char *
pen_loader_get_file_name (const PenLoader *self)
{
  char *name = g_path_get_basename (self->path);

  if (g_str_has_suffix (name, FILE_SUFFIX))
    name[strlen (name) - strlen (FILE_SUFFIX)] = '\0';
  return name;
}

/* The settings with a name in any case; @place is where the name stands. */
static PenSettings *
pen_loader_make_settings (PenLoader *self, PenPlace *place)
{
  PenSettings *settings = pen_settings_new ();
  const PenKeyValue *name = pen_draft_find_value (self->settings, "name");
  g_autofree char *quoted = NULL;

  *place = pen_draft_get_place (self->settings);
  pen_key_values_apply (self->settings->values, G_OBJECT (settings));
  if (name != NULL)
    *place = name->entry->value_place;
  /* not set, faulty, or only known on the target machine */
  if (name == NULL || !G_IS_VALUE (&name->value))
    {
      g_autofree char *file_name = pen_loader_get_file_name (self);

      g_object_set (settings, "name", file_name, NULL);
    }
  if (pen_name_is_valid (pen_settings_get_name (settings))
      || (name != NULL && !G_IS_VALUE (&name->value)))
    return settings;
  quoted = pen_quote (pen_settings_get_name (settings));
  if (name != NULL)
    pen_report_error (self->report, *place, "%s is not a name; " PEN_NAME_RULE, quoted);
  else
    pen_report_error (self->report, *place,
                      "the pipeline takes its name from the file, and %s is not a name; set "
                      "name= in [pipeline]; " PEN_NAME_RULE,
                      quoted);
  return settings;
}

static PenDefinition *
pen_definition_new (const PenLoader *loader, PenSettings *settings, PenPlace name_place)
{
  PenDefinition *self = g_new0 (PenDefinition, 1);

  g_atomic_ref_count_init (&self->references);
  self->path = g_strdup (loader->path);
  self->settings = settings;
  self->name_place = name_place;
  self->claims = g_ptr_array_ref (loader->claims);
  self->interests = g_ptr_array_ref (loader->interests);
  self->elements = g_ptr_array_new_with_free_func (pen_defined_element_free);
  for (guint i = 0; i < loader->drafts->len; i++)
    g_ptr_array_add (self->elements,
                     pen_defined_element_new (g_ptr_array_index (loader->drafts, i)));
  return self;
}

static PenDefinition *
pen_loader_run (PenLoader *self, const char *text, gsize length, GPtrArray *diagnostics)
{
  gboolean wants_environment = (self->flags & PEN_DEFINITION_NO_ENVIRONMENT) == 0;
  g_autoptr (PenSettings) settings = NULL;
  PenPlace name_place = { 1, 1 };

  self->substitution = pen_substitution_new (self->folder, wants_environment, self->report);
  self->keyfile = pen_keyfile_scan (text, length, self->report);
  self->is_incomplete = self->keyfile->is_incomplete;
  pen_loader_read_groups (self);
  pen_loader_read_keys (self);
  settings = pen_loader_make_settings (self, &name_place);
  self->name = pen_settings_get_name (settings);
  pen_loader_read_flow (self);
  pen_loader_check_elements (self);
  if (!pen_report_finish (self->report, diagnostics))
    return NULL;
  return pen_definition_new (self, g_steal_pointer (&settings), name_place);
}

/*
 * pen_definition_parse:
 * @path: what the text's file is called, or would be
 * @text: (array length=length): the text of a keyfile
 * @length: its bytes
 * @registry: where plugins are found
 * @flags: what to leave out
 * @diagnostics: (element-type PenDiagnostic): what all findings are appended to, in the order of
 *   lines
 *
 * Returns: (transfer full) (nullable): the definition, or %NULL if there is any error
 *
 * Threads: any
 */
PenDefinition *
pen_definition_parse (const char *path,
                      const char *text,
                      gsize length,
                      PenRegistry *registry,
                      PenDefinitionFlags flags,
                      GPtrArray *diagnostics)
{
  PenDefinition *definition;
  PenReport report;
  PenLoader loader;

  pen_report_init (&report, path);
  pen_loader_init (&loader, path, registry, &report);
  loader.flags = flags;
  definition = pen_loader_run (&loader, text, length, diagnostics);
  pen_loader_clear (&loader);
  return definition;
}

/*
 * pen_definition_load:
 * @path: a keyfile
 * @registry: where plugins are found
 * @flags: what to leave out
 * @diagnostics: (element-type PenDiagnostic): what all findings are appended to, in the order of
 *   lines
 *
 * Returns: (transfer full) (nullable): the definition, or %NULL if there is any error
 *
 * Threads: any
 */
PenDefinition *
pen_definition_load (const char *path,
                     PenRegistry *registry,
                     PenDefinitionFlags flags,
                     GPtrArray *diagnostics)
{
  g_autoptr (GError) error = NULL;
  struct stat status = { 0 };
  g_autoptr (GString) text
      = pen_text_file_read (path, PEN_KEYFILE_MAX_BYTES, PEN_TEXT_FILE_FIFO, &status, &error);
  PenDefinition *definition = NULL;
  PenReport report;
  PenLoader loader;

  pen_report_init (&report, path);
  if (text == NULL)
    {
      pen_report_error (&report, (PenPlace){ 0, 0 }, "cannot be read: %s", error->message);
      pen_report_finish (&report, diagnostics);
      return NULL;
    }
  pen_loader_init (&loader, path, registry, &report);
  loader.flags = flags;
  loader.mode = S_ISREG (status.st_mode) ? status.st_mode : 0;
  definition = pen_loader_run (&loader, text->str, text->len, diagnostics);
  pen_loader_clear (&loader);
  return definition;
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
  g_ptr_array_unref (self->claims);
  g_ptr_array_unref (self->interests);
  g_object_unref (self->settings);
  g_free (self->path);
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

  return &defined->element;
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
  GObject *element = g_object_new (defined->element.plugin->type, NULL);

  for (guint i = 0; i < defined->values->len; i++)
    {
      const PenNamedValue *named = &g_array_index (defined->values, PenNamedValue, i);

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
  if (a->element.kind != b->element.kind || a->element.plugin != b->element.plugin
      || !g_str_equal (a->element.name, b->element.name)
      || a->element.n_inputs != b->element.n_inputs || a->values->len != b->values->len)
    return FALSE;
  for (guint i = 0; i < a->element.n_inputs; i++)
    if (a->element.inputs[i] != b->element.inputs[i])
      return FALSE;
  for (guint i = 0; i < a->values->len; i++)
    {
      const PenNamedValue *first = &g_array_index (a->values, PenNamedValue, i);
      const PenNamedValue *second = &g_array_index (b->values, PenNamedValue, i);

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
  const PenElementDefinition *element = &defined->element;
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
  for (guint i = 0; i < defined->values->len; i++)
    {
      const PenNamedValue *named = &g_array_index (defined->values, PenNamedValue, i);
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

static void
pen_definition_tell (GPtrArray *diagnostics, const char *path, PenPlace place, char *message)
{
  PenReport report;

  pen_report_init (&report, path);
  pen_report_error (&report, place, "%s", message);
  pen_report_finish (&report, diagnostics);
  g_free (message);
}

static int
pen_definition_compare_paths (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* The keyfiles of a folder, not those of its subfolders; or NULL if it could not be read. */
static GPtrArray *
pen_definition_list_folder (const char *folder, GPtrArray *diagnostics)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &error);
  const char *name;

  if (dir == NULL)
    {
      pen_definition_tell (diagnostics, folder, (PenPlace){ 0, 0 },
                           g_strdup_printf ("cannot be read: %s", error->message));
      return NULL;
    }
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (name[0] != '.' && g_str_has_suffix (name, FILE_SUFFIX)
          && !g_file_test (path, G_FILE_TEST_IS_DIR))
        g_ptr_array_add (paths, g_steal_pointer (&path));
    }
  if (paths->len == 0)
    {
      pen_definition_tell (diagnostics, folder, (PenPlace){ 0, 0 },
                           g_strdup ("this folder has no *" FILE_SUFFIX " files"));
      return NULL;
    }
  g_ptr_array_sort (paths, pen_definition_compare_paths);
  return g_steal_pointer (&paths);
}

/* Loads one file into @definitions; FALSE if it is faulty. */
static gboolean
pen_definition_load_into (GPtrArray *definitions,
                          PenFleet *fleet,
                          const char *path,
                          PenRegistry *registry,
                          PenDefinitionFlags flags,
                          GPtrArray *diagnostics)
{
  g_autoptr (PenDefinition) definition = pen_definition_load (path, registry, flags, diagnostics);

  if (definition == NULL || !pen_fleet_add (fleet, definition, diagnostics))
    return FALSE;
  g_ptr_array_add (definitions, g_steal_pointer (&definition));
  return TRUE;
}

/*
 * pen_definition_load_all:
 * @paths: (array zero-terminated=1): keyfiles, and folders of keyfiles
 * @registry: where plugins are found
 * @flags: what to leave out
 * @diagnostics: (element-type PenDiagnostic): what all findings are appended to, file by file
 * @n_faulty: (out): how many files have errors, folders that cannot be read among them
 *
 * One faulty file does not stop the others.
 *
 * Returns: (transfer full) (element-type PenDefinition): all that are good
 *
 * Threads: any
 */
GPtrArray *
pen_definition_load_all (const char *const *paths,
                         PenRegistry *registry,
                         PenDefinitionFlags flags,
                         GPtrArray *diagnostics,
                         guint *n_faulty)
{
  GPtrArray *definitions = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_definition_unref);
  g_autoptr (PenFleet) fleet = pen_fleet_new ();

  *n_faulty = 0;
  for (guint i = 0; paths[i] != NULL; i++)
    {
      g_autoptr (GPtrArray) files = NULL;

      if (g_file_test (paths[i], G_FILE_TEST_IS_DIR))
        files = pen_definition_list_folder (paths[i], diagnostics);
      else
        {
          files = g_ptr_array_new_with_free_func (g_free);
          g_ptr_array_add (files, g_strdup (paths[i]));
        }
      if (files == NULL)
        *n_faulty += 1;
      for (guint j = 0; files != NULL && j < files->len; j++)
        *n_faulty += pen_definition_load_into (definitions, fleet, g_ptr_array_index (files, j),
                                               registry, flags, diagnostics)
                         ? 0
                         : 1;
    }
  return definitions;
}
