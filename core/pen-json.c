/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What can be asked of a slice of JSON text: equality, a hash, its decoded text, a number's value.
 *
 * Invariant: slices come from the scanner, which has checked them; nothing here checks UTF-8,
 * escapes or the grammar of numbers again.
 */

#include "config.h"

#include "pen-json.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/random.h>

/* Beyond any number of digits that a text can have, and far from the end of 64 bits. */
#define MAX_EXPONENT (G_GINT64_CONSTANT (1) << 60)

G_DEFINE_QUARK (pen - json - error - quark, pen_json_error)

/* --- Text --- */

/* Returns the characters of a string or key without quotes. A key never begins with a quote: in a
 * key it is escaped. */
static const char *
pen_json_slice_inner (const PenJsonSlice *slice, gsize *length)
{
  if (slice->type == PEN_JSON_STRING && slice->length >= 2 && slice->text[0] == '"')
    {
      *length = slice->length - 2;
      return slice->text + 1;
    }
  *length = slice->length;
  return slice->text;
}

static guint
pen_json_decode_hex (const char *digits)
{
  guint code = 0;

  for (guint i = 0; i < 4; i++)
    code = code << 4 | (guint) g_ascii_xdigit_value (digits[i]);
  return code;
}

/* Decodes the escape at @text into at most 4 bytes; returns how many bytes of text it took. */
static gsize
pen_json_decode_escape (const char *text, char *decoded, gsize *n_decoded)
{
  static const char letters[] = "\"\\/bfnrt";
  static const char characters[] = "\"\\/\b\f\n\r\t";
  gsize taken = 6;
  guint code;

  if (text[1] != 'u')
    {
      decoded[0] = characters[strchr (letters, text[1]) - letters];
      *n_decoded = 1;
      return 2;
    }
  code = pen_json_decode_hex (text + 2);
  if (code >= 0xd800 && code <= 0xdbff)
    {
      code = 0x10000 + ((code - 0xd800) << 10) + (pen_json_decode_hex (text + 8) - 0xdc00);
      taken = 12;
    }
  *n_decoded = (gsize) g_unichar_to_utf8 (code, decoded);
  return taken;
}

/**
 * pen_json_slice_decode: (skip)
 * @slice: a string or key; any other value is taken as the text that it is
 * @length: (out) (optional): number of bytes, without the NUL behind them
 *
 * Decodes the escapes of a string or key. The text may hold NUL characters ("\u0000").
 *
 * Returns: (transfer full): UTF-8 text with a NUL behind it
 *
 * Threads: any
 */
char *
pen_json_slice_decode (const PenJsonSlice *slice, gsize *length)
{
  gsize n_inner;
  const char *inner = pen_json_slice_inner (slice, &n_inner);
  const char *end = inner + n_inner;
  /* An escape is never shorter than what it stands for. */
  char *decoded = g_malloc (n_inner + 1);
  gsize n_decoded = 0;

  if (!slice->escaped)
    {
      memcpy (decoded, inner, n_inner);
      n_decoded = n_inner;
      inner = end;
    }
  while (inner < end)
    {
      gsize n_added = 1;

      if (*inner == '\\')
        inner += pen_json_decode_escape (inner, decoded + n_decoded, &n_added);
      else
        decoded[n_decoded] = *inner++;
      n_decoded += n_added;
    }
  decoded[n_decoded] = '\0';
  if (length != NULL)
    *length = n_decoded;
  return decoded;
}

/**
 * pen_json_key_equal: (skip)
 * @key: a key or string
 * @name: what it may be called, decoded
 *
 * Returns: whether @key, decoded, is @name
 *
 * Threads: any
 */
gboolean
pen_json_key_equal (const PenJsonSlice *key, const char *name)
{
  gsize n_name = strlen (name);
  gsize length;
  const char *text = pen_json_slice_inner (key, &length);
  g_autofree char *decoded = NULL;

  if (G_UNLIKELY (key->escaped))
    text = decoded = pen_json_slice_decode (key, &length);
  return length == n_name && memcmp (text, name, length) == 0;
}

/**
 * pen_json_slice_equal: (skip)
 * @a: a slice
 * @b: another
 *
 * Compares strings and keys, also with each other, by their decoded value, and everything else by
 * its text: `1.0` and `1` are not equal.
 *
 * Returns: whether they are equal
 *
 * Threads: any
 */
