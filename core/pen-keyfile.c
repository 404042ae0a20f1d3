/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads the text of a keyfile: the dialect of GKeyFile, by a scanner of our own, because GKeyFile
 * knows no positions, stops at the first error, and merges what stands twice. Whatever is accepted
 * here has the same groups, keys and raw values there; the reverse does not hold, because much of
 * what GKeyFile takes is a slip of the pen: a key with blanks or a language in brackets.
 *
 * Lines are looked at one by one and every one is bounded. What is found at fault is told, left
 * out, and read on behind.
 */

#include "config.h"

#include "pen-keyfile.h"
#include "pen-suggest.h"

#include <string.h>

#define MAX_LINE_BYTES (16 * 1024)
#define MAX_GROUP_NAME_BYTES 256
#define MAX_KEY_BYTES 128
#define MAX_GROUPS 256
#define MAX_ENTRIES 4096 /* not counting those of [sites] */
#define MIN_INDEXED_ENTRIES 64
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

typedef struct
{
  PenReport *report;
  PenKeyfile *keyfile;
  PenKeyfileGroup *group; /* where keys go; NULL before the first group and in one at fault */
  gboolean has_seen_group;
  gboolean has_told_stray;
  gboolean has_told_sites;
  guint n_entries;
  guint line;
} PenKeyfileScanner;

static PenPlace
pen_keyfile_scanner_place (const PenKeyfileScanner *self, gsize offset)
{
  return (PenPlace){ self->line, (guint) offset + 1 };
}

static void
pen_keyfile_entry_free (gpointer data)
{
  PenKeyfileEntry *entry = data;

  g_free (entry->key);
  g_free (entry->value);
  g_free (entry);
}

static void
pen_keyfile_group_free (gpointer data)
{
  PenKeyfileGroup *group = data;

  g_free (group->name);
  g_clear_pointer (&group->index, g_hash_table_unref);
  g_ptr_array_unref (group->entries);
  g_free (group);
}

static gboolean
pen_keyfile_is_blank (char letter)
{
  return letter == ' ' || letter == '\t';
}

static gboolean
pen_keyfile_is_key_letter (char letter)
{
  return g_ascii_isalnum (letter) || letter == '-' || letter == '_' || letter == '.';
}

/* Tells of the first byte that can stand in no group, key or value. */
static gboolean
pen_keyfile_scanner_check_bytes (PenKeyfileScanner *self, const char *line, gsize length)
{
  const char *end = NULL;

  for (gsize i = 0; i < length; i++)
    {
      if (!g_ascii_iscntrl (line[i]) || line[i] == '\t')
        continue;
      pen_report_error (self->report, pen_keyfile_scanner_place (self, i),
                        "control character 0x%02x: remove it", (guint) (guchar) line[i]);
      return FALSE;
    }
  if (g_utf8_validate (line, (gssize) length, &end))
    return TRUE;
  pen_report_error (self->report, pen_keyfile_scanner_place (self, (gsize) (end - line)),
                    "byte 0x%02x is not UTF-8 here: save the file in UTF-8", (guint) (guchar) *end);
  return FALSE;
}

/* Quotes what stands before any of @stops: behind it may be what was meant for a password. */
static char *
pen_keyfile_quote_before (const char *text, const char *stops)
{
  g_autofree char *shown = g_strndup (text, strcspn (text, stops));

  return pen_quote (shown);
}

