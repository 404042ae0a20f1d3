/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Chooses, renames and casts the fields of events: one event in, at most one out. What is not cast
 * is copied byte for byte.
 */

#include "config.h"

#include "pen-select-transform.h"

#include "pen-select-field.h"

#include <string.h>

#define DEFAULT_MISSING PEN_SELECT_SKIP
#define DEFAULT_INVALID PEN_SELECT_REJECT

/* Of a value, in a message. */
#define MAX_SHOWN 64

struct _PenSelectTransform
{
  PenTransform parent_instance;

  /* constant after start */
  char **fields;
  char **set;
  char **drop;
  char **require;
  gboolean rest;
  PenSelectFallback missing;
  PenSelectFallback invalid;
  GPtrArray *chosen;   /* of PenSelectField; NULL until it starts */
  GPtrArray *dropped;  /* of PenJsonPath */
  GPtrArray *required; /* of PenJsonPath */
  GHashTable *taken;   /* names of members that the rest does not have */

  /* lane */
  GString *value;  /* of what is set */
  GString *quoted; /* the same as JSON */
};

enum
{
  PROP_0,
  PROP_FIELDS,
  PROP_SET,
  PROP_REST,
  PROP_DROP,
  PROP_REQUIRE,
  PROP_MISSING,
  PROP_INVALID,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (PenSelectTransform, pen_select_transform, PEN_TYPE_TRANSFORM)

static GType
pen_select_missing_get_type (void)
{
  static const GEnumValue values[] = {
    { PEN_SELECT_SKIP, "PEN_SELECT_SKIP", "skip" },
    { PEN_SELECT_NULL, "PEN_SELECT_NULL", "null" },
    { PEN_SELECT_REJECT, "PEN_SELECT_REJECT", "reject" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenSelectFallback", values));
  return type;
}

/* --- What the properties mean --- */

typedef struct
{
  PenSelectTransform *self;
  void (*report) (const char *property, const char *message, gpointer user_data);
  gpointer user_data;
  gboolean is_bad;
} PenSelectReader;

static void G_GNUC_PRINTF (3, 4) pen_select_reader_report (PenSelectReader *reader,
                                                           const char *property,
                                                           const char *format,
                                                           ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  reader->is_bad = TRUE;
  reader->report (property, message, reader->user_data);
}

static void
pen_select_reader_add_fields (PenSelectReader *reader,
                              const char *property,
                              char **texts,
                              PenSelectField *(*read) (const char *text, GError **error))
{
  for (; texts != NULL && *texts != NULL; texts++)
    {
      g_autoptr (GError) error = NULL;
      PenSelectField *field = read (*texts, &error);

      if (field == NULL)
        {
          pen_select_reader_report (reader, property, "%s", error->message);
          continue;
        }
      g_ptr_array_add (reader->self->chosen, field);
      if (!g_hash_table_add (reader->self->taken, g_strdup (field->name)))
        pen_select_reader_report (reader, property,
                                  "two members would be called '%s'; give one another name with "
                                  "' as NAME'",
                                  field->name);
    }
}

static GPtrArray *
pen_select_reader_read_paths (PenSelectReader *reader, const char *property, char **texts)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_json_path_free);

  for (; texts != NULL && *texts != NULL; texts++)
    {
      g_autoptr (GError) error = NULL;
      PenJsonPath *path = pen_json_path_new (*texts, &error);

      if (path != NULL)
        g_ptr_array_add (paths, path);
      else
        pen_select_reader_report (reader, property, "%s", error->message);
    }
  return paths;
}

static void
pen_select_transform_forget (PenSelectTransform *self)
{
  g_clear_pointer (&self->chosen, g_ptr_array_unref);
  g_clear_pointer (&self->dropped, g_ptr_array_unref);
  g_clear_pointer (&self->required, g_ptr_array_unref);
  g_clear_pointer (&self->taken, g_hash_table_unref);
}

static void
pen_select_reader_read (PenSelectReader *reader)
{
  PenSelectTransform *self = reader->self;

  pen_select_transform_forget (self);
  self->chosen = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_select_field_free);
  self->taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  pen_select_reader_add_fields (reader, "fields", self->fields, pen_select_field_new);
  pen_select_reader_add_fields (reader, "set", self->set, pen_select_field_new_set);
  self->dropped = pen_select_reader_read_paths (reader, "drop", self->drop);
  self->required = pen_select_reader_read_paths (reader, "require", self->require);
  if (self->drop != NULL && self->drop[0] != NULL && !self->rest)
    pen_select_reader_report (reader, "drop",
                              "what is not chosen is dropped anyway; 'drop' goes with rest=true");
}