gboolean
pen_json_slice_equal (const PenJsonSlice *a, const PenJsonSlice *b)
{
  gsize n_a;
  gsize n_b;
  const char *text_a = pen_json_slice_inner (a, &n_a);
  const char *text_b = pen_json_slice_inner (b, &n_b);
  g_autofree char *decoded_a = NULL;
  g_autofree char *decoded_b = NULL;

  if (a->type != b->type)
    return FALSE;
  if (a->escaped)
    text_a = decoded_a = pen_json_slice_decode (a, &n_a);
  if (b->escaped)
    text_b = decoded_b = pen_json_slice_decode (b, &n_b);
  return n_a == n_b && (n_a == 0 || memcmp (text_a, text_b, n_a) == 0);
}

/* --- Hash --- */

/* Two words that nobody outside this process knows. */
static const guint64 *
pen_json_get_secrets (void)
{
  static gsize initialized;
  static guint64 secrets[2];

  if (g_once_init_enter (&initialized))
    {
      if (getrandom (secrets, sizeof secrets, GRND_NONBLOCK) != sizeof secrets)
        for (guint i = 0; i < G_N_ELEMENTS (secrets); i++)
          secrets[i] = (guint64) g_random_int () << 32 | g_random_int ();
      g_once_init_leave (&initialized, 1);
    }
  return secrets;
}

static inline guint64
pen_json_hash_mix (guint64 a, guint64 b)
{
  __extension__ unsigned __int128 product = (unsigned __int128) a * b;

  return (guint64) product ^ (guint64) (product >> 64);
}

static guint
pen_json_hash_bytes (const char *text, gsize length)
{
  const guint64 *secrets = pen_json_get_secrets ();
  guint64 hash = length;
  guint64 word;

  for (; length >= sizeof word; text += sizeof word, length -= sizeof word)
    {
      memcpy (&word, text, sizeof word);
      hash = pen_json_hash_mix (hash ^ word ^ secrets[0], secrets[1] ^ word);
    }
  word = 0;
  memcpy (&word, text, length);
  hash = pen_json_hash_mix (hash ^ word ^ secrets[0], secrets[1]);
  return (guint) (hash ^ hash >> 32);
}

/**
 * pen_json_slice_hash: (skip)
 * @slice: a slice
 *
 * Slices that are equal by pen_json_slice_equal () have one hash. It is seeded anew in every
 * process, so that nobody can prepare keys that collide; it must not be stored.
 *
 * Returns: the hash
 *
 * Threads: any
 */
guint
pen_json_slice_hash (const PenJsonSlice *slice)
{
  gsize length;
  const char *text = pen_json_slice_inner (slice, &length);
  g_autofree char *decoded = NULL;

  if (G_UNLIKELY (slice->escaped))
    text = decoded = pen_json_slice_decode (slice, &length);
  return pen_json_hash_bytes (text, length);
}

/* --- Numbers --- */

static const char *
pen_json_type_get_name (PenJsonType type)
{
  static const char *const names[]
      = { "null", "false", "true", "a number", "a string", "an array", "an object" };

  return (guint) type < G_N_ELEMENTS (names) ? names[type] : "nothing";
}

static gboolean
pen_json_check_number (const PenJsonSlice *slice, GError **error)
{
  if (slice->type == PEN_JSON_NUMBER)
    return TRUE;
  g_set_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_TYPE, "a number was expected, found %s",
               pen_json_type_get_name (slice->type));
  return FALSE;
}

/* Numbers from outside may have a million digits; messages may not. */
static gboolean
pen_json_set_range_error (const PenJsonSlice *slice, const char *what, GError **error)
{
  gsize shown = MIN (slice->length, 40);

  g_set_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_RANGE, "number %.*s%s is %s", (int) shown,
               slice->text, shown < slice->length ? "…" : "", what);
  return FALSE;
}

