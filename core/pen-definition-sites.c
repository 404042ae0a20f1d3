/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The rows of [sites]: one keyfile for a fleet. What does not depend on the site is read once; for
 * each row, its values take their places, and what uses them is read again.
 *
 * A mistake of a row keeps its site out and no other; one anywhere else keeps out all. A mistake
 * that stands outside of the rows is found again with each row: it is told once, where it stands.
 * If only some rows lead to it, an error is told at each of them, a warning at the first.
 */

#include "config.h"

#include "pen-definition-private.h"
#include "pen-suggest.h"

#include <string.h>

typedef struct
{
  char *name;
  PenPlace place;
  gboolean is_good; /* a variable; faulty ones only keep their place in the rows */
} PenColumn;

/* What was found with a row, but not in it. */
typedef struct
{
  PenDiagnostic *diagnostic;
  GArray *places; /* (element-type PenPlace): of the rows */
} PenSharedFinding;

struct _PenSites
{
  const PenKeyfileGroup *group;
  guint end_line;     /* behind its last */
  guint columns_line; /* 0: there is none */
  GPtrArray *columns; /* (element-type PenColumn) */
  GPtrArray *rows;    /* (element-type PenKeyfileEntry): those that can be read */
  guint n_entered;
  PenReport outer; /* the file's, while a row has one of its own */
  GPtrArray *shared;
  GHashTable *shared_index; /* text of a finding to PenSharedFinding */
  GHashTable *names;        /* of pipelines, to their lines */
  GHashTable *claims;       /* what is claimed, to the line */
  GHashTable *told;         /* what all claim */
  gboolean is_faulty;       /* what all sites have in common is */
};

static void
pen_column_free (gpointer data)
{
  PenColumn *self = data;

  g_free (self->name);
  g_free (self);
}

static void
pen_shared_finding_free (gpointer data)
{
  PenSharedFinding *self = data;

  g_clear_pointer (&self->diagnostic, pen_diagnostic_free);
  g_array_unref (self->places);
  g_free (self);
}

