/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Random numbers: xoshiro256** seeded by SplitMix64, both by Blackman and Vigna ("Scrambled linear
 * pseudorandom number generators", 2018; https://prng.di.unimi.it). GRand is not used, because what
 * it gives for a seed depends on the environment (G_RANDOM_VERSION) and it is 2.5 KiB for each of
 * thousands of items.
 */

#include "config.h"

#include "pen-simulate-random.h"

#define FNV_OFFSET G_GUINT64_CONSTANT (0xcbf29ce484222325)
#define FNV_PRIME G_GUINT64_CONSTANT (0x100000001b3)
#define UNIT_BITS 53

static guint64
pen_simulate_random_rotate (guint64 value, guint bits)
{
  return (value << bits) | (value >> (64 - bits));
}

static guint64
pen_simulate_random_split (guint64 *state)
{
  guint64 z = (*state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

void
pen_simulate_random_init (PenSimulateRandom *self, guint64 seed, const char *stream)
{
  guint64 hash = FNV_OFFSET;

  for (const char *byte = stream; *byte != '\0'; byte++)
    hash = (hash ^ (guchar) *byte) * FNV_PRIME;
  seed ^= hash;
  for (guint i = 0; i < G_N_ELEMENTS (self->state); i++)
    self->state[i] = pen_simulate_random_split (&seed);
}

guint64
pen_simulate_random_next (PenSimulateRandom *self)
{
  guint64 *s = self->state;
  guint64 result = pen_simulate_random_rotate (s[1] * 5, 7) * 9;
  guint64 shifted = s[1] << 17;

  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= shifted;
  s[3] = pen_simulate_random_rotate (s[3], 45);
  return result;
}

gint64
pen_simulate_random_get_between (PenSimulateRandom *self, gint64 minimum, gint64 maximum)
{
  guint64 span = (guint64) maximum - (guint64) minimum;
  guint64 mask = span;
  guint64 value;

  /* The bits that the span has; what lies beyond it is thrown again, so that none is favoured. */
  for (guint bits = 1; bits < 64; bits *= 2)
    mask |= mask >> bits;
  do
    value = pen_simulate_random_next (self) & mask;
  while (value > span);
  return (gint64) ((guint64) minimum + value);
}

double
pen_simulate_random_get_unit (PenSimulateRandom *self)
{
  return (double) (pen_simulate_random_next (self) >> (64 - UNIT_BITS))
         / (double) (G_GUINT64_CONSTANT (1) << UNIT_BITS);
}
