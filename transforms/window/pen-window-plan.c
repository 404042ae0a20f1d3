/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the properties of a window transform mean together. All that is wrong is told, not only the
 * first, each with the property at fault.
 */

#include "config.h"

#include "pen-window-plan.h"

#include <string.h>

/* Of one event in hopping windows of one size. */
#define MAX_OVERLAP 1000
#define MAX_WINDOWS 32
#define MAX_SIZE_US (3660 * G_TIME_SPAN_DAY)
#define MAX_COLUMNS 10000

typedef struct
{
  PenWindowPlan *plan;
  PenWindowReport report;
  gpointer user_data;
  gboolean is_bad;
} PenWindowPlanner;

static void G_GNUC_PRINTF (3, 4) pen_window_planner_report (PenWindowPlanner *self,
                                                            const char *property,
                                                            const char *format,
                                                            ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->is_bad = TRUE;
  if (self->report != NULL)
    self->report (property, message, self->user_data);
}

static void
pen_window_size_clear (gpointer data)
{
  g_free (((PenWindowSize *) data)->text);
}

static void
pen_window_field_clear (gpointer data)
{
  PenWindowField *field = data;

  pen_json_path_free (field->path);
  g_free (field->name);
}

static void
pen_window_column_clear (gpointer data)
{
  g_strfreev (((PenWindowColumn *) data)->names);
}

/* --- Windows --- */

static void
pen_window_planner_add_size (PenWindowPlanner *self, const char *text)
{
  const PenWindowSettings *settings = self->plan->settings;
  g_autoptr (GError) error = NULL;
  PenWindowSize size = { .text = NULL };
  gint64 hop_us;

  if (!pen_duration_parse (text, &size.size_us, &error))
    {
      pen_window_planner_report (self, "windows", "%s", error->message);
      return;
    }
  if (size.size_us <= 0 || size.size_us > MAX_SIZE_US)
    {
      pen_window_planner_report (
          self, "windows", "a window may be up to 3660d long, and not empty; %s is not", text);
      return;
    }
  hop_us = settings->kind == PEN_WINDOW_HOPPING ? settings->hop_us : size.size_us;
  if (hop_us > size.size_us)
    pen_window_planner_report (self, "hop",
                               "windows of %s that begin further apart than they are long would "
                               "leave events out; make hop at most as long as each window",
                               text);
  else if (hop_us > 0 && size.size_us / hop_us >= MAX_OVERLAP)
    pen_window_planner_report (self, "hop",
                               "each event would be in more than %d windows of %s; make hop longer",
                               MAX_OVERLAP, text);
  size.text = g_strdup (text);
  self->plan->longest_us = MAX (self->plan->longest_us, size.size_us);
  g_array_append_val (self->plan->sizes, size);
}

static void
pen_window_planner_add_sizes (PenWindowPlanner *self)
{
  const PenWindowSettings *settings = self->plan->settings;

  if (settings->kind == PEN_WINDOW_HOPPING && settings->hop_us == 0)
    pen_window_planner_report (self, "kind",
                               "hopping windows need 'hop': how far apart they begin");
  if (settings->windows == NULL || settings->windows[0] == NULL)
    {
      pen_window_planner_report (self, "windows", "there must be at least one window");
      return;
    }
  if (g_strv_length (settings->windows) > MAX_WINDOWS)
    {
      pen_window_planner_report (self, "windows", "there may be up to %d windows", MAX_WINDOWS);
      return;
    }
  for (char **text = settings->windows; *text != NULL; text++)
    pen_window_planner_add_size (self, *text);
}

/* --- Fields --- */