/* Reads the exponent behind the `e` or `E` before @text; bounded, so that no sum runs over. */
static gint64
pen_json_read_exponent (const char *text, const char *end)
{
  gboolean negative = *text == '-';
  gint64 exponent = 0;

  if (*text == '-' || *text == '+')
    text++;
  for (; text < end; text++)
    exponent = exponent < MAX_EXPONENT / 10 ? exponent * 10 + (*text - '0') : MAX_EXPONENT;
  return negative ? -exponent : exponent;
}

/* Finds how many digits of a number without its sign stand before the decimal point once the
 * exponent has moved it, which may be less than none; returns where the exponent begins. */
static const char *
pen_json_find_point (const char *text, const char *end, gint64 *point)
{
  const char *p = text;
  gboolean seen = FALSE;

  for (; p < end && (*p | 0x20) != 'e'; p++)
    if (*p == '.')
      {
        *point = p - text;
        seen = TRUE;
      }
  if (!seen)
    *point = p - text;
  if (p < end)
    *point += pen_json_read_exponent (p + 1, end);
  return p;
}

/* Appends a decimal digit to a negative number: those reach one further than the positive ones. */
static gboolean
pen_json_append_digit (gint64 *value, gint digit)
{
  return !__builtin_mul_overflow (*value, 10, value)
         && !__builtin_sub_overflow (*value, digit, value);
}

/**
 * pen_json_slice_get_int64: (skip)
 * @slice: a number
 * @value: (out): its value
 * @error: return location for the error
 *
 * Reads an integer exactly. However it is written, its value must be whole: `1e3` and `50.0` are
 * integers, `0.5` is none.
 *
 * Returns: %FALSE with %PEN_JSON_ERROR_TYPE if it is no number, with %PEN_JSON_ERROR_RANGE if it
 *   is no integer or does not fit
 *
 * Threads: any
 */
gboolean
pen_json_slice_get_int64 (const PenJsonSlice *slice, gint64 *value, GError **error)
{
  const char *text = slice->text;
  const char *mantissa_end;
  gboolean negative;
  gboolean fits = TRUE;
  gint64 point;
  gint64 result = 0;
  gint64 n_digits = 0;

  if (!pen_json_check_number (slice, error))
    return FALSE;
  negative = *text == '-';
  text += negative;
  mantissa_end = pen_json_find_point (text, slice->text + slice->length, &point);
  for (; text < mantissa_end; text++)
    {
      if (*text == '.')
        continue;
      if (n_digits < point)
        fits = fits && pen_json_append_digit (&result, *text - '0');
      else if (*text != '0')
        return pen_json_set_range_error (slice, "not an integer", error);
      n_digits++;
    }
  for (; fits && result != 0 && n_digits < point; n_digits++)
    fits = pen_json_append_digit (&result, 0);
  if (!fits || (!negative && result == G_MININT64))
    return pen_json_set_range_error (slice, "outside the range of 64-bit integers", error);
  *value = negative ? result : -result;
  return TRUE;
}

/**
 * pen_json_slice_get_double: (skip)
 * @slice: a number
 * @value: (out): the nearest double
 * @error: return location for the error
 *
 * Returns: %FALSE with %PEN_JSON_ERROR_TYPE if it is no number, with %PEN_JSON_ERROR_RANGE if it is
 *   too large
 *
 * Threads: any
 */
gboolean
pen_json_slice_get_double (const PenJsonSlice *slice, double *value, GError **error)
{
  g_autofree char *text = NULL;
  double result;

  if (!pen_json_check_number (slice, error))
    return FALSE;
  /* What follows a number may be more digits: those of the next number, in a cut text. */
  text = g_strndup (slice->text, slice->length);
  result = g_ascii_strtod (text, NULL);
  if (!isfinite (result))
    return pen_json_set_range_error (slice, "too large for a double", error);
  *value = result;
  return TRUE;
}

/**
 * pen_json_validate: (skip)
 * @text: (array length=length): bytes
 * @length: number of bytes
 * @error: return location for the error
 *
 * Checks that a text is one JSON value by RFC 8259, at most %PEN_JSON_MAX_DEPTH deep.
 *
 * Returns: whether it is
 *
 * Threads: any
 */
gboolean
pen_json_validate (const char *text, gsize length, GError **error)
{
  PenJsonScanner scanner;

  pen_json_scanner_init (&scanner, text, length);
  return pen_json_scanner_finish (&scanner, error);
}