static void
pen_select_transform_report (const char *property, const char *message, gpointer user_data)
{
  pen_check_error (user_data, property, "%s", message);
}

static void
pen_select_transform_check (PenElement *element, PenCheck *check)
{
  PenSelectTransform *self = PEN_SELECT_TRANSFORM (element);
  PenSelectReader reader
      = { .self = self, .report = pen_select_transform_report, .user_data = check };

  pen_select_reader_read (&reader);
  if (!reader.is_bad && self->chosen->len == 0 && !self->rest)
    pen_check_error (check, NULL, "nothing is chosen; set 'fields' or 'set', or rest=true");
  pen_select_transform_forget (self);
}

static void
pen_select_transform_keep_first (const char *property, const char *message, gpointer user_data)
{
  char **first = user_data;

  if (*first == NULL)
    *first = g_strdup_printf ("%s: %s", property, message);
}

/* --- What becomes of an event --- */

static gboolean
pen_select_transform_refuse (const PenSelectField *field, const PenJsonSlice *value, GError **error)
{
  pen_element_set_error (
      error, PEN_ELEMENT_ERROR_REJECT, "bad_value", "'%s' cannot be %s: it is %.*s", field->text,
      pen_select_cast_describe (&field->cast), (int) MIN (value->length, MAX_SHOWN), value->text);
  return FALSE;
}

/* Writes one member. */
static gboolean
pen_select_transform_write (const PenSelectTransform *self,
                            const PenSelectField *field,
                            const char *name,
                            const PenJsonSlice *value,
                            PenJsonWriter *writer,
                            GError **error)
{
  PenJsonWriter before = *writer;
  gsize length = writer->text->len;

  pen_json_writer_key (writer, name);
  if (pen_select_cast_write (&field->cast, value, writer))
    return TRUE;
  if (self->invalid == PEN_SELECT_REJECT)
    return pen_select_transform_refuse (field, value, error);
  if (self->invalid == PEN_SELECT_NULL)
    {
      pen_json_writer_null (writer);
      return TRUE;
    }
  /* as if the key had never been there */
  g_string_truncate (writer->text, length);
  *writer = before;
  return TRUE;
}

static gboolean
pen_select_transform_write_missing (const PenSelectTransform *self,
                                    const PenSelectField *field,
                                    PenJsonWriter *writer,
                                    GError **error)
{
  if (self->missing == PEN_SELECT_REJECT)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "missing_field",
                             "the event has nothing for '%s'", field->text);
      return FALSE;
    }
  if (self->missing == PEN_SELECT_NULL && !field->is_spread)
    {
      pen_json_writer_key (writer, field->name);
      pen_json_writer_null (writer);
    }
  return TRUE;
}

