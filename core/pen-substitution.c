/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What stands in a keyfile for text from elsewhere:
 *
 *   ${env:NAME}  ${env:NAME:-default}  ${file:PATH}  ${credential:NAME}  ${NAME}  $$
 *
 * A '$' before anything else is itself, so that `$share/group/topic` needs nothing. What was put in
 * is not looked at again: a password may hold a dollar sign. A default is plain text up to the
 * brace and stands for a variable that is not set or empty, as in a shell. The value of a variable
 * is expanded once, where it stands, and can refer to everything but other variables, so that
 * there are no circles. The same holds for what each row of [sites] gives to its columns.
 *
 * All that is wrong with a text is told, each at its own place. What comes from a file, from a
 * credential, or by a reference that a secret uses too, is marked: no message may show it.
 */

#include "config.h"

#include "pen-substitution.h"
#include "pen-suggest.h"
#include "pen-text-file.h"

#include <string.h>

#define MAX_FILE_BYTES (64 * 1024)
#define MAX_EXPANDED_BYTES (256 * 1024)

typedef struct
{
  char *text;
  PenPlace place;
  PenExpansion expansion;
  gboolean is_good;
  gboolean is_site; /* another value for each site */
  gboolean is_used; /* by a key; only known of those that are another value for each site */
} PenVariable;

struct _PenSubstitution
{
  char *folder; /* what paths are relative to */
  gboolean wants_environment;
  PenReport *report;
  GHashTable *variables;     /* name to PenVariable */
  GPtrArray *variable_names; /* (element-type utf8), as they stand in the file */
  gboolean has_sites;
  GHashTable *hidden; /* references, without braces and defaults, that secrets use */
};

/* One text on its way. */
typedef struct
{
  PenSubstitution *substitution;
  PenPlace place;       /* of the text's first byte */
  guint flags;          /* of PenExpandFlags */
  gboolean is_variable; /* the text is that of a variable, and may not use others */
  gboolean is_good;
  gboolean is_known; /* FALSE: a part of it is only known on the target machine */
  GString *text;
  PenExpansion *expansion;
} PenExpander;

/* Variables as another process has them; NULL: our own. Set before anything is loaded. */
static const char *const *substitution_environment;

/*
 * pen_substitution_set_environment:
 * @environment: (nullable) (array zero-terminated=1): `NAME=value` each, to be kept by the caller
 *
 * Whose variables keyfiles refer to: those of @environment, or of this process. Affects all that
 * is loaded afterwards, on every thread.
 *
 * Threads: main, before anything runs
 */
void
pen_substitution_set_environment (const char *const *environment)
{
  substitution_environment = environment;
}

static const char *
pen_substitution_get_variable (const char *name)
{
  return substitution_environment == NULL
             ? g_getenv (name)
             : g_environ_getenv ((char **) substitution_environment, name);
}

static void
pen_variable_free (gpointer data)
{
  PenVariable *variable = data;

  pen_expansion_clear (&variable->expansion);
  g_free (variable->text);
  g_free (variable);
}

/*
 * pen_expansion_clear:
 * @self: what became of a value
 *
 * Threads: any
 */
void
pen_expansion_clear (PenExpansion *self)
{
  g_clear_pointer (&self->text, g_free);
  g_clear_pointer (&self->file, g_free);
}

static PenPlace
pen_expander_place (const PenExpander *self, gsize offset)
{
  return (PenPlace){ self->place.line, self->place.column + (guint) offset };
}

static void G_GNUC_PRINTF (3, 4)
    pen_expander_fail (PenExpander *self, gsize offset, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->is_good = FALSE;
  pen_report_error (self->substitution->report, pen_expander_place (self, offset), "%s", message);
}

/* Text of the value for a message. A secret may hold a brace by mistake: it is not shown then. */
static char *
pen_expander_quote (PenExpander *self, const char *text)
{
  return self->flags & PEN_EXPAND_SECRET ? g_strdup ("what stands here") : pen_quote (text);
}