/* Returns the index, or -1 if the path cannot be read. */
static int
pen_window_planner_add_field (PenWindowPlanner *self,
                              GArray *fields,
                              const char *property,
                              const char *text,
                              gboolean may_be_there)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;
  g_autofree char *path = pen_window_split_name (text, &name);
  PenWindowField field = { .path = NULL };
  const char *last = NULL;

  for (guint i = 0; may_be_there && i < fields->len; i++)
    if (g_str_equal (path, pen_json_path_get_text (g_array_index (fields, PenWindowField, i).path)))
      return (int) i;
  field.path = pen_json_path_new (path, &error);
  if (field.path == NULL)
    {
      pen_window_planner_report (self, property, "%s", error->message);
      return -1;
    }
  last = pen_json_path_get_last_name (field.path);
  field.name = name != NULL ? g_steal_pointer (&name) : g_strdup (last != NULL ? last : path);
  g_array_append_val (fields, field);
  return (int) fields->len - 1;
}

static void
pen_window_planner_add_fields (PenWindowPlanner *self)
{
  const PenWindowSettings *settings = self->plan->settings;

  for (char **text = settings->fields; text != NULL && *text != NULL; text++)
    pen_window_planner_add_field (self, self->plan->fields, "fields", *text, FALSE);
  for (char **text = settings->group_by; text != NULL && *text != NULL; text++)
    pen_window_planner_add_field (self, self->plan->groups, "group-by", *text, FALSE);
}

static void
pen_window_planner_add_time (PenWindowPlanner *self)
{
  const PenWindowSettings *settings = self->plan->settings;
  g_autoptr (GError) error = NULL;

  if (settings->time_field == NULL)
    return;
  self->plan->time = pen_json_path_new (settings->time_field, &error);
  if (error != NULL)
    pen_window_planner_report (self, "time-field", "%s", error->message);
}

/* --- Results --- */

/* (transfer full): fills {field}, {function} and {window} in */
static char *
pen_window_planner_expand (PenWindowPlanner *self,
                           const char *property,
                           const char *template,
                           const char *field,
                           const char *function,
                           const char *window)
{
  g_autoptr (GString) name = g_string_new (NULL);

  while (*template != '\0')
    {
      gsize length = strcspn (template, "{");
      const char *value = NULL;

      g_string_append_len (name, template, (gssize) length);
      template += length;
      if (*template == '\0')
        break;
      length = strcspn (template, "}") + 1;
      if (strncmp (template, "{field}", length) == 0)
        value = field;
      else if (strncmp (template, "{function}", length) == 0)
        value = function;
      else if (strncmp (template, "{window}", length) == 0)
        value = window;
      if (value == NULL)
        {
          pen_window_planner_report (
              self, property,
              "'%s' is no place that is filled in; there are {field}, {function} and {window}",
              template);
          return NULL;
        }
      g_string_append (name, value);
      template += length;
    }
  return g_string_free (g_steal_pointer (&name), FALSE);
}

static void
pen_window_planner_add_column (PenWindowPlanner *self, const PenWindowCall *call, int field)
{
  PenWindowPlan *plan = self->plan;
  PenWindowColumn column = { .call = call, .field = field };
  const char *template = call->result != NULL ? call->result : plan->settings->name;

  if (plan->columns->len >= MAX_COLUMNS)
    return;
  if (field < 0 && call->result == NULL)
    template = "{function}";
  column.names = g_new0 (char *, plan->sizes->len + 1);
  for (guint i = 0; i < plan->sizes->len; i++)
    column.names[i] = pen_window_planner_expand (
        self, call->result != NULL ? "functions" : "name", template,
        field < 0 ? "events" : PEN_WINDOW_GET_FIELD (plan, field)->name, call->name,
        PEN_WINDOW_GET_SIZE (plan, i)->text);
  if (field >= 0)
    PEN_WINDOW_GET_FIELD (plan, field)->needs |= pen_window_call_get_needs (call);
  g_array_append_val (plan->columns, column);
}

static gboolean
pen_window_call_is_of_events (const PenWindowCall *call)
{
  return call->function == PEN_WINDOW_COUNT || call->function == PEN_WINDOW_COVERAGE;
}