static gboolean
pen_select_transform_spread (const PenSelectTransform *self,
                             const PenSelectField *field,
                             const PenJson *json,
                             PenJsonNode array,
                             PenJsonWriter *writer,
                             GError **error)
{
  guint index = 0;

  for (PenJsonNode node = pen_json_get_first_child (json, array); node != PEN_JSON_NO_NODE;
       node = pen_json_get_next_sibling (json, node))
    {
      g_autofree char *name = pen_select_field_expand_name (field, index++);
      PenJsonSlice value;

      pen_json_get_slice (json, node, &value);
      if (!pen_select_transform_write (self, field, name, &value, writer, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
pen_select_transform_write_chosen (const PenSelectTransform *self,
                                   const PenSelectField *field,
                                   const PenJson *json,
                                   PenJsonWriter *writer,
                                   GError **error)
{
  PenJsonNode node = pen_json_path_find (field->path, json);
  PenJsonSlice value;

  if (node == PEN_JSON_NO_NODE
      || (field->is_spread && pen_json_get_node_type (json, node) != PEN_JSON_ARRAY))
    return pen_select_transform_write_missing (self, field, writer, error);
  if (field->is_spread)
    return pen_select_transform_spread (self, field, json, node, writer, error);
  pen_json_get_slice (json, node, &value);
  return pen_select_transform_write (self, field, field->name, &value, writer, error);
}

static gboolean
pen_select_transform_write_set (const PenSelectTransform *self,
                                const PenSelectField *field,
                                const PenEvent *event,
                                PenJsonWriter *writer,
                                GError **error)
{
  PenJsonWriter quoting;
  PenJsonSlice value;

  g_string_truncate (self->value, 0);
  g_string_truncate (self->quoted, 0);
  if (!pen_select_template_expand (field->template, event, self->value))
    return pen_select_transform_write_missing (self, field, writer, error);
  pen_json_writer_init (&quoting, self->quoted);
  pen_json_writer_string (&quoting, self->value->str, (gssize) self->value->len);
  value = (PenJsonSlice){ .text = self->quoted->str,
                          .length = self->quoted->len,
                          .type = PEN_JSON_STRING,
                          .escaped = strchr (self->quoted->str, '\\') != NULL };
  return pen_select_transform_write (self, field, field->name, &value, writer, error);
}

/* --- The rest --- */

/* The values that are left out, in the order of the text. */
static GArray *
pen_select_transform_find_dropped (const PenSelectTransform *self, const PenJson *json)
{
  GArray *nodes = g_array_new (FALSE, FALSE, sizeof (PenJsonNode));

  for (guint i = 0; i < self->dropped->len; i++)
    {
      PenJsonNode node = pen_json_path_find (g_ptr_array_index (self->dropped, i), json);

      if (node != PEN_JSON_NO_NODE)
        g_array_append_val (nodes, node);
    }
  for (guint i = 0; i < self->chosen->len; i++)
    {
      const PenSelectField *field = g_ptr_array_index (self->chosen, i);
      PenJsonNode node
          = field->path != NULL ? pen_json_path_find (field->path, json) : PEN_JSON_NO_NODE;

      if (node != PEN_JSON_NO_NODE)
        g_array_append_val (nodes, node);
    }
  return nodes;
}

/* Whether @node is one of those, or, with @within, has one inside. */
static gboolean
pen_select_is_dropped (const PenJson *json, PenJsonNode node, const GArray *nodes, gboolean within)
{
  PenJsonSlice outer;

  pen_json_get_slice (json, node, &outer);
  for (guint i = 0; i < nodes->len; i++)
    {
      PenJsonNode dropped = g_array_index (nodes, PenJsonNode, i);
      PenJsonSlice inner;

      pen_json_get_slice (json, dropped, &inner);
      if (within ? inner.text > outer.text && inner.text < outer.text + outer.length
                 : dropped == node)
        return TRUE;
    }
  return FALSE;
}

/* Copies a value without what is dropped of it; nesting is bounded by the document. */
static void
pen_select_copy (const PenJson *json, PenJsonNode node, const GArray *nodes, PenJsonWriter *writer)
{
  PenJsonSlice slice;
  PenJsonSlice key;
  gboolean is_object = pen_json_get_node_type (json, node) == PEN_JSON_OBJECT;

  pen_json_get_slice (json, node, &slice);
  if (!pen_select_is_dropped (json, node, nodes, TRUE))
    {
      pen_json_writer_raw (writer, slice.text, slice.length);
      return;
    }
  if (is_object)
    pen_json_writer_begin_object (writer);
  else
    pen_json_writer_begin_array (writer);
  for (PenJsonNode child = pen_json_get_first_child (json, node); child != PEN_JSON_NO_NODE;
       child = pen_json_get_next_sibling (json, child))
    {
      if (pen_select_is_dropped (json, child, nodes, FALSE))
        continue;
      if (pen_json_get_key (json, child, &key))
        pen_json_writer_raw_key (writer, key.text, key.length);
      pen_select_copy (json, child, nodes, writer);
    }
  if (is_object)
    pen_json_writer_end_object (writer);
  else
    pen_json_writer_end_array (writer);
}

static void
pen_select_transform_write_rest (const PenSelectTransform *self,
                                 const PenJson *json,
                                 PenJsonWriter *writer)
{
  g_autoptr (GArray) nodes = pen_select_transform_find_dropped (self, json);
  PenJsonSlice key;

  for (PenJsonNode node = pen_json_get_first_child (json, 0); node != PEN_JSON_NO_NODE;
       node = pen_json_get_next_sibling (json, node))
    {
      gsize length = 0;
      g_autofree char *name = NULL;

      if (pen_select_is_dropped (json, node, nodes, FALSE) || !pen_json_get_key (json, node, &key))
        continue;
      name = pen_json_slice_decode (&key, &length);
      if (strlen (name) == length && g_hash_table_contains (self->taken, name))
        continue;
      pen_json_writer_raw_key (writer, key.text, key.length);
      pen_select_copy (json, node, nodes, writer);
    }
}

/* --- The whole --- */

static gboolean
pen_select_transform_has_required (const PenSelectTransform *self, const PenJson *json)
{
  for (guint i = 0; i < self->required->len; i++)
    {
      PenJsonNode node = pen_json_path_find (g_ptr_array_index (self->required, i), json);

      if (pen_json_get_node_type (json, node) == PEN_JSON_NULL)
        return FALSE;
    }
  return TRUE;
}

static gboolean
pen_select_transform_write_object (const PenSelectTransform *self,
                                   const PenJson *json,
                                   const PenEvent *event,
                                   GString *text,
                                   GError **error)
{
  PenJsonWriter writer;

  pen_json_writer_init (&writer, text);
  pen_json_writer_begin_object (&writer);
  if (self->rest)
    pen_select_transform_write_rest (self, json, &writer);
  for (guint i = 0; i < self->chosen->len; i++)
    {
      const PenSelectField *field = g_ptr_array_index (self->chosen, i);

      if (field->path != NULL
              ? !pen_select_transform_write_chosen (self, field, json, &writer, error)
              : !pen_select_transform_write_set (self, field, event, &writer, error))
        return FALSE;
    }
  pen_json_writer_end_object (&writer);
  return TRUE;
}

static PenJson *
pen_select_transform_parse (const PenSelectTransform *self, PenEvent *event, GError **error)
{
  g_autoptr (GError) reason = NULL;
  PenJson *json = pen_event_get_json (event, &reason);

  if (json == NULL)
    pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT,
                           g_error_matches (reason, PEN_JSON_ERROR, PEN_JSON_ERROR_TOO_DEEP)
                               ? "too_deep"
                               : "invalid_json",
                           "%s", reason->message);
  else if (self->rest && pen_json_get_node_type (json, 0) != PEN_JSON_OBJECT)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "not_object",
                             "the payload is no JSON object, of which the rest could be kept");
      return NULL;
    }
  return json;
}

static gboolean
pen_select_transform_process (PenTransform *transform,
                              PenEvent *event,
                              PenOutput *output,
                              GError **error)
{
  PenSelectTransform *self = PEN_SELECT_TRANSFORM (transform);
  PenJson *json = pen_select_transform_parse (self, event, error);
  g_autoptr (GString) text = NULL;
  g_autoptr (GBytes) payload = NULL;

  if (json == NULL)
    return FALSE;
  if (!pen_select_transform_has_required (self, json))
    {
      pen_output_drop (output, "required");
      return TRUE;
    }
  text = g_string_sized_new (256);
  if (!pen_select_transform_write_object (self, json, event, text, error))
    return FALSE;
  if (text->len == strlen ("{}"))
    {
      pen_output_drop (output, "empty");
      return TRUE;
    }
  payload = g_string_free_to_bytes (g_steal_pointer (&text));
  pen_output_push (output, pen_event_derive (event, payload));
  return TRUE;
}

static gboolean
pen_select_transform_start (PenElement *element, GError **error)
{
  PenSelectTransform *self = PEN_SELECT_TRANSFORM (element);
  g_autofree char *first = NULL;
  PenSelectReader reader
      = { .self = self, .report = pen_select_transform_keep_first, .user_data = &first };

  pen_select_reader_read (&reader);
  if (reader.is_bad)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "bad_property", "%s", first);
      return FALSE;
    }
  self->value = g_string_new (NULL);
  self->quoted = g_string_new (NULL);
  return TRUE;
}

