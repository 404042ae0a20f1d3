/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whether a payload is the one that a test expects. JSON is compared by value, because a keyfile's
 * author writes it as it reads well; numbers are compared as texts, because that no digit changes
 * is what is promised.
 */

#include "config.h"

#include "pen-trial-compare.h"

#include <string.h>

#define MAX_SHOWN_BYTES 60

typedef struct
{
  PenJson *expected;
  PenJson *actual;
  GString *path;
  char *difference;
} PenTrialComparison;

static char *
pen_trial_comparison_show (const PenJsonSlice *slice)
{
  gsize length = slice->length;

  if (length <= MAX_SHOWN_BYTES)
    return g_strndup (slice->text, length);
  length = MAX_SHOWN_BYTES;
  while (length > 0 && ((guchar) slice->text[length] & 0xc0) == 0x80)
    length--;
  return g_strdup_printf ("%.*s…", (int) length, slice->text);
}

static gboolean
pen_trial_comparison_fail (PenTrialComparison *self, PenJsonNode expected, PenJsonNode actual)
{
  g_autofree char *wanted = NULL;
  g_autofree char *found = NULL;
  PenJsonSlice slice;

  pen_json_get_slice (self->expected, expected, &slice);
  wanted = pen_trial_comparison_show (&slice);
  pen_json_get_slice (self->actual, actual, &slice);
  found = pen_trial_comparison_show (&slice);
  self->difference = g_strdup_printf ("%s: expected %s, got %s", self->path->str, wanted, found);
  return FALSE;
}

/* A value below the one that is compared. */
static gboolean
pen_trial_comparison_run (PenTrialComparison *self, PenJsonNode expected, PenJsonNode actual);

static char *
pen_trial_dup_key (const PenJson *json, PenJsonNode node)
{
  PenJsonSlice key;
  gsize length;

  return pen_json_get_key (json, node, &key) ? pen_json_slice_decode (&key, &length) : NULL;
}

/* Tells of a member of @json's object @node that @other does not have. */
static gboolean
pen_trial_comparison_find_alone (PenTrialComparison *self,
                                 const PenJson *json,
                                 PenJsonNode node,
                                 const PenJson *other,
                                 PenJsonNode object,
                                 const char *what)
{
  for (PenJsonNode child = pen_json_get_first_child (json, node); child != PEN_JSON_NO_NODE;
       child = pen_json_get_next_sibling (json, child))
    {
      g_autofree char *key = pen_trial_dup_key (json, child);
      g_autofree char *shown = NULL;
      PenJsonSlice slice;

      if (pen_json_get_member (other, object, key) != PEN_JSON_NO_NODE)
        continue;
      pen_json_get_slice (json, child, &slice);
      shown = pen_trial_comparison_show (&slice);
      self->difference = g_strdup_printf ("%s.%s %s: %s", self->path->str, key, what, shown);
      return TRUE;
    }
  return FALSE;
}

static gboolean
pen_trial_comparison_run_object (PenTrialComparison *self, PenJsonNode expected, PenJsonNode actual)
{
  gsize length = self->path->len;

  if (pen_trial_comparison_find_alone (self, self->expected, expected, self->actual, actual,
                                       "is missing")
      || pen_trial_comparison_find_alone (self, self->actual, actual, self->expected, expected,
                                          "was not expected"))
    return FALSE;
  if (pen_json_get_length (self->expected, expected) != pen_json_get_length (self->actual, actual))
    return pen_trial_comparison_fail (self, expected, actual);
  for (PenJsonNode child = pen_json_get_first_child (self->expected, expected);
       child != PEN_JSON_NO_NODE; child = pen_json_get_next_sibling (self->expected, child))
    {
      g_autofree char *key = pen_trial_dup_key (self->expected, child);

      g_string_append_printf (self->path, ".%s", key);
      if (!pen_trial_comparison_run (self, child, pen_json_get_member (self->actual, actual, key)))
        return FALSE;
      g_string_truncate (self->path, length);
    }
  return TRUE;
}

