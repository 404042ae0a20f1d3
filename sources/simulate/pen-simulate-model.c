/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All that one event is made from. Each entry has random numbers of its own, seeded by its key, so
 * that an entry more or less changes nothing for the others.
 */

#include "config.h"

#include "pen-simulate-model.h"

#include "pen-simulate-field.h"
#include "pen-simulate-template.h"

#include <string.h>

#define MAX_PLACES 256

/* One entry, or all that there is without items. */
typedef struct
{
  PenSimulateRandom random;
  PenSimulateState *states;  /* by field */
  PenSimulateValue *members; /* by place */
} PenSimulateInstance;

struct _PenSimulateModel
{
  GPtrArray *fields;    /* of PenSimulateField */
  GPtrArray *places;    /* of char *: what is taken from an item: "item", "item.unit" */
  GPtrArray *instances; /* of PenSimulateInstance */
  PenSimulateTemplate *template;
  PenSimulateTemplate *topic;
  PenSimulateItems *items;
  gboolean has_items;
  gboolean is_json;
  PenSimulateValue *values;         /* by field: of the event that is being made */
  const PenSimulateValue **visible; /* by position: fields, then places */
  GString *topic_text;
};

static PenSimulateValue *
pen_simulate_values_new (guint n_values)
{
  PenSimulateValue *values = g_new0 (PenSimulateValue, n_values);

  for (guint i = 0; i < n_values; i++)
    values[i].text = g_string_new (NULL);
  return values;
}

static void
pen_simulate_values_free (PenSimulateValue *values, guint n_values)
{
  for (guint i = 0; values != NULL && i < n_values; i++)
    g_string_free (values[i].text, TRUE);
  g_free (values);
}

static void
pen_simulate_model_free_instance (PenSimulateModel *self, PenSimulateInstance *instance)
{
  for (guint i = 0; i < self->fields->len; i++)
    pen_simulate_state_clear (&instance->states[i]);
  g_free (instance->states);
  pen_simulate_values_free (instance->members, self->places->len);
  g_free (instance);
}

static void
pen_simulate_model_clear_instances (PenSimulateModel *self)
{
  for (guint i = 0; i < self->instances->len; i++)
    pen_simulate_model_free_instance (self, g_ptr_array_index (self->instances, i));
  g_ptr_array_set_size (self->instances, 0);
}

void
pen_simulate_model_free (PenSimulateModel *self)
{
  pen_simulate_model_clear_instances (self);
  if (self->fields != NULL)
    pen_simulate_values_free (self->values, self->fields->len);
  g_clear_pointer (&self->fields, g_ptr_array_unref);
  g_ptr_array_unref (self->places);
  g_ptr_array_unref (self->instances);
  g_clear_pointer (&self->template, pen_simulate_template_free);
  g_clear_pointer (&self->topic, pen_simulate_template_free);
  g_clear_pointer (&self->items, pen_simulate_items_free);
  g_free (self->visible);
  g_string_free (self->topic_text, TRUE);
  g_free (self);
}

static char *
pen_simulate_model_list_fields (const PenSimulateModel *self)
{
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < self->fields->len; i++)
    g_string_append_printf (list, "%s{%s}", i == 0 ? "" : ", ",
                            pen_simulate_field_get_name (g_ptr_array_index (self->fields, i)));
  if (self->has_items)
    g_string_append_printf (list, "%s{item}, {item.MEMBER}", list->len > 0 ? ", " : "");
  return g_string_free (list, FALSE);
}

/* Fields come first, then what is taken from an item, in the order in which it is met. */
static int
pen_simulate_model_resolve (const char *name, gpointer user_data, GError **error)
{
  PenSimulateModel *self = user_data;
  int index = pen_simulate_fields_find (self->fields, name);
  g_autofree char *list = NULL;
  guint place;

  if (index >= 0)
    return index;
  if (!pen_simulate_items_is_place (name) || !self->has_items)
    {
      list = pen_simulate_model_list_fields (self);
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                             pen_simulate_items_is_place (name)
                                 ? "'{%s}' is taken from an entry of items-file, which is not set%s"
                                 : "there is no field for '{%s}'; there are %s",
                             name, pen_simulate_items_is_place (name) ? "" : list);
      return -1;
    }
  if (!g_ptr_array_find_with_equal_func (self->places, name, g_str_equal, &place))
    {
      place = self->places->len;
      if (place == MAX_PLACES)
        {
          pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                                 "more than %d different members of items are used", MAX_PLACES);
          return -1;
        }
      g_ptr_array_add (self->places, g_strdup (name));
    }
  return (int) (self->fields->len + place);
}

/* {"a":{a},"b":{b}} */
static char *
pen_simulate_model_make_template (const PenSimulateModel *self)
{
  GString *text = g_string_new ("{");

  for (guint i = 0; i < self->fields->len; i++)
    {
      const char *name = pen_simulate_field_get_name (g_ptr_array_index (self->fields, i));

      g_string_append_printf (text, "%s\"%s\":{%s}", i > 0 ? "," : "", name, name);
    }
  g_string_append_c (text, '}');
  return g_string_free (text, FALSE);
}

