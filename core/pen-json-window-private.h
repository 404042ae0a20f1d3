/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The part of the JSON scanner that looks at many bytes at a time, with SSE2 or AVX2, and what it
 * finds of usual members that way. Only pen-json-scanner.c includes it, which says more.
 */

#pragma once

#include "pen-json.h"

#include <string.h>

#if defined(__SSE2__) && !defined(PEN_JSON_NO_SIMD)
#define PEN_JSON_SIMD 1
#include <emmintrin.h>
#else
#define PEN_JSON_SIMD 0
#endif

/* Whether the processor has AVX2 is asked where it runs. */
#if PEN_JSON_SIMD && defined(__x86_64__) && !defined(PEN_JSON_NO_AVX2)
#define PEN_JSON_AVX2 1
#define PEN_JSON_FOR_AVX2 __attribute__ ((target ("avx2")))
#include <immintrin.h>
#else
#define PEN_JSON_AVX2 0
#endif

/* What every member passes is one function in the end: calls would cost as much as their work. */
#define ALWAYS_INLINE inline __attribute__ ((always_inline))

static inline gboolean
pen_json_is_digit (guint8 c)
{
  return (guint8) (c - '0') <= 9;
}

#if PEN_JSON_SIMD
/* How many bytes a word tells about: one for each of its bits. */
#define BLOCK 64

/* How many bytes are looked at in one go. */
#define WINDOW 512

/* How far from its comma a usual member is looked at: its key and, behind it, a number or null are
 * within a word's bytes and a few more. */
#define REACH (BLOCK + 16)

/* --- Rows of bits --- */

/* Looks at 16 of the 64 bytes that are looked at together. */
static ALWAYS_INLINE void
pen_json_classify_piece (const guint8 *block,
                         guint offset,
                         guint64 *specials,
                         guint64 *digits,
                         guint64 *points)
{
  __m128i bytes = _mm_loadu_si128 ((const __m128i *) (const void *) (block + offset));
  __m128i special = _mm_or_si128 (_mm_cmpeq_epi8 (bytes, _mm_set1_epi8 ('"')),
                                  _mm_cmpeq_epi8 (bytes, _mm_set1_epi8 ('\\')));
  /* Digits are moved to the top of the signed numbers. */
  __m128i digit = _mm_cmpgt_epi8 (_mm_add_epi8 (bytes, _mm_set1_epi8 (G_MAXINT8 - '9')),
                                  _mm_set1_epi8 (G_MAXINT8 - 10));
  __m128i point = _mm_cmpeq_epi8 (bytes, _mm_set1_epi8 ('.'));

  /* As signed numbers, all from 0x80 on are less than a blank, as control characters are. */
  special = _mm_or_si128 (special, _mm_cmpgt_epi8 (_mm_set1_epi8 (' '), bytes));
  *specials |= (guint64) (guint) _mm_movemask_epi8 (special) << offset;
  *digits |= (guint64) (guint) _mm_movemask_epi8 (digit) << offset;
  *points |= (guint64) (guint) _mm_movemask_epi8 (point) << offset;
}

/* Looks at 64 bytes of text, which fill the words with this @index. */
static ALWAYS_INLINE void
pen_json_scanner_classify (PenJsonScanner *self, const guint8 *block, guint index)
{
  guint64 specials = 0;
  guint64 digits = 0;
  guint64 points = 0;

  pen_json_classify_piece (block, 0, &specials, &digits, &points);
  pen_json_classify_piece (block, 16, &specials, &digits, &points);
  pen_json_classify_piece (block, 32, &specials, &digits, &points);
  pen_json_classify_piece (block, 48, &specials, &digits, &points);
  self->specials[index] = specials;
  self->non_digits[index] = ~digits;
  self->non_numbers[index] = ~(digits | points);
}

#if PEN_JSON_AVX2
/* The same for 32 bytes at a time, on processors that can: half the instructions. */
static inline PEN_JSON_FOR_AVX2 void
pen_json_classify_half (const guint8 *block,
                        guint offset,
                        guint64 *specials,
                        guint64 *digits,
                        guint64 *points)
{
  __m256i bytes = _mm256_loadu_si256 ((const __m256i *) (const void *) (block + offset));
  __m256i special = _mm256_or_si256 (_mm256_cmpeq_epi8 (bytes, _mm256_set1_epi8 ('"')),
                                     _mm256_cmpeq_epi8 (bytes, _mm256_set1_epi8 ('\\')));
  __m256i digit = _mm256_cmpgt_epi8 (_mm256_add_epi8 (bytes, _mm256_set1_epi8 (G_MAXINT8 - '9')),
                                     _mm256_set1_epi8 (G_MAXINT8 - 10));
  __m256i point = _mm256_cmpeq_epi8 (bytes, _mm256_set1_epi8 ('.'));

  special = _mm256_or_si256 (special, _mm256_cmpgt_epi8 (_mm256_set1_epi8 (' '), bytes));
  *specials |= (guint64) (guint) _mm256_movemask_epi8 (special) << offset;
  *digits |= (guint64) (guint) _mm256_movemask_epi8 (digit) << offset;
  *points |= (guint64) (guint) _mm256_movemask_epi8 (point) << offset;
}

