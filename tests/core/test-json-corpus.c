/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The corpus, a test a file: what its name says is the verdict of the scanner, the validator and
 * the document, and all that they find in it is what the slow reader finds.
 */

#include "config.h"

#include <string.h>

#include "pen-corpus.h"
#include "pen-guard.h"
#include "pen-judge-json.h"
#include "pen-slow-json.h"
#include "pen-test.h"

#define LIMIT 4096

typedef struct
{
  char *name;
  GBytes *text;
} TestFile;

static PenSlowVerdict
test_corpus_get_verdict (const GError *error)
{
  if (error == NULL)
    return PEN_SLOW_JSON_ACCEPTED;
  if (g_error_matches (error, PEN_JSON_ERROR, PEN_JSON_ERROR_TOO_DEEP))
    return PEN_SLOW_JSON_TOO_DEEP;
  g_assert_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_INVALID);
  return PEN_SLOW_JSON_INVALID;
}

static void
test_corpus_file (gconstpointer data)
{
  const TestFile *file = data;
  g_autoptr (PenGuard) guard = pen_guard_new (LIMIT);
  gsize length;
  const char *bytes = g_bytes_get_data (file->text, &length);
  const char *text = pen_guard_put (guard, bytes, length);
  g_autoptr (GBytes) guarded = g_bytes_new_static (text, length);
  g_autoptr (GError) validator_error = NULL;
  g_autoptr (GError) document_error = NULL;
  g_autoptr (PenJson) document = pen_json_new_from_bytes (guarded, &document_error);

  pen_json_validate (text, length, &validator_error);

  g_assert_cmpint (test_corpus_get_verdict (validator_error), ==,
                   pen_corpus_get_verdict (file->name));
  g_assert_cmpint (test_corpus_get_verdict (document_error), ==,
                   pen_corpus_get_verdict (file->name));
  g_assert_cmpint (document != NULL, ==, document_error == NULL);
  pen_judge_json (text, length);
}

static void
test_corpus_file_free (gpointer data)
{
  TestFile *file = data;

  g_free (file->name);
  g_bytes_unref (file->text);
  g_free (file);
}

static void
test_corpus_add (const char *name, const char *text, gsize length, gpointer user_data)
{
  TestFile *file = g_new0 (TestFile, 1);
  g_autofree char *stem = g_strndup (name, strcspn (name, "."));
  g_autofree char *path = g_strdup_printf ("/json/corpus/%s", stem);

  file->name = g_strdup (name);
  file->text = g_bytes_new (text, length);
  g_test_add_data_func_full (path, file, test_corpus_file, test_corpus_file_free);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_assert_cmpuint (pen_corpus_foreach ("core/corpus/json", test_corpus_add, NULL), >, 400);
  return g_test_run ();
}
