/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From files to definitions: the parts of the loader one after the other, once for a file, or with
 * [sites] once for all rows and again for each; and all files of folders.
 */

#include "config.h"

#include "pen-definition-private.h"
#include "pen-fleet.h"
#include "pen-suggest.h"
#include "pen-text-file.h"

#include <string.h>

#define FILE_SUFFIX ".pipeline"

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
  self->tests = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_draft_free);
  self->claims = g_ptr_array_new_with_free_func (pen_claim_free);
  self->interests = g_ptr_array_new_with_free_func (pen_held_interest_free);
  self->literals = g_hash_table_new (NULL, NULL);
  self->definitions = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_definition_unref);
  self->shared_path = g_ref_string_new (path);
}

static void
pen_loader_clear (PenLoader *self)
{
  g_free (self->folder);
  g_ptr_array_unref (self->drafts);
  g_ptr_array_unref (self->tests);
  g_ptr_array_unref (self->claims);
  g_ptr_array_unref (self->interests);
  g_hash_table_unref (self->literals);
  g_clear_pointer (&self->definitions, g_ptr_array_unref);
  g_ref_string_release (self->shared_path);
  g_clear_pointer (&self->sites, pen_sites_free);
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

/* The name that the file says or has, be there sites or not. */
static char *
pen_loader_get_base_name (const PenLoader *self)
{
  const PenKeyValue *name = pen_draft_find_value (self->settings, "name");

  /* not set, faulty, or only known on the target machine */
  if (name == NULL || !G_IS_VALUE (&name->value))
    return pen_loader_get_file_name (self);
  return g_value_dup_string (&name->value);
}

/* Whether each site says itself what its pipeline is called. */
static gboolean
pen_loader_has_site_name (const PenLoader *self)
{
  const PenKeyValue *name = pen_draft_find_value (self->settings, "name");

  return name != NULL && name->is_per_site;
}

static void
pen_loader_check_name (PenLoader *self)
{
  const PenKeyValue *name = pen_draft_find_value (self->settings, "name");
  g_autofree char *base = pen_loader_get_base_name (self);
  g_autofree char *quoted = pen_quote (base);

  if ((name != NULL && !G_IS_VALUE (&name->value)) || pen_name_is_valid (base))
    return;
  if (name != NULL)
    pen_report_error (self->report, name->place, "%s is not a name; " PEN_NAME_RULE, quoted);
  else
    pen_report_error (self->report, pen_draft_get_place (self->settings),
                      "the pipeline takes its name from the file, and %s is not a name; set "
                      "name= in [pipeline]; " PEN_NAME_RULE,
                      quoted);
}

/* The settings with a name in any case: NAME-SITE, unless NAME depends on the site already. */
static PenSettings *
pen_loader_make_settings (PenLoader *self)
{
  PenSettings *settings = pen_settings_new ();
  const PenKeyValue *name = pen_draft_find_value (self->settings, "name");
  gboolean is_whole = self->site == NULL || (name != NULL && name->is_per_site);
  g_autofree char *base = pen_loader_get_base_name (self);
  g_autofree char *full = NULL;

  if (is_whole && name != NULL && !G_IS_VALUE (&name->value))
    is_whole = self->site == NULL;
  full = is_whole ? g_strdup (base) : g_strconcat (base, "-", self->site, NULL);
  pen_key_values_apply (self->settings->values, G_OBJECT (settings));
  g_object_set (settings, "name", full, NULL);
  return settings;
}

/* The name of a site's pipeline; what is wrong with what all have in common was told. */
static void
pen_loader_check_site_name (PenLoader *self, PenSettings *settings)
{
  const char *name = pen_settings_get_name (settings);
  g_autofree char *base = pen_loader_get_base_name (self);
  g_autofree char *quoted = pen_quote (name);

  if (pen_loader_has_site_name (self))
    pen_loader_check_name (self);
  else if (pen_name_is_valid (base) && !pen_name_is_valid (name))
    pen_report_error (self->report, self->site_place,
                      "the pipeline of this site would be called %s; " PEN_NAME_RULE, quoted);
}

/* Where the name stands; the file's beginning if it is the file's. */
static PenPlace
pen_loader_get_name_place (const PenLoader *self)
{
  const PenKeyValue *name = pen_draft_find_value (self->settings, "name");

  if (self->site != NULL)
    return self->site_place;
  return name != NULL ? name->place : pen_draft_get_place (self->settings);
}

static void
pen_loader_add_definition (PenLoader *self, PenSettings *settings)
{
  g_ptr_array_add (self->definitions, pen_definition_new (self, g_object_ref (settings),
                                                          pen_loader_get_name_place (self)));
}

/* @settings: what is said of the pipeline as a whole, and of that site */
static void
pen_loader_check_site (PenLoader *self, PenSettings *settings)
{
  g_ptr_array_unref (self->claims);
  g_ptr_array_unref (self->interests);
  self->claims = g_ptr_array_new_with_free_func (pen_claim_free);
  self->interests = g_ptr_array_new_with_free_func (pen_held_interest_free);
  self->name = pen_settings_get_name (settings);
  pen_loader_check_elements (self);
  self->name = NULL;
}

static void
pen_loader_run_sites (PenLoader *self, gboolean is_good)
{
  PenSites *sites = self->sites;

  if (is_good)
    pen_sites_check_used (sites, self);
  for (guint i = 0; i < pen_sites_get_n_rows (sites); i++)
    {
      g_autoptr (PenSettings) settings = NULL;

      pen_sites_enter (sites, self, i);
      pen_loader_read_site_keys (self);
      settings = pen_loader_make_settings (self);
      pen_loader_check_site_name (self, settings);
      pen_loader_check_site (self, settings);
      if (pen_sites_leave (sites, self)
          && pen_sites_add_name (sites, self, pen_settings_get_name (settings))
          && pen_sites_add_claims (sites, self) && is_good)
        pen_loader_add_definition (self, settings);
    }
  if (!pen_sites_finish (sites, self))
    g_ptr_array_set_size (self->definitions, 0);
}

/* Whether there is no error but in the rows of sites. */
static gboolean
pen_loader_is_good (const PenLoader *self)
{
  const GPtrArray *findings = self->report->findings;

  if (self->report->n_errors == 0)
    return TRUE;
  if (self->sites == NULL || self->keyfile->is_incomplete || self->report->n_left_out > 0)
    return FALSE;
  for (guint i = 0; i < findings->len; i++)
    {
      const PenDiagnostic *diagnostic = g_ptr_array_index (findings, i);

      if (diagnostic->level == PEN_DIAGNOSTIC_ERROR
          && !pen_sites_has_line (self->sites, diagnostic->line))
        return FALSE;
    }
  return TRUE;
}

/* Fills the definitions. */
static void
pen_loader_run (PenLoader *self, const char *text, gsize length)
{
  gboolean wants_environment = (self->flags & PEN_DEFINITION_NO_ENVIRONMENT) == 0;
  g_autoptr (PenSettings) settings = NULL;

  self->substitution = pen_substitution_new (self->folder, wants_environment, self->report);
  self->keyfile = pen_keyfile_scan (text, length, self->report);
  self->is_incomplete = self->keyfile->is_incomplete;
  pen_loader_read_groups (self);
  pen_loader_read_keys (self);
  pen_loader_read_flow (self);
  pen_loader_check_tests (self);
  if (!pen_loader_has_site_name (self))
    pen_loader_check_name (self);
  if (self->sites != NULL)
    {
      pen_loader_run_sites (self, pen_loader_is_good (self));
      return;
    }
  settings = pen_loader_make_settings (self);
  self->name = pen_settings_get_name (settings);
  pen_loader_check_elements (self);
  self->name = NULL;
  if (pen_loader_is_good (self))
    pen_loader_add_definition (self, settings);
}

/* How many pipelines there are not that a good file would have; at least one, if it is faulty. */
static guint
pen_loader_count_faulty (const PenLoader *self)
{
  guint n_rows = self->sites == NULL ? 0 : pen_sites_count (self->sites);

  if (self->report->n_errors == 0)
    return 0;
  return self->definitions->len == 0 || n_rows <= self->definitions->len
             ? 1
             : n_rows - self->definitions->len;
}

/* Returns: (transfer full): all that are good */
static GPtrArray *
pen_definition_read (const char *path,
                     const char *text,
                     gsize length,
                     guint mode,
                     PenRegistry *registry,
                     PenDefinitionFlags flags,
                     GPtrArray *diagnostics,
                     guint *n_faulty)
{
  GPtrArray *definitions;
  PenReport report;
  PenLoader loader;

  pen_report_init (&report, path);
  pen_loader_init (&loader, path, registry, &report);
  loader.flags = flags;
  loader.mode = mode;
  pen_loader_run (&loader, text, length);
  *n_faulty = pen_loader_count_faulty (&loader);
  pen_report_finish (&report, diagnostics);
  definitions = g_steal_pointer (&loader.definitions);
  pen_loader_clear (&loader);
  return definitions;
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
 * Returns: (transfer full) (nullable): the definition, that of the first site if there are sites,
 *   or %NULL if there is any error
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
  guint n_faulty = 0;
  g_autoptr (GPtrArray) definitions
      = pen_definition_parse_sites (path, text, length, registry, flags, diagnostics, &n_faulty);

  return n_faulty == 0 ? pen_definition_ref (g_ptr_array_index (definitions, 0)) : NULL;
}

/*
 * pen_definition_parse_sites:
 * @path: what the text's file is called, or would be
 * @text: (array length=length): the text of a keyfile
 * @length: its bytes
 * @registry: where plugins are found
 * @flags: what to leave out
 * @diagnostics: (element-type PenDiagnostic): what all findings are appended to, in the order of
 *   lines
 * @n_faulty: (out): how many pipelines are not among those returned because they are faulty
 *
 * Returns: (transfer full) (element-type PenDefinition): the definition, or those of all sites that
 *   nothing is wrong with
 *
 * Threads: any
 */
GPtrArray *
pen_definition_parse_sites (const char *path,
                            const char *text,
                            gsize length,
                            PenRegistry *registry,
                            PenDefinitionFlags flags,
                            GPtrArray *diagnostics,
                            guint *n_faulty)
{
  return pen_definition_read (path, text, length, 0 /* mode */, registry, flags, diagnostics,
                              n_faulty);
}

/*
 * pen_definition_load_sites:
 * @path: a keyfile
 * @registry: where plugins are found
 * @flags: what to leave out
 * @diagnostics: (element-type PenDiagnostic): what all findings are appended to, in the order of
 *   lines
 * @n_faulty: (out): how many pipelines are not among those returned because they are faulty
 *
 * Returns: (transfer full) (element-type PenDefinition): the definition, or those of all sites that
 *   nothing is wrong with
 *
 * Threads: any
 */
GPtrArray *
pen_definition_load_sites (const char *path,
                           PenRegistry *registry,
                           PenDefinitionFlags flags,
                           GPtrArray *diagnostics,
                           guint *n_faulty)
{
  g_autoptr (GError) error = NULL;
  struct stat status = { 0 };
  g_autoptr (GString) text
      = pen_text_file_read (path, PEN_KEYFILE_MAX_BYTES, PEN_TEXT_FILE_FIFO, &status, &error);
  PenReport report;

  if (text != NULL)
    return pen_definition_read (path, text->str, text->len,
                                S_ISREG (status.st_mode) ? status.st_mode : 0, registry, flags,
                                diagnostics, n_faulty);
  pen_report_init (&report, path);
  pen_report_error (&report, (PenPlace){ 0, 0 }, "cannot be read: %s", error->message);
  pen_report_finish (&report, diagnostics);
  *n_faulty = 1;
  return g_ptr_array_new_with_free_func ((GDestroyNotify) pen_definition_unref);
}

/*
 * pen_definition_load:
 * @path: a keyfile
 * @registry: where plugins are found
 * @flags: what to leave out
 * @diagnostics: (element-type PenDiagnostic): what all findings are appended to, in the order of
 *   lines
 *
 * Returns: (transfer full) (nullable): the definition, that of the first site if there are sites,
 *   or %NULL if there is any error
 *
 * Threads: any
 */
PenDefinition *
pen_definition_load (const char *path,
                     PenRegistry *registry,
                     PenDefinitionFlags flags,
                     GPtrArray *diagnostics)
{
  guint n_faulty = 0;
  g_autoptr (GPtrArray) definitions
      = pen_definition_load_sites (path, registry, flags, diagnostics, &n_faulty);

  return n_faulty == 0 ? pen_definition_ref (g_ptr_array_index (definitions, 0)) : NULL;
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

/* Loads one file into @definitions; returns how many of its pipelines are faulty. */
static guint
pen_definition_load_into (GPtrArray *definitions,
                          PenFleet *fleet,
                          const char *path,
                          PenRegistry *registry,
                          PenDefinitionFlags flags,
                          GPtrArray *diagnostics)
{
  g_autoptr (GPtrArray) found = NULL;
  guint n_faulty = 0;

  if (!pen_fleet_add_file (fleet, path, diagnostics))
    return 1;
  found = pen_definition_load_sites (path, registry, flags, diagnostics, &n_faulty);
  for (guint i = 0; i < found->len; i++)
    {
      PenDefinition *definition = g_ptr_array_index (found, i);

      if (pen_fleet_add (fleet, definition, diagnostics))
        g_ptr_array_add (definitions, pen_definition_ref (definition));
      else
        n_faulty++;
    }
  return n_faulty;
}

/*
 * pen_definition_list_files:
 * @paths: (array zero-terminated=1): keyfiles, and folders of keyfiles
 * @diagnostics: (element-type PenDiagnostic): what is wrong with a folder is appended to it
 *
 * Returns: (transfer full) (element-type filename): the keyfiles
 *
 * Threads: any
 */
GPtrArray *
pen_definition_list_files (const char *const *paths, GPtrArray *diagnostics)
{
  GPtrArray *files = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; paths[i] != NULL; i++)
    {
      if (!g_file_test (paths[i], G_FILE_TEST_IS_DIR))
        g_ptr_array_add (files, g_strdup (paths[i]));
      else
        {
          GPtrArray *found = pen_definition_list_folder (paths[i], diagnostics);

          if (found != NULL)
            g_ptr_array_extend_and_steal (files, found);
        }
    }
  return files;
}

/*
 * pen_definition_load_all:
 * @paths: (array zero-terminated=1): keyfiles, and folders of keyfiles
 * @registry: where plugins are found
 * @flags: what to leave out
 * @diagnostics: (element-type PenDiagnostic): what all findings are appended to, file by file
 * @n_faulty: (out): how many pipelines are faulty, and folders that cannot be read
 *
 * One faulty file does not stop the others, nor does a faulty row of [sites] stop other rows.
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
                                               registry, flags, diagnostics);
    }
  return definitions;
}