static gboolean
pen_trial_comparison_run_array (PenTrialComparison *self, PenJsonNode expected, PenJsonNode actual)
{
  guint n_expected = pen_json_get_length (self->expected, expected);
  guint n_actual = pen_json_get_length (self->actual, actual);
  PenJsonNode wanted = pen_json_get_first_child (self->expected, expected);
  PenJsonNode found = pen_json_get_first_child (self->actual, actual);
  gsize length = self->path->len;

  for (guint i = 0; i < MIN (n_expected, n_actual); i++)
    {
      g_string_append_printf (self->path, "[%u]", i);
      if (!pen_trial_comparison_run (self, wanted, found))
        return FALSE;
      g_string_truncate (self->path, length);
      wanted = pen_json_get_next_sibling (self->expected, wanted);
      found = pen_json_get_next_sibling (self->actual, found);
    }
  if (n_expected == n_actual)
    return TRUE;
  self->difference
      = g_strdup_printf ("%s: expected %u elements, got %u", self->path->str, n_expected, n_actual);
  return FALSE;
}

static gboolean
pen_trial_slices_equal (const PenJsonSlice *a, const PenJsonSlice *b)
{
  gsize a_length;
  gsize b_length;
  g_autofree char *a_text = NULL;
  g_autofree char *b_text = NULL;

  if (a->type != PEN_JSON_STRING)
    return a->length == b->length && memcmp (a->text, b->text, a->length) == 0;
  a_text = pen_json_slice_decode (a, &a_length);
  b_text = pen_json_slice_decode (b, &b_length);
  return a_length == b_length && memcmp (a_text, b_text, a_length) == 0;
}

static gboolean
pen_trial_comparison_run (PenTrialComparison *self, PenJsonNode expected, PenJsonNode actual)
{
  PenJsonSlice a;
  PenJsonSlice b;

  pen_json_get_slice (self->expected, expected, &a);
  pen_json_get_slice (self->actual, actual, &b);
  if (a.type != b.type)
    return pen_trial_comparison_fail (self, expected, actual);
  if (a.type == PEN_JSON_OBJECT)
    return pen_trial_comparison_run_object (self, expected, actual);
  if (a.type == PEN_JSON_ARRAY)
    return pen_trial_comparison_run_array (self, expected, actual);
  return pen_trial_slices_equal (&a, &b) || pen_trial_comparison_fail (self, expected, actual);
}

/* Where two texts that are not JSON, or are compared byte for byte, go apart. */
static char *
pen_trial_compare_bytes (GBytes *expected, GBytes *actual)
{
  gsize n_expected;
  gsize n_actual;
  const char *wanted = g_bytes_get_data (expected, &n_expected);
  const char *found = g_bytes_get_data (actual, &n_actual);
  gsize offset = 0;

  while (offset < MIN (n_expected, n_actual) && wanted[offset] == found[offset])
    offset++;
  return g_strdup_printf ("they differ from byte %" G_GSIZE_FORMAT " on", offset + 1);
}

/*
 * pen_trial_compare:
 * @expected: a payload
 * @actual: another one
 * @exact: whether every byte of JSON counts
 *
 * Returns: (transfer full) (nullable): what is different, or %NULL if nothing is
 *
 * Threads: any
 */
char *
pen_trial_compare (GBytes *expected, GBytes *actual, gboolean exact)
{
  g_autoptr (PenJson) wanted = NULL;
  g_autoptr (PenJson) found = NULL;
  g_autoptr (GString) path = NULL;
  PenTrialComparison comparison = { 0 };

  if (g_bytes_equal (expected, actual))
    return NULL;
  wanted = exact ? NULL : pen_json_new_from_bytes (expected, NULL);
  found = exact ? NULL : pen_json_new_from_bytes (actual, NULL);
  if (wanted == NULL || found == NULL)
    return pen_trial_compare_bytes (expected, actual);
  path = g_string_new ("$");
  comparison = (PenTrialComparison){ .expected = wanted, .actual = found, .path = path };
  pen_trial_comparison_run (&comparison, 0, 0);
  return comparison.difference;
}
