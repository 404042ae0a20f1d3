/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A named value of each event: number=integer(1,99). Arguments stand in the order of the
 * generator's parameters or have their names; in quotation marks they may hold commas and
 * brackets. {item.range[0]} takes one from the entry that the event is made for.
 *
 * What all entries have in common is parsed once; only fields with arguments of an item's have
 * settings for each.
 */

#include "config.h"

#include "pen-simulate-field.h"

#include <string.h>

#define MAX_FIELDS 256
#define MAX_NAME_BYTES 64
#define MAX_ARGUMENTS 1000

struct _PenSimulateField
{
  char *name;
  const PenSimulateGenerator *generator;
  GPtrArray *arguments; /* of char *, in the order of the parameters */
  GArray *columns;      /* of guint: where each stands in the text */
  char *text;
  PenSimulateState shared; /* unless it needs an item: the settings of all */
  gboolean needs_item;
  int source; /* the field that it is made from */
};

typedef struct
{
  PenSimulateField *field;
  GPtrArray *fields; /* before this one */
  const char *text;
  const char *cursor;
} PenSimulateParser;

static void
pen_simulate_field_free (gpointer data)
{
  PenSimulateField *self = data;

  g_free (self->name);
  g_ptr_array_unref (self->arguments);
  g_array_unref (self->columns);
  g_free (self->text);
  pen_simulate_state_clear (&self->shared);
  g_free (self);
}

static void
pen_simulate_setting_clear (gpointer data)
{
  g_free (((PenSimulateSetting *) data)->text);
}

void
pen_simulate_state_clear (PenSimulateState *state)
{
  g_clear_pointer (&state->settings, g_array_unref);
}

static G_GNUC_PRINTF (4, 5) gboolean pen_simulate_parser_fail (const PenSimulateParser *self,
                                                               const char *at,
                                                               GError **error,
                                                               const char *format,
                                                               ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration", "'%s', character %ld: %s",
                         self->text, g_utf8_pointer_to_offset (self->text, at) + 1, message);
  return FALSE;
}

static void
pen_simulate_parser_skip_blanks (PenSimulateParser *self)
{
  while (*self->cursor == ' ' || *self->cursor == '\t')
    self->cursor++;
}

static gboolean
pen_simulate_is_name_byte (char byte)
{
  return g_ascii_isalnum (byte) || byte == '_' || byte == '-';
}

/* "" if none stands here. */
static char *
pen_simulate_parser_take_name (PenSimulateParser *self)
{
  const char *start = self->cursor;

  while (pen_simulate_is_name_byte (*self->cursor))
    self->cursor++;
  return g_strndup (start, (gsize) (self->cursor - start));
}

static gboolean
pen_simulate_parser_read_name (PenSimulateParser *self, GError **error)
{
  g_autofree char *name = NULL;

  pen_simulate_parser_skip_blanks (self);
  name = pen_simulate_parser_take_name (self);
  if (!g_ascii_isalpha (*name) && *name != '_')
    return pen_simulate_parser_fail (self, self->cursor, error,
                                     "a field is written NAME=GENERATOR(…), for example "
                                     "'number=integer(1,99)'");
  if (strlen (name) > MAX_NAME_BYTES)
    return pen_simulate_parser_fail (self, self->text, error, "a name has at most %d characters",
                                     MAX_NAME_BYTES);
  if (g_str_equal (name, "item"))
    return pen_simulate_parser_fail (self, self->text, error,
                                     "'item' is the entry of items-file; take another name");
  if (pen_simulate_fields_find (self->fields, name) >= 0)
    return pen_simulate_parser_fail (self, self->text, error, "a second field '%s'", name);
  pen_simulate_parser_skip_blanks (self);
  if (*self->cursor != '=')
    return pen_simulate_parser_fail (self, self->cursor, error, "'=' is missing behind '%s'", name);
  self->cursor++;
  self->field->name = g_steal_pointer (&name);
  return TRUE;
}