static void
pen_keyfile_scanner_read_group (PenKeyfileScanner *self,
                                const char *line,
                                gsize start,
                                gsize length)
{
  const char *close = memchr (line + start, ']', length - start);
  gsize end = close == NULL ? length : (gsize) (close - line);
  g_autofree char *name = g_strndup (line + start + 1, end - start - 1);
  PenPlace place = pen_keyfile_scanner_place (self, start);

  self->group = NULL;
  self->has_seen_group = TRUE;
  if (strlen (name) > MAX_GROUP_NAME_BYTES)
    pen_report_error (self->report, place,
                      "this group's name has %" G_GSIZE_FORMAT
                      " bytes; a group's name has at most %d",
                      strlen (name), MAX_GROUP_NAME_BYTES);
  else if (close == NULL)
    pen_report_error (self->report, place, "the group [%s is not closed; write [%s]", name, name);
  else if (end + 1 < length)
    {
      g_autofree char *rest = pen_keyfile_quote_before (line + end + 1, "=:");

      pen_report_error (self->report, pen_keyfile_scanner_place (self, end + 1),
                        "%s stands behind the group [%s]; a group has a line of its own, and so "
                        "has a comment",
                        rest, name);
    }
  else if (strpbrk (name, "[\t") != NULL)
    pen_report_error (self->report, place, "the group [%s] has a '[' or a tab in its name", name);
  else if (*name == '\0')
    pen_report_error (self->report, place, "this group has no name; write, say, [source mqtt]");
  else if (self->keyfile->groups->len >= MAX_GROUPS)
    pen_report_error (self->report, place, "too many groups; a keyfile has at most %d", MAX_GROUPS);
  else
    {
      self->group = g_new0 (PenKeyfileGroup, 1);
      self->group->name = g_steal_pointer (&name);
      self->group->place = place;
      self->group->entries = g_ptr_array_new_with_free_func (pen_keyfile_entry_free);
      g_ptr_array_add (self->keyfile->groups, self->group);
    }
  self->keyfile->is_incomplete |= self->group == NULL;
}

static gboolean
pen_keyfile_group_is_sites (const PenKeyfileGroup *group)
{
  return g_str_equal (group->name, PEN_KEYFILE_SITES_GROUP);
}

static gboolean
pen_keyfile_scanner_has_room (PenKeyfileScanner *self, PenPlace place)
{
  gboolean has_columns = pen_keyfile_group_find (self->group, PEN_KEYFILE_COLUMNS_KEY) != NULL;

  if (!pen_keyfile_group_is_sites (self->group))
    {
      if (self->n_entries < MAX_ENTRIES)
        return TRUE;
      pen_report_error (self->report, place, "too many keys; a keyfile has at most %d",
                        MAX_ENTRIES);
      return FALSE;
    }
  if (self->group->entries->len < PEN_KEYFILE_MAX_SITES + (has_columns ? 1 : 0))
    return TRUE;
  if (!self->has_told_sites)
    pen_report_error (self->report, place,
                      "too many rows; [sites] has at most %d, and none of those from here on runs",
                      PEN_KEYFILE_MAX_SITES);
  self->has_told_sites = TRUE;
  return FALSE;
}

/* Whether something may be put into the current group under this key. */
static gboolean
pen_keyfile_scanner_accept_key (PenKeyfileScanner *self, const char *key, PenPlace place)
{
  const PenKeyfileEntry *first;

  if (!self->has_seen_group)
    {
      if (!self->has_told_stray)
        pen_report_error (self->report, place,
                          "'%s' stands before the first group; write, say, [pipeline] above it",
                          key);
      self->has_told_stray = TRUE;
      return FALSE;
    }
  if (self->group == NULL)
    return FALSE;
  if (self->keyfile->groups->len == 1 && g_str_equal (key, "Encoding"))
    {
      pen_report_error (self->report, place,
                        "'Encoding' speaks of this file itself, which is always UTF-8: remove it");
      return FALSE;
    }
  first = pen_keyfile_group_find (self->group, key);
  if (first != NULL)
    {
      pen_report_error (self->report, place, "'%s' is set twice in [%s], first in line %u", key,
                        self->group->name, first->key_place.line);
      return FALSE;
    }
  return pen_keyfile_scanner_has_room (self, place);
}

/* Keys are few but in [sites], and few are found fastest by looking at each. */
static void
pen_keyfile_group_add (PenKeyfileGroup *self, PenKeyfileEntry *entry)
{
  g_ptr_array_add (self->entries, entry);
  if (self->entries->len < MIN_INDEXED_ENTRIES)
    return;
  if (self->index != NULL)
    {
      g_hash_table_insert (self->index, entry->key, entry);
      return;
    }
  self->index = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < self->entries->len; i++)
    {
      PenKeyfileEntry *other = g_ptr_array_index (self->entries, i);

      g_hash_table_insert (self->index, other->key, other);
    }
}

