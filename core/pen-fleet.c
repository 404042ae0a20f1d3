/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What only shows across keyfiles: two pipelines of one name, two that use what only one may (a
 * claim), two that read the same (an interest). The first of two is right, the second is told.
 *
 * Claims are compared as text. Interests are compared by a function of the plugin's, which costs
 * too much for each pair of a fleet of thousands: they are kept by their prefix in a tree, and only
 * those are compared of which one prefix begins with the other.
 */

#include "config.h"

#include "pen-fleet.h"

#include "pen-definition-private.h"

#include <string.h>

/* More than these bytes of a prefix tell hardly any two apart, and each byte is a look-up. */
#define MAX_PREFIX_BYTES 128

struct _PenFleet
{
  GPtrArray *definitions; /* (element-type PenDefinition), which keep everything below alive */
  GHashTable *names;      /* name of a pipeline to its PenDefinition */
  GHashTable *claims;     /* what is claimed to the PenDefinition that has it */
  GHashTable *places;     /* where something is read to a GTree: prefix to GPtrArray of PenReader */
  GHashTable *files;      /* absolute paths */
  GHashTable *told;       /* overlaps that all sites of a file have in common */
  guint n_readers;
};

/* One interest of the fleet, and its place in the order in which they came. */
typedef struct
{
  const PenDefinition *definition;
  const PenHeldInterest *held;
  guint order;
} PenReader;

static int
pen_fleet_compare_prefixes (gconstpointer a, gconstpointer b, gpointer user_data)
{
  return strcmp (a, b);
}

/*
 * pen_fleet_new:
 *
 * Returns: (transfer full): a fleet without pipelines
 *
 * Threads: any
 */
PenFleet *
pen_fleet_new (void)
{
  PenFleet *self = g_new0 (PenFleet, 1);

  self->definitions = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_definition_unref);
  self->names = g_hash_table_new (g_str_hash, g_str_equal);
  self->claims = g_hash_table_new (g_str_hash, g_str_equal);
  self->places = g_hash_table_new_full (g_str_hash, g_str_equal, NULL /* a definition's */,
                                        (GDestroyNotify) g_tree_unref);
  self->files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

/*
 * pen_fleet_free:
 * @self: (transfer full): a fleet
 *
 * Threads: any
 */
void
pen_fleet_free (PenFleet *self)
{
  g_hash_table_unref (self->places);
  g_hash_table_unref (self->claims);
  g_hash_table_unref (self->names);
  g_hash_table_unref (self->files);
  g_hash_table_unref (self->told);
  g_ptr_array_unref (self->definitions);
  g_free (self);
}

static void G_GNUC_PRINTF (5, 6) pen_fleet_tell (const char *path,
                                                 PenPlace place,
                                                 PenDiagnosticLevel level,
                                                 GPtrArray *diagnostics,
                                                 const char *format,
                                                 ...)
{
  g_autofree char *message = NULL;
  PenReport report;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  pen_report_init (&report, path);
  if (level == PEN_DIAGNOSTIC_ERROR)
    pen_report_error (&report, place, "%s", message);
  else
    pen_report_warning (&report, place, "%s", message);
  pen_report_finish (&report, diagnostics);
}

static gboolean
pen_fleet_has_name (const PenFleet *self, const PenDefinition *definition, GPtrArray *diagnostics)
{
  const char *name = pen_definition_get_name (definition);
  const PenDefinition *first = g_hash_table_lookup (self->names, name);

  if (first == NULL)
    return FALSE;
  pen_fleet_tell (pen_definition_get_path (definition), pen_definition_get_name_place (definition),
                  PEN_DIAGNOSTIC_ERROR, diagnostics,
                  "there is a pipeline '%s' already, in '%s'; a name is used once", name,
                  pen_definition_get_path (first));
  return TRUE;
}

static gboolean
pen_fleet_has_claims (const PenFleet *self, const PenDefinition *definition, GPtrArray *diagnostics)
{
  const GPtrArray *claims = pen_definition_get_claims (definition);
  gboolean has_any = FALSE;

  for (guint i = 0; i < claims->len; i++)
    {
      const PenClaim *claim = g_ptr_array_index (claims, i);
      const PenDefinition *first = g_hash_table_lookup (self->claims, claim->what);

      if (first == NULL)
        continue;
      has_any = TRUE;
      pen_fleet_tell (pen_definition_get_path (definition), claim->place, PEN_DIAGNOSTIC_ERROR,
                      diagnostics, "%s is used in '%s' already: %s", claim->shown,
                      pen_definition_get_path (first), claim->why);
    }
  return has_any;
}

static gboolean
pen_reader_overlaps (const PenReader *self, const PenReader *other)
{
  const PenInterest *interest = &self->held->interest;
  const PenInterest *others = &other->held->interest;

  return (self->definition != other->definition || self->held->element != other->held->element)
         && interest->overlaps == others->overlaps
         && interest->overlaps (interest->what, others->what);
}

/* The earlier of @nearest and the first of @readers that overlaps @reader. */
static const PenReader *
pen_fleet_find_in (const GPtrArray *readers, const PenReader *reader, const PenReader *nearest)
{
  for (guint i = 0; readers != NULL && i < readers->len; i++)
    {
      const PenReader *other = g_ptr_array_index (readers, i);

      if (nearest != NULL && other->order > nearest->order)
        return nearest;
      if (pen_reader_overlaps (reader, other))
        return other;
    }
  return nearest;
}

static char *
pen_fleet_get_prefix (const PenReader *reader)
{
  return g_strndup (reader->held->interest.prefix, MAX_PREFIX_BYTES);
}

/* The first reader that overlaps @reader: its prefix is a beginning of @reader's, or begins with
 * that. */