static gboolean
pen_simulate_parser_read_generator (PenSimulateParser *self, GError **error)
{
  g_autofree char *name = NULL;
  const char *start;

  pen_simulate_parser_skip_blanks (self);
  start = self->cursor;
  name = pen_simulate_parser_take_name (self);
  self->field->generator = pen_simulate_generator_find (name);
  if (self->field->generator == NULL)
    {
      g_autofree char *list = pen_simulate_generator_list ();

      return pen_simulate_parser_fail (self, start, error, "'%s' is no generator; there are %s",
                                       name, list);
    }
  g_ptr_array_set_size (self->field->arguments,
                        (gint) pen_simulate_generator_count_parameters (self->field->generator));
  g_array_set_size (self->field->columns, self->field->arguments->len);
  return TRUE;
}

/* A text in quotation marks, or up to the next comma or bracket. */
static char *
pen_simulate_parser_take_argument (PenSimulateParser *self, GError **error)
{
  const char *start = self->cursor;
  const char *end;

  if (*start == '"' || *start == '\'')
    {
      end = strchr (start + 1, *start);
      if (end == NULL)
        {
          pen_simulate_parser_fail (self, start, error, "a quotation mark without its partner");
          return NULL;
        }
      self->cursor = end + 1;
      return g_strndup (start + 1, (gsize) (end - start - 1));
    }
  self->cursor += strcspn (start, ",()");
  end = self->cursor;
  while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
    end--;
  return g_strndup (start, (gsize) (end - start));
}

static int
pen_simulate_generator_find_parameter (const PenSimulateGenerator *self, const char *name)
{
  for (guint i = 0; self->parameters[i].name != NULL; i++)
    {
      if (g_str_equal (self->parameters[i].name, name))
        return (int) i;
    }
  return -1;
}

/* digits=3: which parameter that is; -1 if no name stands here. */
static int
pen_simulate_parser_take_parameter (PenSimulateParser *self)
{
  const char *start = self->cursor;
  g_autofree char *name = pen_simulate_parser_take_name (self);
  int index;

  pen_simulate_parser_skip_blanks (self);
  index = *self->cursor == '='
              ? pen_simulate_generator_find_parameter (self->field->generator, name)
              : -1;
  if (index < 0)
    self->cursor = start;
  else
    self->cursor++;
  pen_simulate_parser_skip_blanks (self);
  return index;
}

static gboolean
pen_simulate_parser_read_argument (PenSimulateParser *self, guint *n_unnamed, GError **error)
{
  PenSimulateField *field = self->field;
  const PenSimulateGenerator *generator = field->generator;
  const char *start;
  char *argument;
  guint column;
  int index;

  pen_simulate_parser_skip_blanks (self);
  start = self->cursor;
  index = pen_simulate_parser_take_parameter (self);
  if (index < 0)
    index = (int) (*n_unnamed)++;
  if (generator->is_open && field->arguments->len < MAX_ARGUMENTS)
    {
      g_ptr_array_add (field->arguments, NULL);
      g_array_set_size (field->columns, field->arguments->len);
    }
  if ((guint) index >= field->arguments->len)
    return pen_simulate_parser_fail (self, start, error, "one argument too many for %s",
                                     generator->usage);
  if (g_ptr_array_index (field->arguments, (guint) index) != NULL)
    return pen_simulate_parser_fail (self, start, error, "'%s' is given twice",
                                     generator->parameters[index].name);
  column = (guint) (self->cursor - self->text);
  argument = pen_simulate_parser_take_argument (self, error);
  if (argument == NULL)
    return FALSE;
  field->arguments->pdata[index] = argument;
  g_array_index (field->columns, guint, (guint) index) = column;
  return TRUE;
}

