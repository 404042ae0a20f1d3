/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The messages that a window holds open.
 */

#include "config.h"

#include "pen-window-hold.h"

void
pen_window_hold_add (PenWindowHold *self, PenToken *token)
{
  if (self->tokens == NULL)
    self->tokens = g_ptr_array_new_full (1, (GDestroyNotify) pen_token_unref);
  for (guint i = self->tokens->len; i > 0; i--)
    {
      PenToken *held = g_ptr_array_index (self->tokens, i - 1);

      if (pen_token_covers (held, token))
        return;
      if (pen_token_covers (token, held))
        g_ptr_array_remove_index_fast (self->tokens, i - 1);
    }
  g_ptr_array_add (self->tokens, pen_token_ref (token));
}

void
pen_window_hold_add_event (PenWindowHold *self, const PenEvent *event)
{
  for (guint i = 0; i < pen_event_get_n_tokens (event); i++)
    pen_window_hold_add (self, pen_event_get_nth_token (event, i));
}

void
pen_window_hold_add_hold (PenWindowHold *self, const PenWindowHold *other)
{
  for (guint i = 0; other->tokens != NULL && i < other->tokens->len; i++)
    pen_window_hold_add (self, g_ptr_array_index (other->tokens, i));
}

void
pen_window_hold_release (PenWindowHold *self)
{
  g_clear_pointer (&self->tokens, g_ptr_array_unref);
}

void
pen_window_hold_give (const PenWindowHold *self, PenEvent *event)
{
  for (guint i = 0; self->tokens != NULL && i < self->tokens->len; i++)
    pen_event_add_token (event, g_ptr_array_index (self->tokens, i));
}
