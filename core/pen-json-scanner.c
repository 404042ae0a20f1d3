/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A pull scanner for JSON by RFC 8259: the caller asks for one member or element after the other,
 * and every byte is checked on the way, also what the caller skips. Nothing is decoded, nothing is
 * allocated, nothing recurses: nesting is one bit a level in a 64-bit word.
 *
 * Invariant: start <= cursor <= end, and no byte at or behind `end` is ever read, since payloads
 * are not padded.
 *
 * The text is looked at 512 bytes at a time, with SSE2, or AVX2 where the processor has it, which
 * gives three rows of bits: which bytes end a string's plain characters, which are no digits, and
 * which are neither digit nor point (pen-json-window-private.h). Where a string or number ends is
 * then a shift and a count of zeros away. Payloads are short strings and short numbers, so what
 * costs time is not looking at bytes, but a processor that waits: for a loop whose end it guessed
 * wrong, or for the end of the token before. So there is no loop for a token, one look at the bits
 * serves a whole member, whether a number has a point is not asked before its end is known, and
 * whoever wants many members gets them at once. (Tried before: 16-byte vectors for each token,
 * slower than a byte loop, as each waits for the one before it; 64 bytes at a time, which end too
 * often inside a token; the end of null found from the same bits as that of numbers, whose way is
 * longer then.)
 *
 * The byte loops beside that are the reference: they are all there is on other machines and with
 * PEN_JSON_NO_SIMD, with which the tests compile this file once more, as with PEN_JSON_NO_AVX2.
 */

#include "config.h"

#include "pen-json.h"

#include "pen-json-window-private.h"

#include <string.h>

#define PEN_JSON_NO_ERROR (-1)

/* How many members are checked in one go where nobody asks for them. */
#define SKIPPED_AT_ONCE 16

typedef enum
{
  PEN_JSON_STATE_START,     /* nothing was read */
  PEN_JSON_STATE_ANNOUNCED, /* the cursor is behind an opening bracket, the level is counted */
  PEN_JSON_STATE_FIRST,     /* the container was entered */
  PEN_JSON_STATE_REST,      /* the cursor is behind a member or element */
  PEN_JSON_STATE_END,       /* the top-level value is complete */
  PEN_JSON_STATE_FAILED,
} PenJsonState;

typedef enum
{
  PEN_JSON_STEP_FAILED,
  PEN_JSON_STEP_ITEM,  /* a member or element; of a container its opening */
  PEN_JSON_STEP_CLOSED /* the current container ended */
} PenJsonStep;

/* --- Errors --- */

static G_GNUC_NO_INLINE gboolean
pen_json_scanner_fail (PenJsonScanner *self,
                       PenJsonError error,
                       const guint8 *error_at,
                       const char *reason)
{
  self->state = PEN_JSON_STATE_FAILED;
  self->error = (gint) error;
  self->error_at = error_at;
  self->reason = reason;
  return FALSE;
}

static G_GNUC_NO_INLINE const guint8 *
pen_json_scanner_fail_at (PenJsonScanner *self, const guint8 *error_at, const char *reason)
{
  pen_json_scanner_fail (self, PEN_JSON_ERROR_INVALID, error_at, reason);
  return NULL;
}

static char *
pen_json_scanner_describe_found (const PenJsonScanner *self)
{
  const guint8 *at = self->error_at;

  if (at >= self->end)
    return g_strdup ("the text ends");
  if (self->end - at >= 3 && at[0] == 0xef && at[1] == 0xbb && at[2] == 0xbf)
    return g_strdup ("found a byte order mark");
  if (*at < 0x20 || *at >= 0x7f)
    return g_strdup_printf ("found byte 0x%02x", *at);
  return g_strdup_printf ("found '%c'", *at);
}

static void
pen_json_scanner_set_error (const PenJsonScanner *self, GError **error)
{
  gsize offset = (gsize) (self->error_at - self->start);
  g_autofree char *found = NULL;

  if (self->error == PEN_JSON_ERROR_TOO_DEEP)
    {
      g_set_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_TOO_DEEP,
                   "JSON is nested deeper than %d levels at byte offset %" G_GSIZE_FORMAT,
                   PEN_JSON_MAX_DEPTH, offset);
      return;
    }
  found = pen_json_scanner_describe_found (self);
  g_set_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_INVALID,
               "invalid JSON at byte offset %" G_GSIZE_FORMAT ": %s, expected %s", offset, found,
               self->reason);
}