static gboolean
pen_simulate_parser_read_arguments (PenSimulateParser *self, GError **error)
{
  guint n_unnamed = 0;

  pen_simulate_parser_skip_blanks (self);
  if (*self->cursor == '\0')
    return TRUE;
  if (*self->cursor != '(')
    return pen_simulate_parser_fail (self, self->cursor, error, "'(' was expected, as in %s",
                                     self->field->generator->usage);
  self->cursor++;
  pen_simulate_parser_skip_blanks (self);
  if (*self->cursor == ')')
    self->cursor++;
  else
    {
      do
        {
          if (!pen_simulate_parser_read_argument (self, &n_unnamed, error))
            return FALSE;
          pen_simulate_parser_skip_blanks (self);
        }
      while (*self->cursor++ == ',');
      if (self->cursor[-1] != ')')
        return pen_simulate_parser_fail (self, self->cursor - 1, error,
                                         "',' or ')' was expected; a text with either stands in "
                                         "quotation marks");
    }
  pen_simulate_parser_skip_blanks (self);
  if (*self->cursor != '\0')
    return pen_simulate_parser_fail (self, self->cursor, error,
                                     "nothing may stand behind the ')'; fields are separated by "
                                     "';'");
  return TRUE;
}

static gboolean
pen_simulate_parser_complete (PenSimulateParser *self, GError **error)
{
  PenSimulateField *field = self->field;
  const PenSimulateGenerator *generator = field->generator;

  if (generator->is_open && field->arguments->len == 0)
    return pen_simulate_parser_fail (self, self->cursor, error, "arguments are missing, as in %s",
                                     generator->usage);
  for (guint i = 0; i < field->arguments->len; i++)
    {
      const char *argument = g_ptr_array_index (field->arguments, i);
      gsize length = argument != NULL ? strlen (argument) : 0;

      if (argument == NULL)
        {
          if (generator->parameters[i].fallback == NULL)
            return pen_simulate_parser_fail (self, self->cursor, error, "'%s' is missing, as in %s",
                                             generator->parameters[i].name, generator->usage);
          field->arguments->pdata[i] = g_strdup (generator->parameters[i].fallback);
        }
      else if (length > 2 && *argument == '{' && argument[length - 1] == '}')
        {
          g_autofree char *place = g_strndup (argument + 1, length - 2);

          field->needs_item = field->needs_item || pen_simulate_items_is_place (place);
        }
    }
  return TRUE;
}

/* Of an argument that an item gives: the place of it, without its braces. */
static char *
pen_simulate_field_dup_place (const char *argument)
{
  gsize length = strlen (argument);
  g_autofree char *place = NULL;

  if (length <= 2 || *argument != '{' || argument[length - 1] != '}')
    return NULL;
  place = g_strndup (argument + 1, length - 2);
  return pen_simulate_items_is_place (place) ? g_steal_pointer (&place) : NULL;
}

static gboolean
pen_simulate_field_set (const PenSimulateField *self,
                        guint index,
                        const char *text,
                        PenSimulateSetting *setting,
                        GError **error)
{
  gboolean is_open = self->generator->is_open;
  PenSimulateParameterType type
      = is_open ? PEN_SIMULATE_TEXT : self->generator->parameters[index].type;
  g_autoptr (GError) reason = NULL;

  if (pen_simulate_setting_parse (type, text, setting, &reason))
    return TRUE;
  pen_element_set_error (
      error, PEN_ELEMENT_ERROR_FAIL, "configuration", "'%s', character %ld: %s: %s", self->text,
      g_utf8_strlen (self->text, g_array_index (self->columns, guint, index)) + 1,
      self->generator->parameters[index].name, reason->message);
  return FALSE;
}

gboolean
pen_simulate_field_bind (const PenSimulateField *self,
                         const PenSimulateItems *items,
                         guint index,
                         PenSimulateState *state,
                         GError **error)
{
  g_autoptr (GError) reason = NULL;
  PenSimulateValue value = { 0 };
  g_autoptr (GString) text = g_string_new (NULL);

  *state = self->shared;
  if (self->shared.settings != NULL)
    {
      g_array_ref (state->settings);
      return TRUE;
    }
  value.text = text;
  state->settings = g_array_new (FALSE, TRUE, sizeof (PenSimulateSetting));
  g_array_set_clear_func (state->settings, pen_simulate_setting_clear);
  g_array_set_size (state->settings, self->arguments->len);
  for (guint i = 0; i < self->arguments->len; i++)
    {
      const char *argument = g_ptr_array_index (self->arguments, i);
      g_autofree char *place = pen_simulate_field_dup_place (argument);
      PenSimulateSetting *setting = &g_array_index (state->settings, PenSimulateSetting, i);

      if (place != NULL && !pen_simulate_items_look_up (items, index, place, &value, error))
        return FALSE;
      if (!pen_simulate_field_set (self, i, place != NULL ? text->str : argument, setting, error))
        return FALSE;
      if (setting->text != NULL)
        setting->integer = self->source;
    }
  if (self->generator->prepare == NULL || self->generator->prepare (state, &reason))
    return TRUE;
  pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration", "'%s'%s%s%s: %s",
                         self->text, self->needs_item ? " for entry '" : "",
                         self->needs_item ? pen_simulate_items_get_key (items, index) : "",
                         self->needs_item ? "'" : "", reason->message);
  return FALSE;
}

