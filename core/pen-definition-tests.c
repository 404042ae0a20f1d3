/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is wrong with the tests of a keyfile, as far as it shows before they are run: a test that
 * cannot pass, or that says not which of several it means.
 */

#include "config.h"

#include "pen-definition-private.h"
#include "pen-suggest.h"

#include <string.h>

/* Reasons are labels of counters: rejected events are counted under them. */
#define REASON_BYTES G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-"

static gboolean
pen_test_draft_has (const PenDraft *self, const char *key)
{
  return pen_draft_find_value (self, key) != NULL;
}

static void
pen_loader_check_pair (PenLoader *self, const PenDraft *test, const char *key, const char *file_key)
{
  const PenKeyValue *value = pen_draft_find_value (test, file_key);

  if (value != NULL && pen_test_draft_has (test, key))
    pen_report_error (self->report, value->entry->key_place,
                      "'%s' and '%s' in [%s]: write the payloads in one of them", file_key, key,
                      test->group->name);
}

/* @key names an element of @kind; without it there must be one only. */
static void
pen_loader_check_choice (PenLoader *self,
                         const PenDraft *test,
                         const char *key,
                         PenElementKind kind)
{
  const PenKeyValue *value = pen_draft_find_value (test, key);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *list = NULL;
  g_autofree char *hint = NULL;
  g_autofree char *quoted = NULL;

  for (guint i = 0; i < self->drafts->len; i++)
    {
      const PenDraft *draft = g_ptr_array_index (self->drafts, i);

      if (draft->kind == kind)
        g_ptr_array_add (names, draft->name);
    }
  list = pen_suggest_list (names, "and");
  if (value == NULL && names->len > 1)
    pen_report_error (self->report, test->group->place,
                      "[%s] does not say which %s it means; there are %s: set %s=",
                      test->group->name, key, list, key);
  if (value == NULL || !G_IS_VALUE (&value->value) || self->is_incomplete)
    return;
  if (g_ptr_array_find_with_equal_func (names, g_value_get_string (&value->value), g_str_equal,
                                        NULL))
    return;
  quoted = pen_quote (g_value_get_string (&value->value));
  hint = pen_suggest_hint (g_value_get_string (&value->value), names);
  pen_report_error (self->report, value->place, "there is no %s %s; there %s %s%s", key, quoted,
                    names->len == 1 ? "is" : "are", names->len == 0 ? "none" : list, hint);
}

static void
pen_loader_check_test_time (PenLoader *self, const PenDraft *test)
{
  const PenKeyValue *value = pen_draft_find_value (test, "time");
  g_autoptr (PenTrial) trial = NULL;
  g_autofree char *quoted = NULL;
  gint64 start_us;

  if (value == NULL || !G_IS_VALUE (&value->value))
    return;
  trial = pen_trial_new (test->name, test->group->place);
  g_object_set_property (G_OBJECT (trial), "time", &value->value);
  if (pen_trial_get_start (trial, &start_us))
    return;
  quoted = pen_quote (trial->time);
  pen_report_error (self->report, value->place, "%s is no time; write it as '2026-06-01T12:00:00Z'",
                    quoted);
}

static void
pen_loader_check_test_reasons (PenLoader *self, const PenDraft *test)
{
  const PenKeyValue *value = pen_draft_find_value (test, "expect-dead-letter");
  const char *const *reasons
      = value != NULL && G_IS_VALUE (&value->value) ? g_value_get_boxed (&value->value) : NULL;

  for (guint i = 0; reasons != NULL && reasons[i] != NULL; i++)
    {
      g_autofree char *quoted = pen_quote (reasons[i]);

      if (reasons[i][strspn (reasons[i], REASON_BYTES)] != '\0')
        pen_report_error (self->report, value->place,
                          "%s is no reason of a dead letter; that is one word, such as "
                          "'bad_timestamp'",
                          quoted);
    }
}

static void
pen_loader_check_test_site (PenLoader *self, const PenDraft *test)
{
  const PenKeyValue *value = pen_draft_find_value (test, "site");
  g_autofree char *quoted = NULL;

  if (value == NULL || !G_IS_VALUE (&value->value))
    return;
  quoted = pen_quote (g_value_get_string (&value->value));
  if (self->sites == NULL)
    pen_report_error (self->report, value->entry->key_place,
                      "'site' in [%s]: this file has no [sites]", test->group->name);
  else if (!pen_sites_has_row (self->sites, g_value_get_string (&value->value)))
    pen_report_error (self->report, value->place, "[sites] has no row %s", quoted);
}

/*
 * pen_loader_check_tests:
 * @self: a loader whose drafts have values
 *
 * Threads: any
 */
void
pen_loader_check_tests (PenLoader *self)
{
  for (guint i = 0; i < self->tests->len; i++)
    {
      const PenDraft *test = g_ptr_array_index (self->tests, i);

      if (!pen_test_draft_has (test, "input") && !pen_test_draft_has (test, "input-file")
          && !test->group->is_incomplete && test->values->len == test->group->entries->len)
        pen_report_error (self->report, test->group->place,
                          "[%s] has no input; write what arrives as input=, or name a file of "
                          "lines with input-file=",
                          test->group->name);
      pen_loader_check_pair (self, test, "input", "input-file");
      pen_loader_check_pair (self, test, "expect", "expect-file");
      pen_loader_check_choice (self, test, "source", PEN_KIND_SOURCE);
      pen_loader_check_choice (self, test, "sink", PEN_KIND_SINK);
      pen_loader_check_test_time (self, test);
      pen_loader_check_test_reasons (self, test);
      pen_loader_check_test_site (self, test);
    }
}