/* The whole file without the newline at its end. */
static void
pen_expander_put_file (PenExpander *self, gsize offset, const char *what, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) content
      = pen_text_file_read (path, MAX_FILE_BYTES, PEN_TEXT_FILE_NONE, NULL, &error);

  if (content == NULL)
    {
      pen_expander_fail (self, offset, "%s cannot be read: '%s': %s", what, path, error->message);
      return;
    }
  if (!g_utf8_validate_len (content->str, content->len, NULL))
    {
      pen_expander_fail (self, offset, "%s cannot be used: '%s': it is not UTF-8 text", what, path);
      return;
    }
  if (g_str_has_suffix (content->str, "\n"))
    g_string_truncate (content, content->len - 1);
  if (g_str_has_suffix (content->str, "\r"))
    g_string_truncate (content, content->len - 1);
  g_string_append_len (self->text, content->str, (gssize) content->len);
}

/* Whether @name can be the name of a file in a folder, and no path that leads out of it. */
static gboolean
pen_expander_is_file_name (const char *name)
{
  return *name != '\0' && strchr (name, '/') == NULL && !g_str_equal (name, ".")
         && !g_str_equal (name, "..");
}

static gboolean
pen_expander_is_variable_name (const char *name)
{
  gsize length = strspn (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-.");

  return length > 0 && name[length] == '\0';
}

/* A default would be a secret in the file, so none is proposed for one. */
static void
pen_expander_fail_unset (PenExpander *self, gsize offset, const char *name)
{
  if (self->flags & PEN_EXPAND_SECRET)
    pen_expander_fail (self, offset,
                       "the environment variable '%s' is not set; set it, or take the secret from "
                       "${file:PATH} or ${credential:NAME}",
                       name);
  else
    pen_expander_fail (self, offset,
                       "the environment variable '%s' is not set; set it, or give it a default: "
                       "${env:%s:-default}",
                       name, name);
}

static void
pen_expander_put_environment (PenExpander *self, gsize offset, const char *reference)
{
  const char *separator = strstr (reference, ":-");
  const char *fallback = separator == NULL ? NULL : separator + strlen (":-");
  g_autofree char *name = separator == NULL
                              ? g_strdup (reference)
                              : g_strndup (reference, (gsize) (separator - reference));
  gboolean wants_environment = self->substitution->wants_environment;
  const char *value = wants_environment ? pen_substitution_get_variable (name) : NULL;

  self->expansion->origins |= PEN_ORIGIN_ENVIRONMENT;
  if (fallback != NULL && *fallback != '\0')
    self->expansion->origins |= PEN_ORIGIN_DEFAULT;
  if (!pen_expander_is_variable_name (name))
    {
      g_autofree char *quoted = pen_expander_quote (self, name);

      pen_expander_fail (self, offset,
                         "%s is not the name of an environment variable; write ${env:NAME} or "
                         "${env:NAME:-default}",
                         quoted);
      return;
    }
  if (fallback != NULL && (value == NULL || *value == '\0'))
    value = fallback;
  if (value == NULL && !wants_environment)
    self->is_known = FALSE;
  else if (value == NULL)
    pen_expander_fail_unset (self, offset, name);
  else if (!g_utf8_validate (value, -1, NULL))
    pen_expander_fail (self, offset, "the environment variable '%s' is not UTF-8 text", name);
  else
    g_string_append (self->text, value);
}

static void
pen_expander_put_path (PenExpander *self, gsize offset, const char *reference)
{
  g_autofree char *path = NULL;

  self->expansion->origins |= PEN_ORIGIN_FILE;
  self->expansion->is_hidden = TRUE;
  if (*reference == '\0')
    {
      pen_expander_fail (self, offset, "${file:} names no file; write ${file:PATH}");
      return;
    }
  if (!self->substitution->wants_environment)
    {
      self->is_known = FALSE;
      return;
    }
  path = g_path_is_absolute (reference)
             ? g_strdup (reference)
             : g_build_filename (self->substitution->folder, reference, NULL);
  pen_expander_put_file (self, offset, "the file", path);
  g_free (self->expansion->file);
  self->expansion->file = g_steal_pointer (&path);
}

static void
pen_expander_put_credential (PenExpander *self, gsize offset, const char *reference)
{
  const char *folder = pen_substitution_get_variable ("CREDENTIALS_DIRECTORY");
  g_autofree char *path = NULL;
  g_autofree char *what = NULL;

  self->expansion->origins |= PEN_ORIGIN_CREDENTIAL;
  self->expansion->is_hidden = TRUE;
  if (!pen_expander_is_file_name (reference))
    {
      g_autofree char *quoted = pen_expander_quote (self, reference);

      pen_expander_fail (self, offset,
                         "%s is not the name of a credential; write ${credential:NAME}", quoted);
      return;
    }
  if (!self->substitution->wants_environment)
    {
      self->is_known = FALSE;
      return;
    }
  if (folder == NULL || *folder == '\0')
    {
      pen_expander_fail (self, offset,
                         "there is no credential '%s': systemd passed none to this process "
                         "(CREDENTIALS_DIRECTORY is not set); see LoadCredential= in systemd.exec",
                         reference);
      return;
    }
  path = g_build_filename (folder, reference, NULL);
  what = g_strdup_printf ("the credential '%s'", reference);
  pen_expander_put_file (self, offset, what, path);
}

static void
pen_expander_fail_variable (PenExpander *self, gsize offset, const char *name)
{
  const char *where = "not in [variables]";
  g_autofree char *quoted = pen_expander_quote (self, name);
  g_autofree char *hint = NULL;

  if (!pen_expander_is_variable_name (name))
    {
      pen_expander_fail (self, offset,
                         "%s is not the name of a variable; write ${NAME}, ${env:NAME}, "
                         "${file:PATH} or ${credential:NAME}, or $$ for a dollar sign",
                         quoted);
      return;
    }
  hint = pen_suggest_hint (name, self->substitution->variable_names);
  if (self->substitution->has_sites)
    where = "neither in [variables] nor a column of [sites]";
  if (*hint == '\0')
    pen_expander_fail (self, offset,
                       "%s is %s; an environment variable is written ${env:NAME}, "
                       "and a dollar sign $$",
                       quoted, where);
  else
    pen_expander_fail (self, offset, "%s is %s%s", quoted, where, hint);
}

static void
pen_expander_put_variable (PenExpander *self, gsize offset, const char *name)
{
  PenVariable *variable = g_hash_table_lookup (self->substitution->variables, name);

  if (self->is_variable)
    {
      pen_expander_fail (self, offset, "a variable cannot use another variable");
      return;
    }
  if (variable == NULL)
    {
      pen_expander_fail_variable (self, offset, name);
      return;
    }
  self->expansion->origins |= variable->expansion.origins;
  self->expansion->is_hidden |= variable->expansion.is_hidden;
  if (variable->expansion.file != NULL)
    {
      g_free (self->expansion->file);
      self->expansion->file = g_strdup (variable->expansion.file);
    }
  if (variable->is_site
      && (self->expansion->site_place.line == 0 || !g_str_equal (name, PEN_SITE_VARIABLE)))
    self->expansion->site_place = variable->place;
  if (!variable->is_good)
    self->is_good = FALSE; /* told where it stands */
  else if (variable->expansion.text == NULL)
    self->is_known = FALSE;
  else
    g_string_append (self->text, variable->expansion.text);
}

/* What a secret and another value have in common, be their defaults what they may. */
static char *
pen_substitution_get_origin (const char *reference)
{
  const char *fallback = g_str_has_prefix (reference, "env:") ? strstr (reference, ":-") : NULL;

  return fallback == NULL ? g_strdup (reference)
                          : g_strndup (reference, (gsize) (fallback - reference));
}

/*
 * pen_substitution_is_hidden:
 * @self: a substitution
 * @reference: what stands between the braces
 *
 * Returns: whether a secret uses it, so that no message may show it
 *
 * Threads: any
 */
gboolean
pen_substitution_is_hidden (PenSubstitution *self, const char *reference)
{
  g_autofree char *origin = pen_substitution_get_origin (reference);

  return g_hash_table_contains (self->hidden, origin);
}

static void
pen_expander_fail_scheme (PenExpander *self, gsize offset, const char *scheme, gboolean has_default)
{
  static const char *const schemes[] = { "env", "file", "credential" };
  const char *nearest = pen_suggest (scheme, schemes, G_N_ELEMENTS (schemes));
  g_autofree char *quoted = pen_expander_quote (self, scheme);

  if (has_default)
    pen_expander_fail (self, offset,
                       "only an environment variable has a default: ${env:NAME:-default}");
  else if (nearest != NULL)
    pen_expander_fail (self, offset, "%s is no kind of substitution; did you mean '%s'?", quoted,
                       nearest);
  else
    pen_expander_fail (self, offset,
                       "%s is no kind of substitution; there are ${NAME}, ${env:NAME}, "
                       "${file:PATH} and ${credential:NAME}",
                       quoted);
}

/* @reference is what stands between the braces. */
static void
pen_expander_put_reference (PenExpander *self, gsize offset, const char *reference)
{
  const char *colon = strchr (reference, ':');
  g_autofree char *scheme
      = colon == NULL ? NULL : g_strndup (reference, (gsize) (colon - reference));

  self->expansion->is_replaced = TRUE;
  if (pen_substitution_is_hidden (self->substitution, reference))
    self->expansion->is_hidden = TRUE;
  if (strstr (reference, "${") != NULL)
    pen_expander_fail (self, offset, "a substitution cannot stand within another one");
  else if (colon == NULL)
    pen_expander_put_variable (self, offset, reference);
  else if (g_str_equal (scheme, "env"))
    pen_expander_put_environment (self, offset, colon + 1);
  else if (g_str_equal (scheme, "file"))
    pen_expander_put_path (self, offset, colon + 1);
  else if (g_str_equal (scheme, "credential"))
    pen_expander_put_credential (self, offset, colon + 1);
  else
    pen_expander_fail_scheme (self, offset, scheme, colon[1] == '-');
}

/* Handles what begins with a '$' at @offset; returns how many bytes of @text that took. */
static gsize
pen_expander_put_dollar (PenExpander *self, const char *text, gsize offset)
{
  const char *start = text + offset;
  const char *end;
  g_autofree char *reference = NULL;

  if (start[1] == '$')
    {
      g_string_append_c (self->text, '$');
      self->expansion->origins |= PEN_ORIGIN_LITERAL;
      return 2;
    }
  if (start[1] != '{')
    {
      g_string_append_c (self->text, '$');
      self->expansion->origins |= PEN_ORIGIN_LITERAL;
      return 1;
    }
  end = strchr (start, '}');
  if (end == NULL)
    {
      pen_expander_fail (self, offset,
                         self->flags & PEN_EXPAND_LIST_ITEM
                             ? "this '${' has no '}'; a list is split at ';' first, so write '\\;' "
                               "for a ';' within the braces, and '$$' for a dollar sign"
                             : "this '${' has no '}'; for a dollar sign, write '$$'");
      return strlen (start);
    }
  reference = g_strndup (start + 2, (gsize) (end - start - 2));
  if (self->flags & PEN_EXPAND_LIST_ITEM)
    {
      g_auto (GStrv) parts = g_strsplit (reference, "\\;", -1);
      g_autofree char *unescaped = g_strjoinv (";", parts);

      pen_expander_put_reference (self, offset, unescaped);
    }
  else
    pen_expander_put_reference (self, offset, reference);
  return (gsize) (end - start) + 1;
}

/*
 * pen_substitution_new:
 * @folder: what paths are relative to
 * @wants_environment: whether to look at environment variables, files and credentials
 * @report: where faults are told; must live as long as the substitution
 *
 * Returns: (transfer full): a substitution without variables
 *
 * Threads: any
 */
PenSubstitution *
pen_substitution_new (const char *folder, gboolean wants_environment, PenReport *report)
{
  PenSubstitution *self = g_new0 (PenSubstitution, 1);

  self->folder = g_strdup (folder);
  self->wants_environment = wants_environment;
  self->report = report;
  self->variables = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, pen_variable_free);
  self->variable_names = g_ptr_array_new_with_free_func (g_free);
  self->hidden = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

/*
 * pen_substitution_want_environment:
 * @self: a substitution
 * @wants_environment: whether to look at environment variables, files and credentials from now on
 *
 * Threads: any
 */
void
pen_substitution_want_environment (PenSubstitution *self, gboolean wants_environment)
{
  self->wants_environment = wants_environment;
}

/*
 * pen_substitution_free:
 * @self: (transfer full): a substitution
 *
 * Threads: any
 */
void
pen_substitution_free (PenSubstitution *self)
{
  g_hash_table_unref (self->variables);
  g_ptr_array_unref (self->variable_names);
  g_hash_table_unref (self->hidden);
  g_free (self->folder);
  g_free (self);
}

static gboolean
pen_substitution_run (PenSubstitution *self,
                      const char *text,
                      guint flags,
                      gboolean is_variable,
                      PenPlace place,
                      PenExpansion *expansion)
{
  PenExpander expander = { .substitution = self,
                           .place = place,
                           .flags = flags,
                           .is_variable = is_variable,
                           .is_good = TRUE,
                           .is_known = TRUE,
                           .expansion = expansion };
  g_autoptr (GString) expanded = g_string_new (NULL);
  gsize offset = 0;

  *expansion = (PenExpansion){ 0 };
  expander.text = expanded;
  while (text[offset] != '\0' && expanded->len <= MAX_EXPANDED_BYTES)
    {
      if (text[offset] == '$')
        {
          offset += pen_expander_put_dollar (&expander, text, offset);
          continue;
        }
      if ((flags & PEN_EXPAND_LIST_ITEM) && text[offset] == '\\' && text[offset + 1] == ';')
        offset++;
      expansion->origins |= PEN_ORIGIN_LITERAL;
      g_string_append_c (expanded, text[offset]);
      offset++;
    }
  if (expanded->len > MAX_EXPANDED_BYTES)
    pen_expander_fail (&expander, 0,
                       "this value is too long with what was put in; at most %d bytes",
                       MAX_EXPANDED_BYTES);
  if (expander.is_good && expander.is_known)
    expansion->text = g_string_free (g_steal_pointer (&expanded), FALSE);
  return expander.is_good;
}

/*
 * pen_substitution_add_variable:
 * @self: a substitution
 * @name: name of the variable
 * @text: its text in the keyfile
 * @place: where that stands
 *
 * What is wrong with the text is told at once, and only once.
 *
 * Threads: any
 */
void
pen_substitution_add_variable (PenSubstitution *self,
                               const char *name,
                               const char *text,
                               PenPlace place)
{
  PenVariable *variable = g_new0 (PenVariable, 1);

  variable->text = g_strdup (text);
  variable->place = place;
  variable->is_good = pen_substitution_run (self, text, 0, TRUE, place, &variable->expansion);
  if (g_hash_table_replace (self->variables, g_strdup (name), variable))
    g_ptr_array_add (self->variable_names, g_strdup (name));
}

/*
 * pen_substitution_add_site_variable:
 * @self: a substitution
 * @name: name of the variable
 *
 * Threads: any
 */
void
pen_substitution_add_site_variable (PenSubstitution *self, const char *name)
{
  PenVariable *variable = g_new0 (PenVariable, 1);

  self->has_sites = TRUE;
  variable->is_site = TRUE;
  if (g_hash_table_replace (self->variables, g_strdup (name), variable))
    g_ptr_array_add (self->variable_names, g_strdup (name));
}

/*
 * pen_substitution_set_site_variable:
 * @self: a substitution
 * @name: a variable that was added by pen_substitution_add_site_variable ()
 * @text: its text in the row of a site, where `\;` is a semicolon
 * @place: where that stands
 *
 * What is wrong with the text is told at once.
 *
 * Returns: whether nothing is wrong
 *
 * Threads: any
 */
gboolean
pen_substitution_set_site_variable (PenSubstitution *self,
                                    const char *name,
                                    const char *text,
                                    PenPlace place)
{
  PenVariable *variable = g_hash_table_lookup (self->variables, name);
  guint flags = PEN_EXPAND_LIST_ITEM;

  if (pen_substitution_is_hidden (self, name))
    flags |= PEN_EXPAND_SECRET;
  pen_expansion_clear (&variable->expansion);
  variable->place = place;
  variable->is_good = pen_substitution_run (self, text, flags, TRUE, place, &variable->expansion);
  return variable->is_good;
}

/*
 * pen_substitution_has_variable:
 * @self: a substitution
 * @name: name of a variable
 *
 * Returns: whether it was added
 *
 * Threads: any
 */
gboolean
pen_substitution_has_variable (PenSubstitution *self, const char *name)
{
  return g_hash_table_contains (self->variables, name);
}

/*
 * pen_substitution_is_used:
 * @self: a substitution
 * @name: a variable that was added by pen_substitution_add_site_variable ()
 *
 * Returns: whether a text that was looked at uses it
 *
 * Threads: any
 */
gboolean
pen_substitution_is_used (PenSubstitution *self, const char *name)
{
  const PenVariable *variable = g_hash_table_lookup (self->variables, name);

  return variable != NULL && variable->is_used;
}

typedef void (*PenReferenceFunc) (PenSubstitution *self, const char *reference, gpointer user_data);

/* Calls @func with what stands between the braces of each `${...}` in @text. */
static void
pen_substitution_foreach_reference (PenSubstitution *self,
                                    const char *text,
                                    PenReferenceFunc func,
                                    gpointer user_data)
{
  const char *start = strchr (text, '$');

  while (start != NULL)
    {
      const char *end = start[1] == '{' ? strchr (start, '}') : NULL;
      g_autofree char *reference
          = end == NULL ? NULL : g_strndup (start + 2, (gsize) (end - start - 2));

      if (reference != NULL)
        func (self, reference, user_data);
      start = start[1] == '\0' ? NULL : strchr (start + (start[1] == '$' ? 2 : 1), '$');
    }
}

static void
pen_substitution_look_for_site (PenSubstitution *self, const char *reference, gpointer user_data)
{
  PenVariable *variable = g_hash_table_lookup (self->variables, reference);
  gboolean *depends = user_data;

  if (variable == NULL || !variable->is_site)
    return;
  variable->is_used = TRUE;
  *depends = TRUE;
}

/*
 * pen_substitution_depends_on_site:
 * @self: a substitution
 * @text: a value in the keyfile
 *
 * Returns: whether it may be another one for each site
 *
 * Threads: any
 */
gboolean
pen_substitution_depends_on_site (PenSubstitution *self, const char *text)
{
  gboolean depends = FALSE;

  pen_substitution_foreach_reference (self, text, pen_substitution_look_for_site, &depends);
  return depends;
}

static void
pen_substitution_hide_reference (PenSubstitution *self, const char *reference, gpointer user_data)
{
  g_hash_table_add (self->hidden, pen_substitution_get_origin (reference));
}

static void
pen_substitution_hide_references (PenSubstitution *self, const char *text)
{
  pen_substitution_foreach_reference (self, text, pen_substitution_hide_reference, NULL);
}

/*
 * pen_substitution_hide:
 * @self: a substitution
 * @text: the text of a secret in the keyfile
 *
 * Remembers what @text refers to, so that nothing which uses the same is shown: a password does not
 * become harmless by being in the wrong place as well.
 *
 * Threads: any
 */
void
pen_substitution_hide (PenSubstitution *self, const char *text)
{
  GHashTableIter iterator;
  gpointer name;
  gpointer variable;

  pen_substitution_hide_references (self, text);
  g_hash_table_iter_init (&iterator, self->variables);
  while (g_hash_table_iter_next (&iterator, &name, &variable))
    {
      if (((PenVariable *) variable)->text != NULL && g_hash_table_contains (self->hidden, name))
        pen_substitution_hide_references (self, ((PenVariable *) variable)->text);
    }
}

/*
 * pen_substitution_expand:
 * @self: a substitution
 * @text: a value, or an item of a list
 * @flags: of #PenExpandFlags
 * @place: where @text stands
 * @expansion: (out): what became of it, also when something is wrong
 *
 * Returns: whether nothing is wrong
 *
 * Threads: any
 */
gboolean
pen_substitution_expand (PenSubstitution *self,
                         const char *text,
                         guint flags,
                         PenPlace place,
                         PenExpansion *expansion)
{
  return pen_substitution_run (self, text, flags, FALSE, place, expansion);
}