/* --- White space --- */

static ALWAYS_INLINE const guint8 *
pen_json_skip_space (const guint8 *p, const guint8 *end)
{
  while (p < end && G_UNLIKELY (*p <= ' ') && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
    p++;
  return p;
}

/* --- Runs of characters --- */

/* Returns the first byte from @p on that is not a plain character: a printable ASCII one other than
 * the quote and the backslash; or the end of the text. */
static ALWAYS_INLINE const guint8 *
pen_json_scan_plain (PenJsonScanner *self, const guint8 *p)
{
#if PEN_JSON_SIMD
  return pen_json_scanner_find (self, p, self->specials);
#else
  while (p < self->end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
    p++;
  return p;
#endif
}

/* Returns the first byte from @p on that is no digit, or the end of the text. */
static ALWAYS_INLINE const guint8 *
pen_json_scan_digits (PenJsonScanner *self, const guint8 *p)
{
#if PEN_JSON_SIMD
  return pen_json_scanner_find (self, p, self->non_digits);
#else
  while (p < self->end && pen_json_is_digit (*p))
    p++;
  return p;
#endif
}

/* --- Strings --- */

/* Checks the UTF-8 sequences from @p on (RFC 3629, section 4) up to the next ASCII character. */
static const guint8 *
pen_json_scan_utf8 (PenJsonScanner *self, const guint8 *p)
{
  while (p < self->end && *p >= 0x80)
    {
      guint8 lead = *p;
      guint8 least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
      guint8 most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
      gssize length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

      if (lead < 0xc2 || lead > 0xf4)
        return pen_json_scanner_fail_at (self, p, "UTF-8");
      for (gssize i = 1; i < length; i++)
        {
          if (self->end - p <= i)
            return pen_json_scanner_fail_at (self, self->end, "the rest of a UTF-8 sequence");
          if (p[i] < least || p[i] > most)
            return pen_json_scanner_fail_at (self, p + i, "the rest of a UTF-8 sequence");
          least = 0x80;
          most = 0xbf;
        }
      p += length;
    }
  return p;
}

/* Reads the four hexadecimal digits of an escape; returns FALSE after an error. */
static gboolean
pen_json_scan_hex (PenJsonScanner *self, const guint8 *p, guint *code)
{
  *code = 0;
  for (guint i = 0; i < 4; i++)
    {
      if (p + i >= self->end || !g_ascii_isxdigit ((char) p[i]))
        return pen_json_scanner_fail (self, PEN_JSON_ERROR_INVALID, p + i,
                                      "four hexadecimal digits after \"\\u\"");
      *code = *code << 4 | (guint) g_ascii_xdigit_value ((char) p[i]);
    }
  return TRUE;
}

/* Checks the escape, or the pair of surrogate escapes, whose backslash is at @p. */
static const guint8 *
pen_json_scan_escape (PenJsonScanner *self, const guint8 *p)
{
  guint code;

  if (self->end - p < 2)
    return pen_json_scanner_fail_at (self, self->end, "the rest of an escape");
  if (p[1] != 'u')
    {
      /* strchr () would take the NUL for one of them. */
      if (p[1] == '\0' || strchr ("\"\\/bfnrt", p[1]) == NULL)
        return pen_json_scanner_fail_at (self, p + 1, "one of \"\\/bfnrtu after a backslash");
      return p + 2;
    }
  if (!pen_json_scan_hex (self, p + 2, &code))
    return NULL;
  if (code < 0xd800 || code > 0xdfff)
    return p + 6;
  if (code >= 0xdc00)
    return pen_json_scanner_fail_at (self, p, "a high surrogate escape before a low one");
  if (self->end - p < 8 || p[6] != '\\' || p[7] != 'u')
    return pen_json_scanner_fail_at (self, MIN (p + 6, self->end),
                                     "a low surrogate escape after the high one");
  if (!pen_json_scan_hex (self, p + 8, &code))
    return NULL;
  if (code < 0xdc00 || code > 0xdfff)
    return pen_json_scanner_fail_at (self, p + 6, "a low surrogate escape after the high one");
  return p + 12;
}

/* Goes on at @p, which is no plain character; returns the closing quote, or NULL. */
static G_GNUC_NO_INLINE const guint8 *
pen_json_scan_string_slowly (PenJsonScanner *self, const guint8 *p, gboolean *escaped)
{
  for (;;)
    {
      if (p >= self->end)
        return pen_json_scanner_fail_at (self, self->end, "the end of a string");
      if (*p == '"')
        return p;
      if (*p == '\\')
        {
          p = pen_json_scan_escape (self, p);
          *escaped = TRUE;
        }
      else if (*p >= 0x80)
        p = pen_json_scan_utf8 (self, p);
      else
        return pen_json_scanner_fail_at (self, p, "an escape for a control character");
      if (p == NULL)
        return NULL;
      p = pen_json_scan_plain (self, p);
    }
}

/* Checks the string whose first character is at @p; returns the closing quote, or NULL. */
static ALWAYS_INLINE const guint8 *
pen_json_scan_string (PenJsonScanner *self, const guint8 *p, gboolean *escaped)
{
  *escaped = FALSE;
  p = pen_json_scan_plain (self, p);
  if (G_LIKELY (p < self->end && *p == '"'))
    return p;
  return pen_json_scan_string_slowly (self, p, escaped);
}

/* --- Numbers and literals --- */

/* Checks the exponent whose `e` is at @p; returns the byte behind it, or NULL. */
static G_GNUC_NO_INLINE const guint8 *
pen_json_scan_exponent (PenJsonScanner *self, const guint8 *p)
{
  p++;
  if (p < self->end && (*p == '+' || *p == '-'))
    p++;
  if (p >= self->end || !pen_json_is_digit (*p))
    return pen_json_scanner_fail_at (self, p, "a digit of the exponent");
  return pen_json_scan_digits (self, p);
}

/* Checks the number whose first digit is at @p; returns the byte behind it, or NULL. A digit behind
 * a leading zero is not part of it: whoever goes on there finds no comma. */
static ALWAYS_INLINE const guint8 *
pen_json_scan_number (PenJsonScanner *self, const guint8 *p)
{
  const guint8 *first = p;

  p = pen_json_scan_digits (self, p);
  if (G_UNLIKELY (*first == '0' && p > first + 1))
    return first + 1;
  if (G_UNLIKELY (p >= self->end))
    return p;
  if (*p == '.')
    {
      first = p + 1;
      p = pen_json_scan_digits (self, first);
      if (G_UNLIKELY (p == first))
        return pen_json_scanner_fail_at (self, p, "a digit after the decimal point");
      if (G_UNLIKELY (p >= self->end))
        return p;
    }
  if (G_UNLIKELY ((*p | 0x20) == 'e'))
    return pen_json_scan_exponent (self, p);
  return p;
}

/* Checks the number whose minus is at @p; returns the byte behind it, or NULL. */
static G_GNUC_NO_INLINE const guint8 *
pen_json_scan_negative (PenJsonScanner *self, const guint8 *p)
{
  p++;
  if (p >= self->end || !pen_json_is_digit (*p))
    return pen_json_scanner_fail_at (self, p, "a digit");
  return pen_json_scan_number (self, p);
}

/* Checks `true`, `false` or `null` at @p; returns the byte behind it, or NULL. */
static const guint8 *
pen_json_scan_literal (PenJsonScanner *self, const guint8 *p, PenJsonType *type)
{
  gsize room = (gsize) (self->end - p);

  if (room >= 4 && memcmp (p, "null", 4) == 0)
    {
      *type = PEN_JSON_NULL;
      return p + 4;
    }
  if (room >= 4 && memcmp (p, "true", 4) == 0)
    {
      *type = PEN_JSON_TRUE;
      return p + 4;
    }
  if (room >= 5 && memcmp (p, "false", 5) == 0)
    {
      *type = PEN_JSON_FALSE;
      return p + 5;
    }
  return pen_json_scanner_fail_at (self, p, "a value");
}

/* --- Values --- */

/* Counts the container whose opening bracket is at @p and announces it. */
static gboolean
pen_json_scanner_announce (PenJsonScanner *self, const guint8 *p, PenJsonSlice *value)
{
  gboolean is_object = *p == '{';

  if (self->depth >= PEN_JSON_MAX_DEPTH)
    return pen_json_scanner_fail (self, PEN_JSON_ERROR_TOO_DEEP, p, NULL /* reason */);
  self->depth++;
  self->is_object = self->is_object << 1 | (guint64) is_object;
  self->state = PEN_JSON_STATE_ANNOUNCED;
  self->cursor = p + 1;
  value->text = (const char *) p;
  value->length = 1;
  value->escaped = FALSE;
  value->type = is_object ? PEN_JSON_OBJECT : PEN_JSON_ARRAY;
  return TRUE;
}

/* Sets @value to a scalar from @p up to @after, unless that is NULL, and goes on there. */
static ALWAYS_INLINE gboolean
pen_json_scanner_take (PenJsonScanner *self,
                       const guint8 *p,
                       const guint8 *after,
                       PenJsonType type,
                       gboolean escaped,
                       PenJsonSlice *value)
{
  if (G_UNLIKELY (after == NULL))
    return FALSE;
  value->text = (const char *) p;
  value->length = (gsize) (after - p);
  value->type = type;
  value->escaped = escaped;
  self->cursor = after;
  self->state = PEN_JSON_STATE_REST;
  return TRUE;
}

/* Reads the value at @p that is neither a positive number nor a string. */
static G_GNUC_NO_INLINE gboolean
pen_json_scanner_read_other_value (PenJsonScanner *self, const guint8 *p, PenJsonSlice *value)
{
  PenJsonType type = PEN_JSON_NUMBER;
  const guint8 *after;

  if (*p == '{' || *p == '[')
    return pen_json_scanner_announce (self, p, value);
  if (*p == '-')
    after = pen_json_scan_negative (self, p);
  else
    after = pen_json_scan_literal (self, p, &type);
  return pen_json_scanner_take (self, p, after, type, FALSE, value);
}

/* Reads the value at @p: a scalar whole, of a container the opening bracket. */
static ALWAYS_INLINE gboolean
pen_json_scanner_read_value (PenJsonScanner *self, const guint8 *p, PenJsonSlice *value)
{
  const guint8 *after;
  gboolean escaped;

  if (G_UNLIKELY (p >= self->end))
    return pen_json_scanner_fail (self, PEN_JSON_ERROR_INVALID, self->end, "a value");
  if (G_LIKELY (pen_json_is_digit (*p)))
    {
      after = pen_json_scan_number (self, p);
      return pen_json_scanner_take (self, p, after, PEN_JSON_NUMBER, FALSE, value);
    }
  if (*p == '"')
    {
      after = pen_json_scan_string (self, p + 1, &escaped);
      after = after != NULL ? after + 1 : NULL;
      return pen_json_scanner_take (self, p, after, PEN_JSON_STRING, escaped, value);
    }
  return pen_json_scanner_read_other_value (self, p, value);
}

/* Reads the key at @p and the colon; returns where the value begins, or NULL. */
static ALWAYS_INLINE const guint8 *
pen_json_scanner_read_key (PenJsonScanner *self, const guint8 *p, PenJsonSlice *key)
{
  const guint8 *quote;

  if (G_UNLIKELY (p >= self->end || *p != '"'))
    return pen_json_scanner_fail_at (self, p, "a key in double quotes");
  quote = pen_json_scan_string (self, p + 1, &key->escaped);
  if (G_UNLIKELY (quote == NULL))
    return NULL;
  key->text = (const char *) p + 1;
  key->length = (gsize) (quote - p - 1);
  key->type = PEN_JSON_STRING;
  p = pen_json_skip_space (quote + 1, self->end);
  if (G_UNLIKELY (p >= self->end || *p != ':'))
    return pen_json_scanner_fail_at (self, p, "':' after a key");
  return pen_json_skip_space (p + 1, self->end);
}

/* Steps out of the current container, whose closing bracket is at @p. */
static PenJsonStep
pen_json_scanner_close (PenJsonScanner *self, const guint8 *p)
{
  self->cursor = p + 1;
  self->is_object >>= 1;
  self->depth--;
  self->state = self->depth > 0 ? PEN_JSON_STATE_REST : PEN_JSON_STATE_END;
  return PEN_JSON_STEP_CLOSED;
}

/* Goes to the next member or element, whatever it looks like; the state is FIRST or REST. */
static G_GNUC_NO_INLINE PenJsonStep
pen_json_scanner_step_slowly (PenJsonScanner *self, PenJsonMember *member)
{
  gboolean in_object = (self->is_object & 1) != 0;
  const guint8 *p = pen_json_skip_space (self->cursor, self->end);

  if (self->state == PEN_JSON_STATE_REST && p < self->end && *p == ',')
    p = pen_json_skip_space (p + 1, self->end);
  else if (p < self->end && *p == (in_object ? '}' : ']'))
    return pen_json_scanner_close (self, p);
  else if (self->state == PEN_JSON_STATE_REST)
    {
      pen_json_scanner_fail_at (self, p, in_object ? "',' or '}'" : "',' or ']'");
      return PEN_JSON_STEP_FAILED;
    }
  if (in_object)
    {
      p = pen_json_scanner_read_key (self, p, &member->key);
      if (p == NULL)
        return PEN_JSON_STEP_FAILED;
    }
  return pen_json_scanner_read_value (self, p, &member->value) ? PEN_JSON_STEP_ITEM
                                                               : PEN_JSON_STEP_FAILED;
}

#if PEN_JSON_SIMD

/* Goes to the next member behind another one, if it looks usual. Returns FALSE, with nothing read,
 * if it does not. */
static ALWAYS_INLINE gboolean
pen_json_scanner_step_fast (PenJsonScanner *self, PenJsonMember *member, PenJsonStep *step)
{
  const guint8 *p = self->cursor;
  gsize offset = (gsize) (p - self->window);
  const guint8 *value;
  PenJsonBits bits;
  guint length = 0;

  if (G_UNLIKELY (offset >= WINDOW || self->end - p < 4 || p[0] != ','))
    return FALSE;
  value = pen_json_scanner_take_key (self, p, offset, FALSE, &member->key, &bits);
  if (G_UNLIKELY (value == NULL))
    return FALSE;
  if (G_LIKELY (pen_json_is_digit (value[0])))
    length
        = pen_json_scanner_measure_number (self, value, bits.non_digits, bits.non_numbers, FALSE);
  *step = PEN_JSON_STEP_ITEM;
  if (G_LIKELY (length > 0))
    pen_json_scanner_take (self, value, value + length, PEN_JSON_NUMBER, FALSE, &member->value);
  else if (!pen_json_scanner_read_value (self, value, &member->value))
    *step = PEN_JSON_STEP_FAILED;
  return TRUE;
}

/* Reads the usual members that follow, as many as there is room for; returns how many. What is
 * needed for that is in local variables, since the compiler cannot know that a member is no part
 * of the scanner. */
static guint
pen_json_scanner_take_usual (PenJsonScanner *self, PenJsonMember *members, guint n_members)
{
  const guint8 *end = self->end;
  const guint8 *window = self->window;
  /* The brace behind which the first one begins is like a comma. */
  const guint8 *p = self->cursor - (self->state == PEN_JSON_STATE_FIRST);
  guint n_taken = 0;

  for (; n_taken < n_members && end - p >= REACH; n_taken++)
    {
      PenJsonMember *member = &members[n_taken];
      gsize offset = (gsize) (p - window);
      const guint8 *after;
      PenJsonBits bits;

      if (G_UNLIKELY (p[0] != ',' && (n_taken > 0 || self->state != PEN_JSON_STATE_FIRST)))
        break;
      if (G_UNLIKELY (offset > WINDOW - BLOCK))
        {
          pen_json_scanner_load_window (self, p);
          window = p;
          offset = 0;
        }
      after = pen_json_scanner_take_key (self, p, offset, TRUE, &member->key, &bits);
      if (G_UNLIKELY (after == NULL))
        break;
      after = pen_json_scanner_take_usual_value (self, after, window, &bits, &member->value);
      if (G_UNLIKELY (after == NULL))
        break;
      p = after;
    }
  if (n_taken > 0)
    {
      self->cursor = p;
      self->state = PEN_JSON_STATE_REST;
    }
  return n_taken;
}
#endif

/* Goes to the next member or element; the state is FIRST or REST. */
static ALWAYS_INLINE PenJsonStep
pen_json_scanner_step (PenJsonScanner *self, PenJsonMember *member)
{
#if PEN_JSON_SIMD
  PenJsonStep step;

  if (G_LIKELY (self->state == PEN_JSON_STATE_REST && (self->is_object & 1) != 0)
      && G_LIKELY (pen_json_scanner_step_fast (self, member, &step)))
    return step;
#endif
  return pen_json_scanner_step_slowly (self, member);
}

/**
 * pen_json_scanner_next_usual: (skip)
 * @self: a scanner
 * @members: (out caller-allocates) (array length=n_members): the members read
 * @n_members: how many there is room for
 *
 * Goes over the next members of the current object as long as they look usual: a key and a number,
 * a string or null, short and without escapes. It is what [method@JsonScanner.next] does, for many
 * members at once and in less time, but it may stop anywhere, with none left or with an unusual one
 * next: what is next, [method@JsonScanner.next] says.
 *
 * Returns: how many members were read; 0 at the end, in an array, after an error, or for no reason
 *
 * Threads: any
 */
guint
pen_json_scanner_next_usual (PenJsonScanner *self, PenJsonMember *members, guint n_members)
{
#if PEN_JSON_SIMD
  if ((self->state == PEN_JSON_STATE_REST || self->state == PEN_JSON_STATE_FIRST)
      && (self->is_object & 1) != 0)
    return pen_json_scanner_take_usual (self, members, n_members);
#endif
  return 0;
}

/* Checks all up to the end of the container at level @depth, and steps out of it. */
static gboolean
pen_json_scanner_skip_level (PenJsonScanner *self, guint depth)
{
  PenJsonMember members[SKIPPED_AT_ONCE];

  while (self->depth >= depth)
    {
      if (self->state == PEN_JSON_STATE_ANNOUNCED)
        self->state = PEN_JSON_STATE_FIRST;
      if (pen_json_scanner_next_usual (self, members, SKIPPED_AT_ONCE) == SKIPPED_AT_ONCE)
        continue;
      if (pen_json_scanner_step (self, &members[0]) == PEN_JSON_STEP_FAILED)
        return FALSE;
    }
  return TRUE;
}

/* --- Public --- */

/**
 * pen_json_scanner_init: (skip)
 * @self: a scanner on the caller's stack
 * @text: (array length=length): bytes that outlive the scanner; need no NUL behind them
 * @length: number of bytes
 *
 * Puts the scanner in front of a text. Nothing is read yet.
 *
 * Threads: any
 */
void
pen_json_scanner_init (PenJsonScanner *self, const char *text, gsize length)
{
  /* An empty GBytes has no data; a pointer that can be compared is needed all the same. */
  const guint8 *start = (const guint8 *) (text != NULL ? text : "");

  self->cursor = start;
  self->start = start;
  self->end = text != NULL ? start + length : start;
  self->depth = 0;
  self->state = PEN_JSON_STATE_START;
  self->is_object = 0;
  self->error = PEN_JSON_NO_ERROR;
  self->reason = NULL;
  self->error_at = NULL;
  /* No byte of the text is in a window that begins here; all others are loaded first. */
  self->window = self->end;
  self->specials[0] = 0;
  self->non_digits[0] = 0;
  self->non_numbers[0] = 0;
  /* Behind every window. */
  self->specials[G_N_ELEMENTS (self->specials) - 1] = 0;
  self->non_digits[G_N_ELEMENTS (self->non_digits) - 1] = 0;
  self->non_numbers[G_N_ELEMENTS (self->non_numbers) - 1] = 0;
}

/**
 * pen_json_scanner_begin: (skip)
 * @self: a scanner of which nothing was read
 * @value: (out): the top-level value; of an array or object only the opening bracket
 *
 * Reads the top-level value: a scalar whole, of an array or object the opening bracket, which
 * announces it: enter it, skip it, or finish.
 *
 * Returns: %FALSE if there is no valid value
 *
 * Threads: any
 */
gboolean
pen_json_scanner_begin (PenJsonScanner *self, PenJsonSlice *value)
{
  if (self->state != PEN_JSON_STATE_START)
    return FALSE;
  if (!pen_json_scanner_read_value (self, pen_json_skip_space (self->cursor, self->end), value))
    return FALSE;
  if (self->state == PEN_JSON_STATE_REST)
    self->state = PEN_JSON_STATE_END;
  return TRUE;
}

/**
 * pen_json_scanner_enter: (skip)
 * @self: a scanner that has just announced an array or object
 *
 * Steps into the array or object just announced, whose members [method@JsonScanner.next] gives.
 *
 * Returns: %FALSE if none was announced, or after an error
 *
 * Threads: any
 */
gboolean
pen_json_scanner_enter (PenJsonScanner *self)
{
  if (self->state != PEN_JSON_STATE_ANNOUNCED)
    return FALSE;
  self->state = PEN_JSON_STATE_FIRST;
  return TRUE;
}

/**
 * pen_json_scanner_skip: (skip)
 * @self: a scanner
 * @value: (inout) (optional): the value that was announced; whole afterwards
 *
 * Makes the value that was just read whole: checks the array or object just announced up to its
 * closing bracket, and sets @value to all of it. A scalar is whole already and is left as it is.
 *
 * Returns: %FALSE after an error
 *
 * Threads: any
 */
gboolean
pen_json_scanner_skip (PenJsonScanner *self, PenJsonSlice *value)
{
  const guint8 *opening;
  PenJsonType type;

  if (self->state != PEN_JSON_STATE_ANNOUNCED)
    return self->state != PEN_JSON_STATE_FAILED;
  opening = self->cursor - 1;
  type = (self->is_object & 1) != 0 ? PEN_JSON_OBJECT : PEN_JSON_ARRAY;
  if (!pen_json_scanner_skip_level (self, self->depth))
    return FALSE;
  if (value != NULL)
    {
      value->text = (const char *) opening;
      value->length = (gsize) (self->cursor - opening);
      value->type = type;
      value->escaped = FALSE;
    }
  return TRUE;
}

/**
 * pen_json_scanner_next: (skip)
 * @self: a scanner
 * @member: (out): the next member or element; its key is set inside an object only
 *
 * Goes to the next member or element of the current container. A scalar is read whole; an array
 * or object is announced: one that is then neither entered nor skipped is skipped, and checked, by
 * the next call. At the closing bracket the scanner steps out of the container, so that the next
 * call goes on in the one around it.
 *
 * Returns: %FALSE at the end of the container, or after an error: see [method@JsonScanner.failed]
 *
 * Threads: any
 */
gboolean
pen_json_scanner_next (PenJsonScanner *self, PenJsonMember *member)
{
  if (self->state == PEN_JSON_STATE_ANNOUNCED && !pen_json_scanner_skip (self, NULL))
    return FALSE;
  if (G_UNLIKELY (self->state != PEN_JSON_STATE_REST && self->state != PEN_JSON_STATE_FIRST))
    return FALSE;
  return pen_json_scanner_step (self, member) == PEN_JSON_STEP_ITEM;
}

/**
 * pen_json_scanner_leave: (skip)
 * @self: a scanner inside a container
 *
 * Checks the rest of the current container and steps out of it. One that is announced but was not
 * entered is part of that rest.
 *
 * Returns: %FALSE after an error, or if there is no container to leave
 *
 * Threads: any
 */
gboolean
pen_json_scanner_leave (PenJsonScanner *self)
{
  guint depth = self->depth;

  if (self->state == PEN_JSON_STATE_FAILED)
    return FALSE;
  if (self->state == PEN_JSON_STATE_ANNOUNCED)
    depth--;
  return depth > 0 && pen_json_scanner_skip_level (self, depth);
}

/**
 * pen_json_scanner_finish: (skip)
 * @self: a scanner
 * @error: return location for the error
 *
 * Checks whatever was not read yet, and that nothing but white space follows the value.
 *
 * Returns: %FALSE if the text is not valid: @error is what a reader from the left meets first,
 *   %PEN_JSON_ERROR_INVALID or %PEN_JSON_ERROR_TOO_DEEP, with its byte offset
 *
 * Threads: any
 */
gboolean
pen_json_scanner_finish (PenJsonScanner *self, GError **error)
{
  PenJsonSlice value;

  if (self->state == PEN_JSON_STATE_START)
    pen_json_scanner_begin (self, &value);
  if (self->state != PEN_JSON_STATE_FAILED && self->depth > 0)
    pen_json_scanner_skip_level (self, 1);
  if (self->state == PEN_JSON_STATE_END)
    {
      self->cursor = pen_json_skip_space (self->cursor, self->end);
      if (self->cursor < self->end)
        pen_json_scanner_fail_at (self, self->cursor, "nothing after the value");
    }
  if (self->state != PEN_JSON_STATE_FAILED)
    return TRUE;
  pen_json_scanner_set_error (self, error);
  return FALSE;
}

/**
 * pen_json_scanner_failed: (skip)
 * @self: a scanner
 *
 * Returns: whether the text was found to be invalid or too deep
 *
 * Threads: any
 */
gboolean
pen_json_scanner_failed (const PenJsonScanner *self)
{
  return self->state == PEN_JSON_STATE_FAILED;
}