static const PenReader *
pen_fleet_find_overlap (GTree *readers, const PenReader *reader)
{
  g_autofree char *prefix = pen_fleet_get_prefix (reader);
  g_autofree char *beginning = g_strdup (prefix);
  const PenReader *nearest = NULL;

  for (gsize length = strlen (prefix); length > 0; length--)
    {
      beginning[length - 1] = '\0';
      nearest = pen_fleet_find_in (g_tree_lookup (readers, beginning), reader, nearest);
    }
  for (GTreeNode *node = g_tree_lower_bound (readers, prefix);
       node != NULL && g_str_has_prefix (g_tree_node_key (node), prefix);
       node = g_tree_node_next (node))
    nearest = pen_fleet_find_in (g_tree_node_value (node), reader, nearest);
  return nearest;
}

static void
pen_fleet_add_reader (GTree *readers, const PenReader *reader)
{
  g_autofree char *prefix = pen_fleet_get_prefix (reader);
  GPtrArray *group = g_tree_lookup (readers, prefix);

  if (group == NULL)
    {
      group = g_ptr_array_new_with_free_func (g_free);
      g_tree_insert (readers, g_steal_pointer (&prefix), group);
    }
  g_ptr_array_add (group, g_memdup2 (reader, sizeof *reader));
}

/* What many sites of a file read is told once. */
static gboolean
pen_fleet_tell_common (PenFleet *self,
                       const PenReader *reader,
                       const PenReader *first,
                       GPtrArray *diagnostics)
{
  const PenHeldInterest *held = reader->held;
  const char *path = pen_definition_get_path (reader->definition);

  if (first->definition == reader->definition
      || !g_str_equal (path, pen_definition_get_path (first->definition))
      || !g_str_equal (held->interest.what, first->held->interest.what))
    return FALSE;
  if (g_hash_table_add (self->told, g_strdup_printf ("%s %s", path, held->interest.what)))
    pen_fleet_tell (path, held->place, PEN_DIAGNOSTIC_WARNING, diagnostics,
                    "'%s' is read by more than one site: %s", held->shown, held->interest.why);
  return TRUE;
}

static void
pen_fleet_tell_overlap (PenFleet *self,
                        const PenReader *reader,
                        const PenReader *first,
                        GPtrArray *diagnostics)
{
  g_autofree char *file = NULL;

  if (pen_fleet_tell_common (self, reader, first, diagnostics))
    return;
  if (first->definition != reader->definition)
    file = g_strdup_printf ("'%s', ", pen_definition_get_path (first->definition));
  pen_fleet_tell (pen_definition_get_path (reader->definition), reader->held->place,
                  PEN_DIAGNOSTIC_WARNING, diagnostics, "'%s' overlaps '%s' in %sline %u: %s",
                  reader->held->shown, first->held->shown, file != NULL ? file : "",
                  first->held->place.line, reader->held->interest.why);
}

/* Tells of each interest of @definition that another had before. */
static void
pen_fleet_take_interests (PenFleet *self, const PenDefinition *definition, GPtrArray *diagnostics)
{
  const GPtrArray *interests = pen_definition_get_interests (definition);

  for (guint i = 0; i < interests->len; i++)
    {
      const PenHeldInterest *held = g_ptr_array_index (interests, i);
      PenReader reader = { .definition = definition, .held = held };
      GTree *readers = g_hash_table_lookup (self->places, held->interest.where);
      const PenReader *first = NULL;

      if (readers == NULL)
        {
          readers = g_tree_new_full (pen_fleet_compare_prefixes, NULL /* user_data */, g_free,
                                     (GDestroyNotify) g_ptr_array_unref);
          g_hash_table_insert (self->places, (gpointer) held->interest.where, readers);
        }
      reader.order = self->n_readers++;
      first = pen_fleet_find_overlap (readers, &reader);
      if (first != NULL)
        pen_fleet_tell_overlap (self, &reader, first, diagnostics);
      pen_fleet_add_reader (readers, &reader);
    }
}

/*
 * pen_fleet_add_file:
 * @self: a fleet
 * @path: a keyfile
 * @diagnostics: (element-type PenDiagnostic): what all findings are appended to
 *
 * Returns: whether it was not there before
 *
 * Threads: any
 */
gboolean
pen_fleet_add_file (PenFleet *self, const char *path, GPtrArray *diagnostics)
{
  if (g_hash_table_add (self->files, g_canonicalize_filename (path, NULL)))
    return TRUE;
  pen_fleet_tell (path, (PenPlace){ 0, 0 }, PEN_DIAGNOSTIC_ERROR, diagnostics,
                  "this file is given twice");
  return FALSE;
}

/*
 * pen_fleet_add:
 * @self: a fleet
 * @definition: a pipeline
 * @diagnostics: (element-type PenDiagnostic): what all findings are appended to
 *
 * Returns: whether @definition fits to those before it, and is one of them now
 *
 * Threads: any
 */
gboolean
pen_fleet_add (PenFleet *self, PenDefinition *definition, GPtrArray *diagnostics)
{
  const GPtrArray *claims = pen_definition_get_claims (definition);

  if (pen_fleet_has_name (self, definition, diagnostics)
      || pen_fleet_has_claims (self, definition, diagnostics))
    return FALSE;
  g_ptr_array_add (self->definitions, pen_definition_ref (definition));
  g_hash_table_insert (self->names, (gpointer) pen_definition_get_name (definition), definition);
  for (guint i = 0; i < claims->len; i++)
    {
      const PenClaim *claim = g_ptr_array_index (claims, i);

      g_hash_table_insert (self->claims, claim->what, definition);
    }
  pen_fleet_take_interests (self, definition, diagnostics);
  return TRUE;
}