static PenSites *
pen_sites_new (const PenLoader *loader, const PenKeyfileGroup *group)
{
  PenSites *self = g_new0 (PenSites, 1);
  guint index = 0;

  self->group = group;
  self->end_line = G_MAXUINT;
  g_ptr_array_find (loader->keyfile->groups, group, &index);
  if (index + 1 < loader->keyfile->groups->len)
    {
      const PenKeyfileGroup *next = g_ptr_array_index (loader->keyfile->groups, index + 1);

      self->end_line = next->place.line;
    }
  self->columns = g_ptr_array_new_with_free_func (pen_column_free);
  self->rows = g_ptr_array_new ();
  self->shared = g_ptr_array_new_with_free_func (pen_shared_finding_free);
  self->shared_index = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->claims = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

/*
 * pen_sites_free:
 * @self: (transfer full): the rows
 *
 * Threads: any
 */
void
pen_sites_free (PenSites *self)
{
  g_ptr_array_unref (self->columns);
  g_ptr_array_unref (self->rows);
  g_ptr_array_unref (self->shared);
  g_hash_table_unref (self->shared_index);
  g_hash_table_unref (self->names);
  g_hash_table_unref (self->claims);
  g_hash_table_unref (self->told);
  g_free (self);
}

static gboolean
pen_column_is_variable_name (const char *name)
{
  gsize length = strspn (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-.");

  return length > 0 && name[length] == '\0';
}

static void
pen_sites_add_column (PenSites *self, PenLoader *loader, char *name, PenPlace place)
{
  PenColumn *column = g_new0 (PenColumn, 1);
  g_autofree char *quoted = pen_quote (name);

  column->name = name;
  column->place = place;
  g_ptr_array_add (self->columns, column);
  if (g_str_equal (name, PEN_SITE_VARIABLE))
    pen_report_error (loader->report, place,
                      "no column can be called 'site': ${site} is the name of the row");
  else if (*name == '\0')
    pen_report_error (loader->report, place, "the name of a column is empty; remove a ';'");
  else if (!pen_column_is_variable_name (name))
    pen_report_error (loader->report, place,
                      "%s is not the name of a column; it is made of letters, digits, '-', '_' and "
                      "'.', and used as ${NAME}",
                      quoted);
  else if (pen_substitution_has_variable (loader->substitution, name))
    pen_report_error (loader->report, place,
                      "there is a column or a variable %s already; give this one another name",
                      quoted);
  else
    {
      column->is_good = TRUE;
      pen_substitution_add_site_variable (loader->substitution, name);
    }
}

static void
pen_sites_read_columns (PenSites *self, PenLoader *loader)
{
  const PenKeyfileEntry *entry = pen_keyfile_group_find (self->group, PEN_KEYFILE_COLUMNS_KEY);
  gsize offset = 0;
  gsize item_offset = 0;
  char *name = NULL;

  if (pen_substitution_has_variable (loader->substitution, PEN_SITE_VARIABLE))
    pen_report_error (loader->report, self->group->place,
                      "there is a 'site' in [variables], and with [sites] ${site} is the name of "
                      "the row; give the variable another name");
  pen_substitution_add_site_variable (loader->substitution, PEN_SITE_VARIABLE);
  if (entry == NULL)
    return;
  self->columns_line = entry->key_place.line;
  while (pen_list_next (entry->value, &offset, &name, &item_offset))
    {
      PenPlace place = entry->value_place;

      place.column += (guint) item_offset;
      pen_sites_add_column (self, loader, name, place);
    }
}

/*
 * pen_sites_count:
 * @self: the rows
 *
 * Returns: how many there are, faulty ones among them
 *
 * Threads: any
 */
guint
pen_sites_count (const PenSites *self)
{
  return self->group->entries->len - (self->columns_line == 0 ? 0 : 1);
}

/* Tells what is wrong with the values of a row, but for what stands in them. */
static gboolean
pen_sites_check_values (PenSites *self, PenLoader *loader, const PenKeyfileEntry *row)
{
  gboolean is_good = TRUE;
  guint n_values = 0;
  gsize offset = 0;
  gsize item_offset = 0;
  char *next = NULL;

  while (pen_list_next (row->value, &offset, &next, &item_offset))
    {
      g_autofree char *value = next;
      PenPlace place = row->value_place;

      n_values++;
      if (*value != '\0' || n_values > self->columns->len)
        continue;
      place.column += (guint) item_offset;
      is_good = FALSE;
      pen_report_error (loader->report, place, "the '%s' of '%s' is empty",
                        ((const PenColumn *) g_ptr_array_index (self->columns, n_values - 1))->name,
                        row->key);
    }
  if (n_values == self->columns->len)
    return is_good;
  if (self->columns->len == 0)
    pen_report_error (loader->report, row->value_place,
                      "'%s' has %u value%s, and [sites] has no columns; name them in a first line: "
                      "columns=NAME;NAME",
                      row->key, n_values, n_values == 1 ? "" : "s");
  else
    pen_report_error (loader->report, row->value_place,
                      "'%s' has %u value%s, and [sites] has %u column%s; a ';' within a value is "
                      "written '\\;'",
                      row->key, n_values, n_values == 1 ? "" : "s", self->columns->len,
                      self->columns->len == 1 ? "" : "s");
  return FALSE;
}

static gboolean
pen_sites_is_row (const PenSites *self, const PenKeyfileEntry *entry)
{
  return entry->key_place.line != self->columns_line;
}

/* How many values each row has; G_MAXUINT: not all have as many. */
static guint
pen_sites_count_values (const PenSites *self)
{
  guint n_common = G_MAXUINT;

  for (guint i = 0; i < self->group->entries->len; i++)
    {
      const PenKeyfileEntry *entry = g_ptr_array_index (self->group->entries, i);
      guint n_values = 0;
      gsize offset = 0;
      gsize item_offset = 0;
      char *value = NULL;

      if (!pen_sites_is_row (self, entry))
        continue;
      while (pen_list_next (entry->value, &offset, &value, &item_offset))
        {
          g_free (value);
          n_values++;
        }
      if (n_common != G_MAXUINT && n_common != n_values)
        return G_MAXUINT;
      n_common = n_values;
    }
  return n_common;
}

/* Where all rows have one value too many, it is the columns that are wrong, which is told once. */
static gboolean
pen_sites_check_columns (const PenSites *self, PenLoader *loader)
{
  static const char *const columns_key[] = { PEN_KEYFILE_COLUMNS_KEY };
  const PenKeyfileEntry *entry = pen_keyfile_group_find (self->group, PEN_KEYFILE_COLUMNS_KEY);
  guint n_values = pen_sites_count (self) > 1 ? pen_sites_count_values (self) : G_MAXUINT;
  const PenKeyfileEntry *first = NULL;

  if (n_values == G_MAXUINT || n_values == self->columns->len)
    return TRUE;
  first = g_ptr_array_index (self->group->entries, 0);
  if (entry != NULL)
    pen_report_error (loader->report, entry->value_place,
                      "there %s %u column%s, and each row has %u value%s",
                      self->columns->len == 1 ? "is" : "are", self->columns->len,
                      self->columns->len == 1 ? "" : "s", n_values, n_values == 1 ? "" : "s");
  else if (pen_suggest (first->key, columns_key, G_N_ELEMENTS (columns_key)) != NULL)
    pen_report_error (loader->report, self->group->place,
                      "[sites] has no columns; did you mean 'columns' by '%s' in line %u?",
                      first->key, first->key_place.line);
  else
    pen_report_error (loader->report, self->group->place,
                      "[sites] has no columns, and each row has %u value%s; name them in a first "
                      "line: columns=NAME;NAME",
                      n_values, n_values == 1 ? "" : "s");
  return FALSE;
}

static void
pen_sites_read_row (PenSites *self, PenLoader *loader, const PenKeyfileEntry *row)
{
  gboolean is_good = pen_name_is_valid (row->key);

  if (!is_good)
    pen_report_error (loader->report, row->key_place, "'%s' is not a name; " PEN_NAME_RULE,
                      row->key);
  if (pen_sites_check_values (self, loader, row) && is_good)
    g_ptr_array_add (self->rows, (gpointer) row);
}

/*
 * pen_loader_read_sites:
 * @self: a loader that knows the variables
 * @group: the group [sites]
 *
 * Threads: any
 */
void
pen_loader_read_sites (PenLoader *self, const PenKeyfileGroup *group)
{
  PenSites *sites = pen_sites_new (self, group);
  gboolean are_columns_good;

  self->sites = sites;
  pen_sites_read_columns (sites, self);
  are_columns_good = pen_sites_check_columns (sites, self);
  for (guint i = 0; are_columns_good && i < group->entries->len; i++)
    {
      const PenKeyfileEntry *entry = g_ptr_array_index (group->entries, i);

      if (pen_sites_is_row (sites, entry))
        pen_sites_read_row (sites, self, entry);
    }
  if (group->entries->len <= (sites->columns_line == 0 ? 0 : 1) && !group->is_incomplete)
    pen_report_error (self->report, group->place,
                      "[sites] has no rows; write one for each site, such as %s, or remove it",
                      sites->columns->len == 0 ? "'mill-7='" : "'mill-7=VALUE;VALUE'");
}

/*
 * pen_sites_get_n_rows:
 * @self: the rows
 *
 * Returns: how many can be read
 *
 * Threads: any
 */
guint
pen_sites_get_n_rows (const PenSites *self)
{
  return self->rows->len;
}

/*
 * pen_sites_has_row:
 * @self: the rows
 * @name: name of a site
 *
 * Returns: whether there is a row for it
 *
 * Threads: any
 */
gboolean
pen_sites_has_row (const PenSites *self, const char *name)
{
  const PenKeyfileEntry *entry = pen_keyfile_group_find (self->group, name);

  return entry != NULL && pen_sites_is_row (self, entry);
}

/*
 * pen_sites_has_line:
 * @self: the rows
 * @line: a line of the file
 *
 * Returns: whether it is that of a row
 *
 * Threads: any
 */
gboolean
pen_sites_has_line (const PenSites *self, guint line)
{
  return line > self->group->place.line && line < self->end_line && line != self->columns_line;
}

/*
 * pen_sites_hide:
 * @self: the rows
 * @loader: who reads them, and knows what secrets refer to
 *
 * What the rows put into secrets is not shown either.
 *
 * Threads: any
 */
void
pen_sites_hide (PenSites *self, PenLoader *loader)
{
  for (guint i = 0; i < self->rows->len; i++)
    {
      const PenKeyfileEntry *row = g_ptr_array_index (self->rows, i);
      gsize offset = 0;
      gsize item_offset = 0;
      char *next = NULL;

      for (guint j = 0; pen_list_next (row->value, &offset, &next, &item_offset); j++)
        {
          const PenColumn *column = g_ptr_array_index (self->columns, j);
          g_autofree char *value = next;

          if (pen_substitution_is_hidden (loader->substitution, column->name))
            pen_substitution_hide (loader->substitution, value);
        }
    }
}

/*
 * pen_sites_check_used:
 * @self: the rows
 * @loader: who has read all keys
 *
 * Threads: any
 */
void
pen_sites_check_used (const PenSites *self, PenLoader *loader)
{
  for (guint i = 0; i < self->columns->len; i++)
    {
      const PenColumn *column = g_ptr_array_index (self->columns, i);

      if (column->is_good && !pen_substitution_is_used (loader->substitution, column->name))
        pen_report_warning (loader->report, column->place, "nothing uses this column: ${%s}",
                            column->name);
    }
}

/*
 * pen_sites_enter:
 * @self: the rows
 * @loader: who reads them
 * @index: which row
 *
 * Gives the row's values to their variables. What is found from here on is told in
 * pen_sites_leave ().
 *
 * Threads: any
 */
void
pen_sites_enter (PenSites *self, PenLoader *loader, guint index)
{
  const PenKeyfileEntry *row = g_ptr_array_index (self->rows, index);
  gsize offset = 0;
  gsize item_offset = 0;
  char *next = NULL;

  self->n_entered++;
  self->outer = *loader->report;
  pen_report_init (loader->report, self->outer.file);
  loader->site = row->key;
  loader->site_place = row->key_place;
  pen_substitution_set_site_variable (loader->substitution, PEN_SITE_VARIABLE, row->key,
                                      row->key_place);
  for (guint i = 0; pen_list_next (row->value, &offset, &next, &item_offset); i++)
    {
      const PenColumn *column = g_ptr_array_index (self->columns, i);
      g_autofree char *value = next;
      PenPlace place = row->value_place;

      place.column += (guint) item_offset;
      if (column->is_good)
        pen_substitution_set_site_variable (loader->substitution, column->name, value, place);
    }
}

/* @diagnostic: (transfer full) */
static void
pen_sites_share (PenSites *self, PenDiagnostic *diagnostic, PenPlace row)
{
  g_autofree char *text = pen_diagnostic_format (diagnostic);
  PenSharedFinding *finding = g_hash_table_lookup (self->shared_index, text);

  if (finding == NULL)
    {
      finding = g_new0 (PenSharedFinding, 1);
      finding->diagnostic = diagnostic;
      finding->places = g_array_new (FALSE, FALSE, sizeof (PenPlace));
      g_ptr_array_add (self->shared, finding);
      g_hash_table_insert (self->shared_index, g_steal_pointer (&text), finding);
    }
  else
    pen_diagnostic_free (diagnostic);
  /* twice with one row is once */
  if (finding->places->len == 0
      || g_array_index (finding->places, PenPlace, finding->places->len - 1).line != row.line)
    g_array_append_val (finding->places, row);
}

static PenPlace
pen_sites_get_row_place (const PenDiagnostic *diagnostic, PenPlace row)
{
  if (diagnostic->row_line == 0)
    return row;
  return (PenPlace){ diagnostic->row_line, diagnostic->row_column };
}

/*
 * pen_sites_leave:
 * @self: the rows
 * @loader: who has entered one
 *
 * Returns: whether nothing is wrong with the site
 *
 * Threads: any
 */
gboolean
pen_sites_leave (PenSites *self, PenLoader *loader)
{
  PenReport found = *loader->report;
  g_autoptr (GPtrArray) findings = g_steal_pointer (&found.findings);

  *loader->report = self->outer;
  g_ptr_array_set_free_func (findings, NULL);
  for (guint i = 0; i < findings->len; i++)
    {
      PenDiagnostic *diagnostic = g_ptr_array_index (findings, i);

      if (pen_sites_has_line (self, diagnostic->line))
        pen_report_take (loader->report, diagnostic);
      else
        pen_sites_share (self, diagnostic,
                         pen_sites_get_row_place (diagnostic, loader->site_place));
    }
  loader->report->n_errors += found.n_left_out;
  loader->report->n_left_out += found.n_left_out;
  return found.n_errors == 0;
}

/*
 * pen_sites_add_name:
 * @self: the rows
 * @loader: who has left a row
 * @name: name of its pipeline
 *
 * Returns: whether no row before has it
 *
 * Threads: any
 */
gboolean
pen_sites_add_name (PenSites *self, PenLoader *loader, const char *name)
{
  guint line = GPOINTER_TO_UINT (g_hash_table_lookup (self->names, name));

  if (line == 0)
    {
      g_hash_table_insert (self->names, g_strdup (name),
                           GUINT_TO_POINTER (loader->site_place.line));
      return TRUE;
    }
  pen_report_error (loader->report, loader->site_place,
                    "there is a pipeline '%s' already, in line %u; a name is used once", name,
                    line);
  return FALSE;
}

static void
pen_sites_tell_claim (PenSites *self, PenLoader *loader, const PenClaim *claim, guint line)
{
  if (!claim->is_of_all)
    {
      pen_report_error (loader->report, claim->place, "%s is used in line %u already: %s",
                        claim->shown, line, claim->why);
      return;
    }
  self->is_faulty = TRUE;
  if (g_hash_table_add (self->told, g_strdup (claim->what)))
    pen_report_error (loader->report, claim->place,
                      "%s would be used by every site: %s; put ${site} into it", claim->shown,
                      claim->why);
}

/*
 * pen_sites_add_claims:
 * @self: the rows
 * @loader: who has left a row
 *
 * Returns: whether no row before claims what this one does
 *
 * Threads: any
 */
gboolean
pen_sites_add_claims (PenSites *self, PenLoader *loader)
{
  gboolean is_good = TRUE;

  for (guint i = 0; i < loader->claims->len; i++)
    {
      const PenClaim *claim = g_ptr_array_index (loader->claims, i);
      guint line = GPOINTER_TO_UINT (g_hash_table_lookup (self->claims, claim->what));

      if (line == 0)
        continue;
      is_good = FALSE;
      pen_sites_tell_claim (self, loader, claim, line);
    }
  for (guint i = 0; is_good && i < loader->claims->len; i++)
    {
      const PenClaim *claim = g_ptr_array_index (loader->claims, i);

      g_hash_table_insert (self->claims, g_strdup (claim->what),
                           GUINT_TO_POINTER (loader->site_place.line));
    }
  return is_good;
}

static void
pen_sites_tell_rows (const PenSharedFinding *finding, PenReport *report)
{
  const PenDiagnostic *diagnostic = finding->diagnostic;
  gboolean is_error = diagnostic->level == PEN_DIAGNOSTIC_ERROR;
  guint n_places = finding->places->len;
  guint n_told = is_error ? n_places : 1;
  g_autofree char *rest
      = n_told < n_places ? g_strdup_printf (" (and so of %u more rows)", n_places - n_told) : NULL;

  for (guint i = 0; i < n_told; i++)
    {
      PenDiagnostic *told = g_new0 (PenDiagnostic, 1);
      PenPlace place = g_array_index (finding->places, PenPlace, i);

      told->level = diagnostic->level;
      told->file = g_strdup (diagnostic->file);
      told->line = place.line;
      told->column = place.column;
      told->message = g_strdup_printf ("%s%s", diagnostic->message, rest != NULL ? rest : "");
      pen_report_take (report, told);
    }
}

/* Of a single row, what stands in it is told there. */
static gboolean
pen_sites_is_of_all (const PenSites *self, const PenSharedFinding *finding)
{
  return finding->places->len == self->n_entered
         && (self->n_entered > 1 || finding->diagnostic->row_line == 0);
}

/*
 * pen_sites_finish:
 * @self: the rows
 * @loader: who has left the last one
 *
 * Tells what was found with rows, but not in them.
 *
 * Returns: whether nothing is wrong with what all sites have in common
 *
 * Threads: any
 */
gboolean
pen_sites_finish (PenSites *self, PenLoader *loader)
{
  for (guint i = 0; i < self->shared->len; i++)
    {
      PenSharedFinding *finding = g_ptr_array_index (self->shared, i);

      if (!pen_sites_is_of_all (self, finding))
        {
          pen_sites_tell_rows (finding, loader->report);
          continue;
        }
      self->is_faulty |= finding->diagnostic->level == PEN_DIAGNOSTIC_ERROR;
      pen_report_take (loader->report, g_steal_pointer (&finding->diagnostic));
    }
  loader->site = NULL;
  loader->site_place = (PenPlace){ 0, 0 };
  return !self->is_faulty;
}
