/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Texts behind whose last byte nothing can be read. A payload is not padded and ends anywhere, so a
 * reader that takes 16 bytes at a time must not touch the 16th of 15. AddressSanitizer would tell,
 * but not in an ordinary build: here the text ends where a page ends, and the next page is closed.
 */

#include "config.h"

#include "pen-guard.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct _PenGuard
{
  char *mapping;
  gsize room; /* bytes before the closed page */
  gsize page;
};

PenGuard *
pen_guard_new (gsize limit_bytes)
{
  PenGuard *self = g_new0 (PenGuard, 1);

  self->page = (gsize) sysconf (_SC_PAGESIZE);
  self->room = (limit_bytes / self->page + 1) * self->page;
  self->mapping = mmap (NULL, self->room + self->page, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  g_assert_true (self->mapping != MAP_FAILED);
  g_assert_no_errno (mprotect (self->mapping + self->room, self->page, PROT_NONE));
  return self;
}

void
pen_guard_free (PenGuard *self)
{
  munmap (self->mapping, self->room + self->page);
  g_free (self);
}

/* The copy is good until the next one. */
const char *
pen_guard_put (PenGuard *self, const char *text, gsize length)
{
  g_assert_cmpuint (length, <=, self->room);
  if (length > 0)
    memcpy (self->mapping + self->room - length, text, length);
  return self->mapping + self->room - length;
}
