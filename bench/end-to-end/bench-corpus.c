/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The payloads that the load is made of: the lines of a file, over and over, each with a number of
 * its own. The number replaces ten digits that stand behind "FIELD": in the line, so that all
 * payloads made of one line have its length, and what comes out of a consumer can be told apart.
 */

#include "config.h"

#include "bench-corpus.h"

#include <gio/gio.h>
#include <string.h>

typedef struct
{
  const char *text;
  gsize length;
  gsize stamp_at;
} BenchPayload;

struct _BenchCorpus
{
  char *text;
  GArray *payloads; /* BenchPayload */
  gboolean is_stamped;
};

/* The ten digits behind "@stamp_field":, or NULL. */
const char *
bench_corpus_find_stamp (const char *text, gsize length, const char *stamp_field)
{
  g_autofree char *key = g_strdup_printf ("\"%s\":", stamp_field);
  const char *found = memmem (text, length, key, strlen (key));
  const char *digits = found != NULL ? found + strlen (key) : NULL;

  if (digits == NULL || (gsize) (text + length - digits) < BENCH_STAMP_DIGITS)
    return NULL;
  for (guint i = 0; i < BENCH_STAMP_DIGITS; i++)
    if (!g_ascii_isdigit (digits[i]))
      return NULL;
  return digits;
}

static gboolean
bench_corpus_add (BenchCorpus *self,
                  const char *text,
                  gsize length,
                  const char *stamp_field,
                  GError **error)
{
  BenchPayload payload = { .text = text, .length = length };

  if (stamp_field != NULL)
    {
      const char *stamp = bench_corpus_find_stamp (text, length, stamp_field);

      if (stamp == NULL)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       "line %u has no number of %d digits in \"%s\"", self->payloads->len + 1,
                       BENCH_STAMP_DIGITS, stamp_field);
          return FALSE;
        }
      payload.stamp_at = (gsize) (stamp - text);
    }
  g_array_append_val (self->payloads, payload);
  return TRUE;
}

/* Without a @stamp_field the payloads stay as they are. */
BenchCorpus *
bench_corpus_load (const char *path, const char *stamp_field, GError **error)
{
  g_autoptr (BenchCorpus) self = g_new0 (BenchCorpus, 1);
  gsize length = 0;
  const char *at;
  const char *end;

  self->payloads = g_array_new (FALSE, FALSE, sizeof (BenchPayload));
  self->is_stamped = stamp_field != NULL;
  if (!g_file_get_contents (path, &self->text, &length, error))
    return NULL;
  end = self->text + length;
  for (at = self->text; at < end;)
    {
      const char *line_end = memchr (at, '\n', (gsize) (end - at));

      line_end = line_end != NULL ? line_end : end;
      if (line_end > at
          && !bench_corpus_add (self, at, (gsize) (line_end - at), stamp_field, error))
        {
          g_prefix_error (error, "corpus '%s': ", path);
          return NULL;
        }
      at = line_end + 1;
    }
  if (self->payloads->len == 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "corpus '%s' has no lines", path);
      return NULL;
    }
  return g_steal_pointer (&self);
}

void
bench_corpus_free (BenchCorpus *self)
{
  g_array_unref (self->payloads);
  g_free (self->text);
  g_free (self);
}

static const BenchPayload *
bench_corpus_get (BenchCorpus *self, guint64 index)
{
  return &g_array_index (self->payloads, BenchPayload, index % self->payloads->len);
}

gsize
bench_corpus_get_length (BenchCorpus *self, guint64 index)
{
  return bench_corpus_get (self, index)->length;
}

/* Writes payload @index to @to, which has room for its length, and @stamp into its field. */
void
bench_corpus_write (BenchCorpus *self, guint64 index, guint64 stamp, guint8 *to)
{
  const BenchPayload *payload = bench_corpus_get (self, index);
  guint64 left = BENCH_STAMP_FIRST + stamp % BENCH_STAMP_RANGE;

  memcpy (to, payload->text, payload->length);
  if (!self->is_stamped)
    return;
  for (guint i = BENCH_STAMP_DIGITS; i > 0; i--)
    {
      to[payload->stamp_at + i - 1] = (guint8) ('0' + left % 10);
      left /= 10;
    }
}