/* A function with a path, with "*", or without one where there are no fields. */
static void
pen_window_planner_add_call (PenWindowPlanner *self, const PenWindowCall *call)
{
  gboolean is_of_events = call->path == NULL || g_str_equal (call->path, "*");
  int field = -1;

  if (is_of_events && !pen_window_call_is_of_events (call))
    {
      pen_window_planner_report (self, "functions",
                                 "'%s' needs a field: write %s(PATH), or name the fields in "
                                 "'fields'",
                                 call->name, call->name);
      return;
    }
  if (!is_of_events)
    {
      field
          = pen_window_planner_add_field (self, self->plan->fields, "functions", call->path, TRUE);
      if (field < 0)
        return;
    }
  pen_window_planner_add_column (self, call, field);
}

static void
pen_window_planner_add_columns (PenWindowPlanner *self)
{
  PenWindowPlan *plan = self->plan;
  guint n_fields = plan->fields->len;
  gboolean is_crossed = n_fields == 0;

  for (guint i = 0; i < plan->calls->len; i++)
    {
      const PenWindowCall *call = g_ptr_array_index (plan->calls, i);

      if (call->path != NULL || n_fields == 0)
        {
          pen_window_planner_add_call (self, call);
          continue;
        }
      /* Each field has all of them together, where the first of them stands. */
      for (guint j = 0; !is_crossed && j < n_fields; j++)
        for (guint k = i; k < plan->calls->len; k++)
          if (((const PenWindowCall *) g_ptr_array_index (plan->calls, k))->path == NULL)
            pen_window_planner_add_column (self, g_ptr_array_index (plan->calls, k), (int) j);
      is_crossed = TRUE;
    }
}

static void
pen_window_planner_add_functions (PenWindowPlanner *self)
{
  const PenWindowSettings *settings = self->plan->settings;

  if (settings->functions == NULL || settings->functions[0] == NULL)
    pen_window_planner_report (self, "functions", "there must be at least one function");
  for (char **text = settings->functions; text != NULL && *text != NULL; text++)
    {
      g_autoptr (GError) error = NULL;
      PenWindowCall *call = pen_window_call_new (*text, &error);

      if (call == NULL)
        pen_window_planner_report (self, "functions", "%s", error->message);
      else if (call->function == PEN_WINDOW_COVERAGE && settings->expected_interval_us == 0)
        pen_window_planner_report (self, "functions",
                                   "coverage is what was seen of what was expected: set "
                                   "'expected-interval' as well");
      if (call != NULL)
        g_ptr_array_add (self->plan->calls, call);
    }
  pen_window_planner_add_columns (self);
  if (self->plan->columns->len >= MAX_COLUMNS)
    pen_window_planner_report (self, "functions", "there may be up to %d results", MAX_COLUMNS);
}

/* --- The whole --- */

static void
pen_window_planner_claim (PenWindowPlanner *self,
                          GHashTable *names,
                          const char *property,
                          const char *name)
{
  if (name == NULL || g_hash_table_add (names, (gpointer) name))
    return;
  pen_window_planner_report (self, property,
                             "two members of the result would be called '%s'; give one another "
                             "name with ' as NAME', or tell windows apart with {window} in 'name'",
                             name);
}

/* Sliding windows are all in one result, the others have one each. */
static void
pen_window_planner_check_names (PenWindowPlanner *self)
{
  const PenWindowPlan *plan = self->plan;
  gboolean is_sliding = plan->settings->kind == PEN_WINDOW_SLIDING;

  for (guint i = 0; i < plan->sizes->len && (i == 0 || !is_sliding); i++)
    {
      g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

      pen_window_planner_claim (self, names, "start-field", pen_window_plan_get_start_field (plan));
      pen_window_planner_claim (self, names, "end-field", pen_window_plan_get_end_field (plan));
      for (guint j = 0; j < plan->groups->len; j++)
        pen_window_planner_claim (self, names, "group-by", PEN_WINDOW_GET_GROUP (plan, j)->name);
      for (guint j = 0; j < plan->columns->len; j++)
        for (guint k = i; k < (is_sliding ? plan->sizes->len : i + 1); k++)
          pen_window_planner_claim (self, names, "functions",
                                    PEN_WINDOW_GET_COLUMN (plan, j)->names[k]);
    }
}