static void
pen_select_transform_stop (PenElement *element)
{
  PenSelectTransform *self = PEN_SELECT_TRANSFORM (element);

  pen_select_transform_forget (self);
  if (self->value != NULL)
    g_string_free (g_steal_pointer (&self->value), TRUE);
  if (self->quoted != NULL)
    g_string_free (g_steal_pointer (&self->quoted), TRUE);
}

static void
pen_select_transform_finalize (GObject *object)
{
  PenSelectTransform *self = PEN_SELECT_TRANSFORM (object);

  pen_select_transform_stop (PEN_ELEMENT (object));
  g_strfreev (self->fields);
  g_strfreev (self->set);
  g_strfreev (self->drop);
  g_strfreev (self->require);
  G_OBJECT_CLASS (pen_select_transform_parent_class)->finalize (object);
}

/* --- Properties --- */

/* The list of a property, or NULL. */
static char ***
pen_select_transform_get_list (PenSelectTransform *self, guint id)
{
  switch (id)
    {
    case PROP_FIELDS:
      return &self->fields;
    case PROP_SET:
      return &self->set;
    case PROP_DROP:
      return &self->drop;
    case PROP_REQUIRE:
      return &self->require;
    default:
      return NULL;
    }
}

static void
pen_select_transform_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PenSelectTransform *self = PEN_SELECT_TRANSFORM (object);
  char ***list = pen_select_transform_get_list (self, id);

  if (list != NULL)
    g_value_set_boxed (value, *list);
  else if (id == PROP_REST)
    g_value_set_boolean (value, self->rest);
  else if (id == PROP_MISSING)
    g_value_set_enum (value, (gint) self->missing);
  else if (id == PROP_INVALID)
    g_value_set_enum (value, (gint) self->invalid);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