static gboolean
pen_simulate_model_parse (PenSimulateModel *self,
                          const PenSimulateSettings *settings,
                          const char **property,
                          GError **error)
{
  g_autofree char *text = NULL;

  *property = "fields";
  self->fields = pen_simulate_fields_parse (settings->fields, error);
  if (self->fields == NULL)
    return FALSE;
  for (guint i = 0; i < self->fields->len && !self->has_items; i++)
    {
      const PenSimulateField *field = g_ptr_array_index (self->fields, i);

      if (pen_simulate_field_needs_item (field))
        {
          pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                                 "'%s' takes arguments from an entry of items-file, which is not "
                                 "set",
                                 pen_simulate_field_get_name (field));
          return FALSE;
        }
    }
  *property = "template";
  text = settings->template != NULL ? g_strdup (settings->template)
                                    : pen_simulate_model_make_template (self);
  self->template
      = pen_simulate_template_new (text, self->is_json, pen_simulate_model_resolve, self, error);
  if (self->template == NULL)
    return FALSE;
  *property = "topic";
  if (settings->topic != NULL)
    self->topic = pen_simulate_template_new (settings->topic, FALSE, pen_simulate_model_resolve,
                                             self, error);
  return settings->topic == NULL || self->topic != NULL;
}

/* Whether the template gives JSON: tried with a number in every place. */
static gboolean
pen_simulate_model_try (PenSimulateModel *self, const char **property, GError **error)
{
  guint n_visible = self->fields->len + self->places->len;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GString) digit = g_string_new ("0");
  PenSimulateValue number = { .text = digit, .is_raw = TRUE };
  g_autoptr (GError) reason = NULL;

  for (guint i = 0; i < n_visible; i++)
    self->visible[i] = &number;
  pen_simulate_template_fill (self->template, self->visible, text);
  if (!self->is_json || pen_json_validate (text->str, text->len, &reason))
    return TRUE;
  *property = "template";
  pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                         "with numbers in its places this is not JSON: %s; format=text writes what "
                         "is no JSON",
                         reason->message);
  return FALSE;
}

PenSimulateModel *
pen_simulate_model_new (const PenSimulateSettings *settings, const char **property, GError **error)
{
  g_autoptr (PenSimulateModel) self = g_new0 (PenSimulateModel, 1);

  self->has_items = settings->has_items;
  self->is_json = settings->is_json;
  self->places = g_ptr_array_new_with_free_func (g_free);
  self->instances = g_ptr_array_new ();
  self->topic_text = g_string_new (NULL);
  if (!pen_simulate_model_parse (self, settings, property, error))
    return NULL;
  self->values = pen_simulate_values_new (self->fields->len);
  self->visible = g_new0 (const PenSimulateValue *, self->fields->len + self->places->len + 1);
  if (!pen_simulate_model_try (self, property, error))
    return NULL;
  return g_steal_pointer (&self);
}

static gboolean
pen_simulate_model_add_instance (PenSimulateModel *self,
                                 guint index,
                                 guint64 seed,
                                 const char **property,
                                 GError **error)
{
  PenSimulateInstance *instance = g_new0 (PenSimulateInstance, 1);
  const char *key = self->items != NULL ? pen_simulate_items_get_key (self->items, index) : "";

  pen_simulate_random_init (&instance->random, seed, key);
  instance->states = g_new0 (PenSimulateState, self->fields->len);
  instance->members = pen_simulate_values_new (self->places->len);
  g_ptr_array_add (self->instances, instance);
  *property = "fields";
  for (guint i = 0; i < self->fields->len; i++)
    {
      if (!pen_simulate_field_bind (g_ptr_array_index (self->fields, i), self->items, index,
                                    &instance->states[i], error))
        return FALSE;
    }
  *property = "items-file";
  for (guint i = 0; i < self->places->len; i++)
    {
      if (!pen_simulate_items_look_up (self->items, index, g_ptr_array_index (self->places, i),
                                       &instance->members[i], error))
        return FALSE;
    }
  return TRUE;
}

gboolean
pen_simulate_model_begin (PenSimulateModel *self,
                          PenSimulateItems *items,
                          guint64 seed,
                          const char **property,
                          GError **error)
{
  guint n_items = items != NULL ? pen_simulate_items_get_length (items) : 1;

  pen_simulate_model_clear_instances (self);
  g_clear_pointer (&self->items, pen_simulate_items_free);
  self->items = items;
  for (guint i = 0; i < n_items; i++)
    {
      if (!pen_simulate_model_add_instance (self, i, seed, property, error))
        return FALSE;
    }
  return TRUE;
}

guint
pen_simulate_model_get_n_items (const PenSimulateModel *self)
{
  return self->instances->len;
}

PenEvent *
pen_simulate_model_make (PenSimulateModel *self, guint index, gint64 time_us)
{
  PenSimulateInstance *instance = g_ptr_array_index (self->instances, index);
  PenSimulateMoment moment = { &instance->random, time_us, self->values };
  GString *text = g_string_new (NULL);
  g_autoptr (GBytes) payload = NULL;

  for (guint i = 0; i < self->fields->len; i++)
    {
      pen_simulate_field_make (g_ptr_array_index (self->fields, i), &instance->states[i], &moment,
                               &self->values[i]);
      self->visible[i] = &self->values[i];
    }
  for (guint i = 0; i < self->places->len; i++)
    self->visible[self->fields->len + i] = &instance->members[i];
  pen_simulate_template_fill (self->template, self->visible, text);
  payload = g_string_free_to_bytes (text);
  if (self->topic == NULL)
    return pen_event_new (payload, NULL, time_us);
  g_string_truncate (self->topic_text, 0);
  pen_simulate_template_fill (self->topic, self->visible, self->topic_text);
  return pen_event_new (payload, self->topic_text->str, time_us);
}
