/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The AMMP transform, held against the slow one: the same reason, or the same bytes, the same
 * readings left out and the same count of conflicts. It aborts at a difference.
 */

#include "config.h"

#include "pen-judge-ammp.h"

#include "pen-slow-json.h"

static PenAmmpMissingVid
pen_judge_translate (PenSlowMissingVid missing_vid)
{
  switch (missing_vid)
    {
    case PEN_SLOW_AMMP_DEVICE:
      return PEN_AMMP_MISSING_VID_DEVICE;
    case PEN_SLOW_AMMP_REJECT:
      return PEN_AMMP_MISSING_VID_REJECT;
    default:
      return PEN_AMMP_MISSING_VID_SKIP;
    }
}

static void
pen_judge_skips (const PenAmmpPayload *payload, const PenSlowAmmp *expected)
{
  g_assert_cmpuint (pen_ammp_payload_get_n_skipped (payload), ==, expected->skipped->len);
  for (guint i = 0; i < expected->skipped->len; i++)
    {
      g_autofree char *message = pen_ammp_payload_describe_skip (payload, i);

      g_assert_cmpstr (pen_ammp_payload_get_skip_reason (payload, i), ==,
                       expected->skipped->pdata[i]);
      g_assert_true (g_utf8_validate (message, -1, NULL));
      g_assert_true (g_str_has_prefix (message, "r["));
    }
}

/* @payload is used again and again, as the transform does. Returns whether it was forwarded. */
gboolean
pen_judge_ammp (PenAmmpPayload *payload,
                const char *text,
                gsize length,
                PenSlowMissingVid missing_vid)
{
  g_autoptr (PenSlowAmmp) expected = pen_slow_ammp_new (text, length, missing_vid);
  g_autoptr (GBytes) converted = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (PenSlowJson) json = NULL;
  const char *data;
  gsize n_converted;
  gboolean accepted = pen_ammp_payload_convert (
      payload, text, length, pen_judge_translate (missing_vid), &converted, &error);

  g_assert_cmpint (accepted, ==, expected->rejected == NULL);
  if (!accepted)
    {
      g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_REJECT);
      g_assert_cmpstr (pen_element_error_get_reason (error), ==, expected->rejected);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_null (converted);
      return FALSE;
    }
  g_assert_no_error (error);
  g_assert_cmpint (converted != NULL, ==, expected->text != NULL);
  g_assert_cmpuint (pen_ammp_payload_get_n_conflicts (payload), ==, expected->n_conflicts);
  pen_judge_skips (payload, expected);
  if (converted == NULL)
    return FALSE;
  data = g_bytes_get_data (converted, &n_converted);
  json = pen_slow_json_parse (data, n_converted);
  g_assert_cmpmem (data, n_converted, expected->text->str, expected->text->len);
  g_assert_cmpint (json->verdict, ==, PEN_SLOW_JSON_ACCEPTED);
  return TRUE;
}