static void
pen_keyfile_scanner_read_entry (PenKeyfileScanner *self,
                                const char *line,
                                gsize start,
                                gsize equals,
                                gsize length)
{
  gsize key_end = equals;
  gsize value = equals + 1;
  gsize n_good = start;
  g_autofree char *key = NULL;
  PenKeyfileEntry *entry;

  while (key_end > start && pen_keyfile_is_blank (line[key_end - 1]))
    key_end--;
  while (value < length && pen_keyfile_is_blank (line[value]))
    value++;
  while (n_good < key_end && pen_keyfile_is_key_letter (line[n_good]))
    n_good++;
  key = g_strndup (line + start, key_end - start);
  if (n_good < key_end)
    {
      g_autofree char *quoted = pen_keyfile_quote_before (key, ";");

      pen_report_error (self->report, pen_keyfile_scanner_place (self, n_good),
                        "%s is not a key; a key is made of letters, digits and '-'", quoted);
      return;
    }
  if (strlen (key) > MAX_KEY_BYTES)
    {
      pen_report_error (self->report, pen_keyfile_scanner_place (self, start),
                        "this key has %" G_GSIZE_FORMAT " bytes; a key has at most %d",
                        strlen (key), MAX_KEY_BYTES);
      return;
    }
  if (!pen_keyfile_scanner_accept_key (self, key, pen_keyfile_scanner_place (self, start)))
    return;
  entry = g_new0 (PenKeyfileEntry, 1);
  entry->key = g_steal_pointer (&key);
  entry->value = g_strndup (line + value, length - value);
  entry->key_place = pen_keyfile_scanner_place (self, start);
  entry->value_place = pen_keyfile_scanner_place (self, value);
  pen_keyfile_group_add (self->group, entry);
  self->n_entries += pen_keyfile_group_is_sites (self->group) ? 0 : 1;
}

/* A line that cannot be looked into, and which was told: what was a group takes its keys along. */
static void
pen_keyfile_scanner_lose_line (PenKeyfileScanner *self, char first)
{
  if (first != '[')
    return;
  self->group = NULL;
  self->has_seen_group = TRUE;
  self->keyfile->is_incomplete = TRUE;
}

/* @text is not terminated at @length, but can be read up to there. */
static void
pen_keyfile_scanner_read_line (PenKeyfileScanner *self, const char *text, gsize length)
{
  g_autofree char *line = NULL;
  const char *equals;
  gsize start = 0;

  if (length > MAX_LINE_BYTES)
    {
      pen_report_error (self->report, pen_keyfile_scanner_place (self, MAX_LINE_BYTES),
                        "this line has %" G_GSIZE_FORMAT " bytes; a line has at most %d", length,
                        MAX_LINE_BYTES);
      pen_keyfile_scanner_lose_line (self, text[0]);
      return;
    }
  while (length > 0 && pen_keyfile_is_blank (text[length - 1]))
    length--;
  while (start < length && pen_keyfile_is_blank (text[start]))
    start++;
  if (start == length || text[start] == '#')
    return;
  if (!pen_keyfile_scanner_check_bytes (self, text, length))
    {
      pen_keyfile_scanner_lose_line (self, text[start]);
      return;
    }
  line = g_strndup (text, length);
  equals = strchr (line + start, '=');
  if (line[start] == ';')
    pen_report_error (self->report, pen_keyfile_scanner_place (self, start),
                      "a comment begins with '#', not with ';'");
  else if (line[start] == '[')
    pen_keyfile_scanner_read_group (self, line, start, length);
  else if (equals == NULL)
    {
      g_autofree char *quoted = pen_keyfile_quote_before (line + start, " \t:;");

      pen_report_error (self->report, pen_keyfile_scanner_place (self, start),
                        "%s is none of [group], key=value and # comment", quoted);
    }
  else if (equals == line + start)
    pen_report_error (self->report, pen_keyfile_scanner_place (self, start),
                      "there is no key before '='");
  else
    pen_keyfile_scanner_read_entry (self, line, start, (gsize) (equals - line), length);
}

