/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Faults of the network, and brokers that talk nonsense. TLS is cut through in the middle of its
 * records; what is slipped in between two packets needs a connection without it.
 */

#include "config.h"

#include "pen-chaos-faults.h"

#include <string.h>

#define LONGEST_QUIET_MS 1500
/* About half a second's worth. */
#define LONGEST_CUT_BYTES 100000
#define IN_HAND_MS 500
#define GARBAGE_BYTES 64
#define N_FLOOD 100000

static void
pen_chaos_cut (PenChaos *self)
{
  guint n_faults = pen_chaos_get_n_faults (3);

  for (guint i = 0; i < n_faults; i++)
    {
      gboolean is_away = pen_chaos_random (self, 0, 3) == 0;

      pen_chaos_let_settle (self, i);
      pen_chaos_pass (self, pen_chaos_random (self, 0, LONGEST_QUIET_MS));
      pen_chaos_proxy_refuse (pen_chaos_get_proxy (self), is_away);
      pen_chaos_proxy_cut (pen_chaos_get_proxy (self), pen_chaos_random (self, 0, 2) == 0
                                                           ? PEN_CHAOS_CUT_CLOSE
                                                           : PEN_CHAOS_CUT_RESET);
      if (is_away)
        pen_chaos_let_settle (self, i);
      pen_chaos_pass (self, pen_chaos_random (self, 0, LONGEST_QUIET_MS));
      pen_chaos_proxy_refuse (pen_chaos_get_proxy (self), FALSE);
      pen_chaos_fault_over (self);
      pen_chaos_expect_numbers (self, 1);
    }
}

static gboolean
pen_chaos_is_cut (gpointer user_data)
{
  return pen_chaos_proxy_has_cut (pen_chaos_get_proxy (user_data));
}

/* Anywhere in a packet, with TLS in a record. */
static void
pen_chaos_cut_in_packet (PenChaos *self)
{
  guint n_faults = pen_chaos_get_n_faults (3);

  for (guint i = 0; i < n_faults; i++)
    {
      pen_chaos_let_settle (self, i);
      pen_chaos_proxy_cut_after (pen_chaos_get_proxy (self),
                                 pen_chaos_random (self, 1, LONGEST_CUT_BYTES),
                                 PEN_CHAOS_CUT_CLOSE);
      g_assert_true (pen_test_wait (pen_chaos_is_cut, self, PEN_CHAOS_WAIT_MS));
      pen_chaos_fault_over (self);
      pen_chaos_expect_numbers (self, 1);
    }
}

/* Nobody is told; only the keep-alive finds out. The time to recover includes that. */
static void
pen_chaos_half_open (PenChaos *self)
{
  guint n_faults = pen_chaos_get_n_faults (1);

  for (guint i = 0; i < n_faults; i++)
    {
      pen_chaos_pass (self, pen_chaos_random (self, 0, LONGEST_QUIET_MS));
      pen_chaos_proxy_cut (pen_chaos_get_proxy (self), PEN_CHAOS_CUT_SILENT);
      /* what is in the receiver's hands needs no connection */
      pen_chaos_pass (self, IN_HAND_MS);
      pen_chaos_fault_over (self);
      pen_chaos_expect_numbers (self, 1);
    }
}

static gboolean
pen_chaos_is_injected (gpointer user_data)
{
  return pen_chaos_proxy_has_injected (pen_chaos_get_proxy (user_data));
}

static void
pen_chaos_inject (PenChaos *self, GBytes *bytes)
{
  pen_chaos_proxy_inject (pen_chaos_get_proxy (self), bytes);
  g_assert_true (pen_test_wait (pen_chaos_is_injected, self, PEN_CHAOS_WAIT_MS));
  pen_chaos_fault_over (self);
}

/* Random bytes may announce a packet of 256 MiB, which then swallows the stream until the
 * keep-alive is over. Others end in an assertion of libmosquitto 2.0.11, which logs an unknown
 * property without saying of which client: then the process is gone, and is started again. */
static void
pen_chaos_garbage (PenChaos *self)
{
  guint n_faults = pen_chaos_get_n_faults (2);

  for (guint i = 0; i < n_faults; i++)
    {
      guint8 *garbage = g_malloc (GARBAGE_BYTES);
      g_autoptr (GBytes) bytes = NULL;

      for (guint at = 0; at < GARBAGE_BYTES; at++)
        garbage[at] = (guint8) pen_chaos_random (self, 0, 256);
      bytes = g_bytes_new_take (garbage, GARBAGE_BYTES);
      pen_chaos_pass (self, pen_chaos_random (self, 0, LONGEST_QUIET_MS));
      pen_chaos_inject (self, bytes);
      pen_chaos_expect_numbers (self, pen_chaos_get_settings ()->rate);
    }
}

/* PUBLISH packets of QoS 0 that nobody has published, as fast as they are taken. */
static GBytes *
pen_chaos_make_flood (void)
{
  GByteArray *flood = g_byte_array_new ();
  const guint8 topic[] = { 0, 7, 't', '/', 'f', 'l', 'o', 'o', 'd' };
  const guint8 no_properties = 0;

  for (guint i = 0; i < N_FLOOD; i++)
    {
      g_autofree char *payload = g_strdup_printf (PEN_CHAOS_FOREIGN "%u}", i);
      guint8 head[] = { 0x30, (guint8) (sizeof topic + sizeof no_properties + strlen (payload)) };

      g_byte_array_append (flood, head, sizeof head);
      g_byte_array_append (flood, topic, sizeof topic);
      g_byte_array_append (flood, &no_properties, sizeof no_properties);
      g_byte_array_append (flood, (const guint8 *) payload, (guint) strlen (payload));
    }
  return g_byte_array_free_to_bytes (flood);
}

static void
pen_chaos_flood (PenChaos *self)
{
  g_autoptr (GBytes) flood = pen_chaos_make_flood ();
  guint n_faults = pen_chaos_get_n_faults (1);

  pen_chaos_watch_memory (self);
  for (guint i = 0; i < n_faults; i++)
    {
      pen_chaos_pass (self, pen_chaos_random (self, 0, LONGEST_QUIET_MS));
      pen_chaos_inject (self, flood);
      pen_chaos_expect_numbers (self, pen_chaos_get_settings ()->rate);
    }
}

void
pen_chaos_add_network_faults (void)
{
  static const PenChaosPlan tls_plan = { .has_proxy = TRUE };
  static const PenChaosPlan plain_plan = { .has_proxy = TRUE, .is_plain = TRUE };
  static const PenChaosPlan garbage_plan
      = { .has_proxy = TRUE, .is_plain = TRUE, .is_supervised = TRUE };

  pen_chaos_add ("cut", PEN_CHAOS_BOTH, &tls_plan, pen_chaos_cut);
  pen_chaos_add ("cut-in-packet", PEN_CHAOS_BOTH, &tls_plan, pen_chaos_cut_in_packet);
  pen_chaos_add ("half-open", PEN_CHAOS_BOTH, &tls_plan, pen_chaos_half_open);
  pen_chaos_add ("garbage", PEN_CHAOS_BOTH, &garbage_plan, pen_chaos_garbage);
  pen_chaos_add ("flood", PEN_CHAOS_BOTH, &plain_plan, pen_chaos_flood);
}
