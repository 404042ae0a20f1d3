/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A column as a keyfile declares it: NAME, or "NAME WITH BLANKS", what SQL says of it, and where
 * its value comes from. The names are quoted wherever they go into SQL, since they may come from an
 * event; what SQL says of them comes from the keyfile alone.
 */

#include "config.h"

#include "pen-sqlite-column.h"

#include <string.h>

#define MAX_NAME_BYTES 255
/* What a declaration consists of: types, constraints, defaults. No quotes in which the rest of the
 * statement could get lost, no semicolon behind which another one could begin. */
#define DECLARATION_CHARACTERS                                                                     \
  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ (),.+-'<>*/|%"

/* documented in the header */
void
pen_sqlite_column_free (PenSqliteColumn *self)
{
  g_free (self->name);
  g_free (self->declaration);
  g_free (self->place);
  g_free (self);
}

/* documented in the header */
char *
pen_sqlite_quote (const char *name)
{
  GString *quoted = g_string_new (name);

  g_string_replace (quoted, "\"", "\"\"", 0 /* all */);
  g_string_prepend_c (quoted, '"');
  g_string_append_c (quoted, '"');
  return g_string_free (quoted, FALSE);
}

/* documented in the header */
const char *
pen_sqlite_find_fault (const char *name)
{
  if (*name == '\0')
    return "it is empty";
  if (strlen (name) > MAX_NAME_BYTES)
    return "it is longer than 255 bytes";
  if (!g_utf8_validate (name, -1, NULL))
    return "it is not UTF-8";
  for (const char *p = name; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p))
      return "it has a control character";
  return NULL;
}

static gboolean
pen_sqlite_declaration_is_good (const char *text)
{
  gint depth = 0;
  gboolean is_quoted = FALSE;

  if (text[strspn (text, DECLARATION_CHARACTERS)] != '\0' || strstr (text, "/*") != NULL
      || strstr (text, "--") != NULL)
    return FALSE;
  for (; *text != '\0' && depth >= 0; text++)
    {
      if (*text == '\'')
        is_quoted = !is_quoted;
      else if (!is_quoted)
        depth += (*text == '(') - (*text == ')') - 100 * (*text == ',' && depth == 0);
    }
  return depth == 0 && !is_quoted;
}

/* Takes the name off the beginning of @text; returns what follows it, or NULL. */
static const char *
pen_sqlite_take_name (const char *text, char **name)
{
  GString *unquoted = NULL;

  if (*text != '"')
    {
      gsize length = strcspn (text, " \t=");

      *name = g_strndup (text, length);
      return text + length;
    }
  unquoted = g_string_new (NULL);
  for (text++; *text != '\0' && (*text != '"' || text[1] == '"'); text++)
    {
      text += *text == '"';
      g_string_append_c (unquoted, *text);
    }
  *name = g_string_free (unquoted, FALSE);
  return *text == '"' ? text + 1 : NULL;
}

/* What follows the name: what SQL says of the column, and behind an equals sign its place. */
static gboolean
pen_sqlite_column_parse_rest (PenSqliteColumn *self, const char *rest, GError **error)
{
  const char *place = strrchr (rest, '=');

  self->declaration
      = g_strstrip (place != NULL ? g_strndup (rest, (gsize) (place - rest)) : g_strdup (rest));
  self->place = place != NULL ? g_strstrip (g_strdup (place + 1)) : g_strdup (self->name);
  self->is_member = place == NULL;
  self->is_fleeting = g_str_has_prefix (self->place, "@arrival");
  if (pen_sqlite_declaration_is_good (self->declaration))
    return TRUE;
  pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                         "'%s' behind the column '%s' is not what SQL says of one column, such as "
                         "INTEGER NOT NULL",
                         self->declaration, self->name);
  return FALSE;
}

/* documented in the header */
PenSqliteColumn *
pen_sqlite_column_parse (const char *text, GError **error)
{
  g_autoptr (PenSqliteColumn) self = g_new0 (PenSqliteColumn, 1);
  g_autofree char *stripped = g_strstrip (g_strdup (text));
  const char *rest = pen_sqlite_take_name (stripped, &self->name);
  const char *fault = rest != NULL ? pen_sqlite_find_fault (self->name) : "its quote does not end";

  if (fault != NULL)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                             "'%s' is not a column: %s; write NAME TYPE, or NAME TYPE=PLACE",
                             stripped, fault);
      return NULL;
    }
  return pen_sqlite_column_parse_rest (self, rest, error) ? g_steal_pointer (&self) : NULL;
}

/* documented in the header */
PenSqliteColumn *
pen_sqlite_column_new_for_member (const char *name, const char *declaration)
{
  PenSqliteColumn *self = g_new0 (PenSqliteColumn, 1);

  self->name = g_strdup (name);
  self->declaration = g_strdup (declaration);
  self->place = g_strdup (name);
  self->is_member = TRUE;
  return self;
}

/* documented in the header */
gboolean
pen_sqlite_column_declares (const PenSqliteColumn *self, const char *keyword)
{
  g_autofree char *upper = g_ascii_strup (self->declaration, -1);

  return strstr (upper, keyword) != NULL;
}

/* documented in the header: the rules of sqlite.org/datatype3.html, section 3.1, in their order */
PenSqliteAffinity
pen_sqlite_affinity_of (const char *type)
{
  g_autofree char *upper = g_ascii_strup (type != NULL ? type : "", -1);

  if (strstr (upper, "INT") != NULL)
    return PEN_SQLITE_NUMBER;
  if (strstr (upper, "CHAR") != NULL || strstr (upper, "CLOB") != NULL
      || strstr (upper, "TEXT") != NULL)
    return PEN_SQLITE_TEXT;
  if (*upper == '\0' || strstr (upper, "BLOB") != NULL || g_str_equal (upper, "ANY"))
    return PEN_SQLITE_NONE;
  if (strstr (upper, "REAL") != NULL || strstr (upper, "FLOA") != NULL
      || strstr (upper, "DOUB") != NULL)
    return PEN_SQLITE_REAL;
  return PEN_SQLITE_NUMBER;
}

/* documented in the header */
const char *
pen_sqlite_type_of (const PenFieldValue *value)
{
  switch (value->type)
    {
    case PEN_JSON_FALSE:
    case PEN_JSON_TRUE:
      return "BOOLEAN";
    case PEN_JSON_NUMBER:
      for (gsize i = 0; i < value->length; i++)
        if (value->text[i] == '.' || (value->text[i] | 0x20) == 'e')
          return "REAL";
      return "INTEGER";
    case PEN_JSON_NULL:
      return "";
    case PEN_JSON_STRING:
    case PEN_JSON_ARRAY:
    case PEN_JSON_OBJECT:
    default:
      return "TEXT";
    }
}
