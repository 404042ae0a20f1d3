/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The log's two forms on standard error, its levels, and complaints that are told once.
 */

#include "config.h"

#include "pen-test.h"

#include "pen-log-private.h"

#define MINUTE_US (60 * G_USEC_PER_SEC)

static void
test_log_say_something (PenLogFormat format)
{
  pen_log_install (format, G_LOG_LEVEL_INFO);
  g_log_structured ("penstock", G_LOG_LEVEL_WARNING, "PENSTOCK_PIPELINE", "site-7",
                    "PENSTOCK_ELEMENT", "source mqtt", "MESSAGE", "line one\nline \"two\"");
  g_log_structured ("penstock", G_LOG_LEVEL_DEBUG, "MESSAGE", "nobody hears this");
  g_log_structured ("penstock", G_LOG_LEVEL_INFO, "MESSAGE", "ready");
}

static void
test_log_text (void)
{
  if (g_test_subprocess ())
    {
      test_log_say_something (PEN_LOG_TEXT);
      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr (
      "*T*+00:00 warning: site-7: source mqtt: line one\\x0aline \"two\"\n*+00:00 info: ready\n");
  g_test_trap_assert_stderr_unmatched ("*nobody*");
}

static void
test_log_json (void)
{
  if (g_test_subprocess ())
    {
      test_log_say_something (PEN_LOG_JSON);
      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr (
      "{\"time\":\"*+00:00\",\"level\":\"warning\",\"pipeline\":\"site-7\",\"element\":\"source "
      "mqtt\",\"message\":\"line one\\nline \\\"two\\\"\"}\n"
      "{\"time\":\"*\",\"level\":\"info\",\"message\":\"ready\"}\n");
}

static void
test_log_complains_once_a_minute (void)
{
  PenComplaint complaint = { 0 };
  g_autofree char *first = pen_complaint_raise (&complaint, 1, "refused");
  g_autofree char *again = NULL;
  g_autofree char *after_release = NULL;

  g_assert_cmpstr (first, ==, "refused");
  for (guint i = 0; i < 10; i++)
    g_assert_null (pen_complaint_raise (&complaint, 2 + i, "refused"));
  again = pen_complaint_raise (&complaint, 1 + MINUTE_US, "refused");
  g_assert_cmpstr (again, ==, "refused (and 10 times before)");
  g_assert_true (pen_complaint_release (&complaint));
  g_assert_false (pen_complaint_release (&complaint));
  after_release = pen_complaint_raise (&complaint, 2 + MINUTE_US, "refused");
  g_assert_cmpstr (after_release, ==, "refused");
  pen_complaint_clear (&complaint);
}

static void
test_log_bounds_complaints_that_differ (void)
{
  PenComplaint complaint = { 0 };
  guint n_told = 0;

  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *message = g_strdup_printf ("attempt %u failed", i);
      g_autofree char *told = pen_complaint_raise (&complaint, i, message);

      n_told += told != NULL;
    }
  g_assert_cmpuint (n_told, ==, 5);
  pen_complaint_clear (&complaint);
}

int
main (int argc, char **argv)
{
  /* not pen_test_init (): the writer under test is installed once a process */
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/log/text", test_log_text);
  g_test_add_func ("/log/json", test_log_json);
  g_test_add_func ("/log/complains-once-a-minute", test_log_complains_once_a_minute);
  g_test_add_func ("/log/bounds-complaints-that-differ", test_log_bounds_complaints_that_differ);
  return g_test_run ();
}