static void
pen_window_planner_check_rest (PenWindowPlanner *self)
{
  const PenWindowSettings *settings = self->plan->settings;
  gboolean is_sliding = settings->kind == PEN_WINDOW_SLIDING;

  if (is_sliding && settings->start_field != NULL && *settings->start_field != '\0')
    pen_window_planner_report (self, "start-field",
                               "sliding windows begin at different times; 'end-field' gives the "
                               "time from which all of them are counted back");
  if (is_sliding && settings->allowed_lateness_us > 0)
    pen_window_planner_report (self, "allowed-lateness",
                               "sliding windows never close, so nothing is late for them");
  if (settings->kind != PEN_WINDOW_HOPPING && settings->hop_us != 0)
    pen_window_planner_report (self, "hop", "only hopping windows have a hop; set kind=hopping");
  if (settings->time_field == NULL && settings->max_ahead_us != 0)
    pen_window_planner_report (self, "max-ahead",
                               "the time of arrival is never ahead; 'max-ahead' goes with "
                               "'time-field'");
}

PenWindowPlan *
pen_window_plan_new (const PenWindowSettings *settings, PenWindowReport report, gpointer user_data)
{
  g_autoptr (PenWindowPlan) self = g_new0 (PenWindowPlan, 1);
  PenWindowPlanner planner = { .plan = self, .report = report, .user_data = user_data };

  self->settings = settings;
  self->sizes = g_array_new (FALSE, TRUE, sizeof (PenWindowSize));
  g_array_set_clear_func (self->sizes, pen_window_size_clear);
  self->fields = g_array_new (FALSE, TRUE, sizeof (PenWindowField));
  g_array_set_clear_func (self->fields, pen_window_field_clear);
  self->groups = g_array_new (FALSE, TRUE, sizeof (PenWindowField));
  g_array_set_clear_func (self->groups, pen_window_field_clear);
  self->columns = g_array_new (FALSE, TRUE, sizeof (PenWindowColumn));
  g_array_set_clear_func (self->columns, pen_window_column_clear);
  self->calls = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_window_call_free);
  pen_window_planner_add_sizes (&planner);
  pen_window_planner_add_fields (&planner);
  pen_window_planner_add_time (&planner);
  pen_window_planner_add_functions (&planner);
  pen_window_planner_check_rest (&planner);
  if (!planner.is_bad)
    pen_window_planner_check_names (&planner);
  return planner.is_bad ? NULL : g_steal_pointer (&self);
}

void
pen_window_plan_free (PenWindowPlan *self)
{
  g_array_unref (self->columns);
  g_ptr_array_unref (self->calls);
  g_array_unref (self->groups);
  g_array_unref (self->fields);
  g_array_unref (self->sizes);
  g_clear_pointer (&self->time, pen_json_path_free);
  g_free (self);
}

static const char *
pen_window_plan_choose_name (const PenWindowPlan *self, const char *name, const char *usual)
{
  if (name == NULL)
    return self->settings->kind == PEN_WINDOW_SLIDING ? NULL : usual;
  return *name != '\0' ? name : NULL;
}

const char *
pen_window_plan_get_start_field (const PenWindowPlan *self)
{
  return pen_window_plan_choose_name (self, self->settings->start_field, "start");
}

const char *
pen_window_plan_get_end_field (const PenWindowPlan *self)
{
  return pen_window_plan_choose_name (self, self->settings->end_field, "end");
}