pen_select_transform_set_property (GObject *object,
                                   guint id,
                                   const GValue *value,
                                   GParamSpec *pspec)
{
  PenSelectTransform *self = PEN_SELECT_TRANSFORM (object);
  char ***list = pen_select_transform_get_list (self, id);

  if (list != NULL)
    {
      g_strfreev (*list);
      *list = g_value_dup_boxed (value);
    }
  else if (id == PROP_REST)
    self->rest = g_value_get_boolean (value);
  else if (id == PROP_MISSING)
    self->missing = (PenSelectFallback) g_value_get_enum (value);
  else if (id == PROP_INVALID)
    self->invalid = (PenSelectFallback) g_value_get_enum (value);
  else
    {
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return;
    }
  g_object_notify_by_pspec (object, pspec);
}

static void
pen_select_transform_install_properties (GObjectClass *object_class)
{
  properties[PROP_FIELDS] = g_param_spec_boxed (
      "fields", NULL,
      "What the result has: paths such as meta.lat or phases[0], with :TYPE and ' as NAME' behind "
      "them if wanted; phases[*] makes a member of each element",
      G_TYPE_STRV, PEN_PARAM_DEFAULTS);
  properties[PROP_SET] = g_param_spec_boxed (
      "set", NULL,
      "What it has besides: NAME=TEXT or NAME:TYPE=TEXT, with {topic}, {topic:N} and {arrival} in "
      "the text filled in",
      G_TYPE_STRV, PEN_PARAM_DEFAULTS);
  properties[PROP_REST] = g_param_spec_boolean (
      "rest", NULL, "Whether what is not chosen stays as it is, before what is chosen", FALSE,
      PEN_PARAM_DEFAULTS);
  properties[PROP_DROP] = g_param_spec_boxed (
      "drop", NULL, "Paths of what the rest is kept without", G_TYPE_STRV, PEN_PARAM_DEFAULTS);
  properties[PROP_REQUIRE] = g_param_spec_boxed (
      "require", NULL, "Paths without which, or with null there, an event is dropped", G_TYPE_STRV,
      PEN_PARAM_DEFAULTS);
  properties[PROP_MISSING] = g_param_spec_enum (
      "missing", NULL,
      "What is done about a field that is not there: skip the member, make it null, or reject the "
      "event",
      pen_select_missing_get_type (), (gint) DEFAULT_MISSING, PEN_PARAM_DEFAULTS);
  properties[PROP_INVALID] = g_param_spec_enum (
      "invalid", NULL,
      "What is done about a value that cannot be of the type: skip the member, make it null, or "
      "reject the event",
      pen_select_missing_get_type (), (gint) DEFAULT_INVALID, PEN_PARAM_DEFAULTS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
pen_select_transform_class_init (PenSelectTransformClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  PenElementClass *element_class = PEN_ELEMENT_CLASS (class);

  object_class->get_property = pen_select_transform_get_property;
  object_class->set_property = pen_select_transform_set_property;
  object_class->finalize = pen_select_transform_finalize;
  element_class->check = pen_select_transform_check;
  element_class->start = pen_select_transform_start;
  element_class->stop = pen_select_transform_stop;
  PEN_TRANSFORM_CLASS (class)->process = pen_select_transform_process;
  pen_select_transform_install_properties (object_class);
}

static void
pen_select_transform_init (PenSelectTransform *self)
{
  self->missing = DEFAULT_MISSING;
  self->invalid = DEFAULT_INVALID;
}

PEN_PLUGIN_DEFINE ("select",
                   "Chooses, renames and casts the fields of events",
                   PACKAGE_VERSION,
                   "LGPL-2.1-or-later",
                   "transforms/select/README.md",
                   pen_select_transform_get_type)