static PEN_JSON_FOR_AVX2 void
pen_json_scanner_classify_with_avx2 (PenJsonScanner *self, const guint8 *block, guint n_blocks)
{
  for (guint i = 0; i < n_blocks; i++, block += BLOCK)
    {
      guint64 specials = 0;
      guint64 digits = 0;
      guint64 points = 0;

      pen_json_classify_half (block, 0, &specials, &digits, &points);
      pen_json_classify_half (block, 32, &specials, &digits, &points);
      self->specials[i] = specials;
      self->non_digits[i] = ~digits;
      self->non_numbers[i] = ~(digits | points);
    }
}
#endif

/* Looks at whole blocks, which fill the words from the first one on. */
static ALWAYS_INLINE void
pen_json_scanner_classify_blocks (PenJsonScanner *self, const guint8 *block, guint n_blocks)
{
#if PEN_JSON_AVX2
  if (G_LIKELY (__builtin_cpu_supports ("avx2")))
    {
      pen_json_scanner_classify_with_avx2 (self, block, n_blocks);
      return;
    }
#endif
  for (guint i = 0; i < n_blocks; i++, block += BLOCK)
    pen_json_scanner_classify (self, block, i);
}

/* Looks at the bytes from @p on, as many as there are words for. Zeros stand behind the text: they
 * end every run. */
static G_GNUC_NO_INLINE void
pen_json_scanner_load_window (PenJsonScanner *self, const guint8 *p)
{
  gsize length = (gsize) (self->end - p);
  guint n_blocks = (guint) MIN (length, WINDOW) / BLOCK;
  guint8 padded[BLOCK] = { 0 };

  self->window = p;
  pen_json_scanner_classify_blocks (self, p, n_blocks);
  if (n_blocks == WINDOW / BLOCK)
    return;
  memcpy (padded, p + (gsize) n_blocks * BLOCK, length % BLOCK);
  pen_json_scanner_classify (self, padded, n_blocks);
  self->specials[n_blocks + 1] = 0;
  self->non_digits[n_blocks + 1] = 0;
  self->non_numbers[n_blocks + 1] = 0;
}

/* Returns the bits of a row from @offset on: at least 57, with zeros behind them. */
static ALWAYS_INLINE guint64
pen_json_get_bits (const guint64 *words, gsize offset)
{
  guint64 bits;

  memcpy (&bits, (const guint8 *) words + offset / 8, sizeof bits);
  return bits >> offset % 8;
}

/* Looks for the next byte of a kind from @p on, window by window. @words are those of the kind. */
static G_GNUC_NO_INLINE const guint8 *
pen_json_scanner_find_in_windows (PenJsonScanner *self, const guint8 *p, const guint64 *words)
{
  while (p < self->end)
    {
      gsize offset = (gsize) (p - self->window);
      guint64 found;

      if (offset >= WINDOW)
        {
          pen_json_scanner_load_window (self, p);
          offset = 0;
        }
      found = pen_json_get_bits (words, offset);
      if (found != 0)
        return p + (guint) __builtin_ctzll (found);
      p += MIN (57, WINDOW - offset);
    }
  return self->end;
}

/* The same, for what is mostly found at once. */
static ALWAYS_INLINE const guint8 *
pen_json_scanner_find (PenJsonScanner *self, const guint8 *p, const guint64 *words)
{
  gsize offset = (gsize) (p - self->window);

  if (G_LIKELY (offset < WINDOW))
    {
      guint64 found = pen_json_get_bits (words, offset);

      if (G_LIKELY (found != 0))
        return p + (guint) __builtin_ctzll (found);
    }
  return pen_json_scanner_find_in_windows (self, p, words);
}

/* --- Usual members --- */

/* Returns the byte behind @p. The compiler would rather add the result of a comparison than branch,
 * and all that follows would wait for it; but whether there is a blank is easily foretold. */
static ALWAYS_INLINE const guint8 *
pen_json_step_over (const guint8 *p)
{
  __asm__ volatile("" : "+r"(p));
  return p + 1;
}