/* Tells of what makes the whole file unreadable. */
static gboolean
pen_keyfile_scanner_check_text (PenKeyfileScanner *self, const char *text, gsize length)
{
  const char *nul = memchr (text, '\0', length);
  const char *last = text;

  if (length > PEN_KEYFILE_MAX_BYTES)
    {
      pen_report_error (self->report, (PenPlace){ 1, 1 },
                        "this file has %" G_GSIZE_FORMAT " bytes; a keyfile has at most %d", length,
                        PEN_KEYFILE_MAX_BYTES);
      return FALSE;
    }
  if (nul == NULL)
    return TRUE;
  self->line = 1;
  for (const char *p = text; p < nul; p++)
    {
      if (*p != '\n')
        continue;
      self->line++;
      last = p + 1;
    }
  pen_report_error (self->report, pen_keyfile_scanner_place (self, (gsize) (nul - last)),
                    "this file is not UTF-8 text: it holds a byte 0");
  return FALSE;
}

/*
 * pen_keyfile_scan:
 * @text: (array length=length): the text of a keyfile
 * @length: its bytes
 * @report: where all that is wrong with it is told
 *
 * Returns: (transfer full): all that could be read
 *
 * Threads: any
 */
PenKeyfile *
pen_keyfile_scan (const char *text, gsize length, PenReport *report)
{
  PenKeyfileScanner self = { .report = report };
  const char *end = text + length;

  self.keyfile = g_new0 (PenKeyfile, 1);
  self.keyfile->groups = g_ptr_array_new_with_free_func (pen_keyfile_group_free);
  self.keyfile->is_incomplete = !pen_keyfile_scanner_check_text (&self, text, length);
  if (self.keyfile->is_incomplete)
    return self.keyfile;
  if (length >= strlen (BYTE_ORDER_MARK)
      && memcmp (text, BYTE_ORDER_MARK, strlen (BYTE_ORDER_MARK)) == 0)
    {
      pen_report_error (report, (PenPlace){ 1, 1 },
                        "this file begins with a byte order mark (U+FEFF): save it in UTF-8 "
                        "without one");
      text += strlen (BYTE_ORDER_MARK);
    }
  while (text < end)
    {
      const char *newline = memchr (text, '\n', (gsize) (end - text));
      const char *line_end = newline == NULL ? end : newline;
      PenKeyfileGroup *group = self.group;
      guint n_errors = report->n_errors;

      /* GKeyFile takes a carriage return for part of a line's end only before a newline. */
      if (newline != NULL && newline > text && newline[-1] == '\r')
        line_end--;
      self.line++;
      pen_keyfile_scanner_read_line (&self, text, (gsize) (line_end - text));
      if (group != NULL && group == self.group && report->n_errors > n_errors)
        group->is_incomplete = TRUE;
      text = newline == NULL ? end : newline + 1;
    }
  return self.keyfile;
}

/*
 * pen_keyfile_free:
 * @self: (transfer full): a keyfile
 *
 * Threads: any
 */
void
pen_keyfile_free (PenKeyfile *self)
{
  g_ptr_array_unref (self->groups);
  g_free (self);
}

/*
 * pen_keyfile_group_find:
 * @self: a group
 * @key: a key
 *
 * Returns: (nullable): what @key is set to
 *
 * Threads: any
 */
const PenKeyfileEntry *
pen_keyfile_group_find (const PenKeyfileGroup *self, const char *key)
{
  if (self->index != NULL)
    return g_hash_table_lookup (self->index, key);
  for (guint i = 0; i < self->entries->len; i++)
    {
      const PenKeyfileEntry *entry = g_ptr_array_index (self->entries, i);

      if (g_str_equal (entry->key, key))
        return entry;
    }
  return NULL;
}