/* The field that another one is made from comes before it, and is a number. */
static gboolean
pen_simulate_field_resolve (PenSimulateField *self, GPtrArray *fields, GError **error)
{
  for (guint i = 0; i < self->arguments->len && !self->generator->is_open; i++)
    {
      const char *name = g_ptr_array_index (self->arguments, i);

      if (self->generator->parameters[i].type != PEN_SIMULATE_FIELD)
        continue;
      self->source = pen_simulate_fields_find (fields, name);
      if (self->source < 0
          || !pen_simulate_field_makes_numbers (g_ptr_array_index (fields, (guint) self->source)))
        {
          pen_element_set_error (
              error, PEN_ELEMENT_ERROR_FAIL, "configuration",
              "'%s', character %ld: no field '%s' that makes numbers stands "
              "before this one",
              self->text, g_utf8_strlen (self->text, g_array_index (self->columns, guint, i)) + 1,
              name);
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
pen_simulate_fields_add (GPtrArray *fields, const char *text, GError **error)
{
  PenSimulateField *field = g_new0 (PenSimulateField, 1);
  PenSimulateParser parser = { field, fields, text, text };
  gboolean is_good;

  field->text = g_strdup (text);
  field->arguments = g_ptr_array_new_with_free_func (g_free);
  field->columns = g_array_new (FALSE, TRUE, sizeof (guint));
  is_good = pen_simulate_parser_read_name (&parser, error)
            && pen_simulate_parser_read_generator (&parser, error)
            && pen_simulate_parser_read_arguments (&parser, error)
            && pen_simulate_parser_complete (&parser, error)
            && pen_simulate_field_resolve (field, fields, error);
  if (is_good && !field->needs_item)
    {
      PenSimulateState state;

      is_good = pen_simulate_field_bind (field, NULL, 0, &state, error);
      field->shared = state;
    }
  if (is_good)
    g_ptr_array_add (fields, field);
  else
    pen_simulate_field_free (field);
  return is_good;
}

GPtrArray *
pen_simulate_fields_parse (const char *const *texts, GError **error)
{
  g_autoptr (GPtrArray) fields = g_ptr_array_new_with_free_func (pen_simulate_field_free);

  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    {
      if (i == MAX_FIELDS)
        {
          pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                                 "there are more than %d fields", MAX_FIELDS);
          return NULL;
        }
      if (!pen_simulate_fields_add (fields, texts[i], error))
        return NULL;
    }
  return g_steal_pointer (&fields);
}

int
pen_simulate_fields_find (GPtrArray *fields, const char *name)
{
  for (guint i = 0; i < fields->len; i++)
    {
      if (g_str_equal (pen_simulate_field_get_name (g_ptr_array_index (fields, i)), name))
        return (int) i;
    }
  return -1;
}

const char *
pen_simulate_field_get_name (const PenSimulateField *self)
{
  return self->name;
}

gboolean
pen_simulate_field_makes_numbers (const PenSimulateField *self)
{
  return self->generator->makes_numbers;
}

gboolean
pen_simulate_field_needs_item (const PenSimulateField *self)
{
  return self->needs_item;
}

void
pen_simulate_field_make (const PenSimulateField *self,
                         PenSimulateState *state,
                         const PenSimulateMoment *moment,
                         PenSimulateValue *value)
{
  self->generator->make (state, moment, value);
}