/* Returns how far behind @p the number ends whose first digit is there, or 0 if that is not known
 * from the bits that begin there, or if it is not as simple. @is_far says that the end of the text
 * is farther away than any of that.
 *
 * Whether there is a point, and where, nobody can foretell. So the end is looked for at once, past
 * a point, and that there is at most one, within the digits, is seen afterwards: by then the next
 * member is on its way. */
static ALWAYS_INLINE guint
pen_json_scanner_measure_number (const PenJsonScanner *self,
                                 const guint8 *p,
                                 guint64 non_digits,
                                 guint64 non_numbers,
                                 gboolean is_far)
{
  guint64 below = (non_numbers & -non_numbers) - 1;
  guint64 points = non_digits & below;
  guint length;

  if (G_UNLIKELY (non_numbers == 0))
    return 0;
  length = (guint) __builtin_ctzll (non_numbers);
  if (G_UNLIKELY (((points & (points - 1)) | (points & ~(below >> 1))) != 0))
    return 0;
  if (G_UNLIKELY ((!is_far && p + length >= self->end) || (p[length] | 0x20) == 'e'))
    return 0;
  if (G_UNLIKELY (p[0] == '0' && length > 1 && p[1] != '.'))
    return 0;
  return length;
}

/* What is known of the bytes from a place on: a piece of each row. */
typedef struct
{
  guint64 specials;
  guint64 non_digits;
  guint64 non_numbers;
} PenJsonBits;

/* Reads the key behind the comma or brace at @p, if it looks as loggers write most of them: without
 * escape, no white space but a blank behind the comma and the colon. All of that is found with one
 * look at the words, for each look waits for the one before it; @bits are then those of the value.
 * Returns where that begins, or NULL, with nothing read, if it looks different. */
static ALWAYS_INLINE const guint8 *
pen_json_scanner_take_key (const PenJsonScanner *self,
                           const guint8 *p,
                           gsize offset,
                           gboolean is_far,
                           PenJsonSlice *key,
                           PenJsonBits *bits)
{
  guint64 specials = pen_json_get_bits (self->specials, offset) >> 2;
  guint64 non_digits = pen_json_get_bits (self->non_digits, offset);
  guint64 non_numbers = pen_json_get_bits (self->non_numbers, offset);
  const guint8 *value;
  guint length;

  if (p[1] == ' ')
    {
      p = pen_json_step_over (p);
      specials >>= 1;
      non_digits >>= 1;
      non_numbers >>= 1;
    }
  if (G_UNLIKELY (p[1] != '"' || specials == 0))
    return NULL;
  p += 2;
  length = (guint) __builtin_ctzll (specials);
  if (G_UNLIKELY (length >= BLOCK - 5 || (!is_far && self->end - p < length + 4)))
    return NULL;
  value = p + length + 2;
  non_digits >>= length + 4;
  non_numbers >>= length + 4;
  if (value[0] == ' ')
    {
      value = pen_json_step_over (value);
      non_digits >>= 1;
      non_numbers >>= 1;
    }
  if (G_UNLIKELY (p[length] != '"' || p[length + 1] != ':' || value[0] <= ' '))
    return NULL;
  *key = (PenJsonSlice){ .text = (const char *) p, .length = length, .type = PEN_JSON_STRING };
  bits->non_digits = non_digits;
  bits->non_numbers = non_numbers;
  return value;
}

/* Reads the value at @p if it is a short number, a short string without escape, or null; returns
 * what is behind it, or NULL, with nothing read. */
static ALWAYS_INLINE const guint8 *
pen_json_scanner_take_usual_value (const PenJsonScanner *self,
                                   const guint8 *p,
                                   const guint8 *window,
                                   const PenJsonBits *bits,
                                   PenJsonSlice *value)
{
  gsize length;
  PenJsonType type;

  if (G_LIKELY (pen_json_is_digit (p[0])))
    {
      type = PEN_JSON_NUMBER;
      length = pen_json_scanner_measure_number (self, p, bits->non_digits, bits->non_numbers, TRUE);
      if (G_UNLIKELY (length == 0))
        return NULL;
    }
  else if (memcmp (p, "null", 4) == 0)
    {
      type = PEN_JSON_NULL;
      length = 4;
    }
  else
    {
      guint64 specials = pen_json_get_bits (self->specials, (gsize) (p + 1 - window));

      if (p[0] != '"' || specials == 0)
        return NULL;
      type = PEN_JSON_STRING;
      length = (guint) __builtin_ctzll (specials) + 2;
      if (p + length > self->end || p[length - 1] != '"')
        return NULL;
    }
  *value = (PenJsonSlice){ .text = (const char *) p, .length = length, .type = type };
  return p + length;
}
#endif
