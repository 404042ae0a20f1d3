/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A wall clock that a test can set, for one process: preloaded, it adds to the time of day the
 * microseconds that stand in a shared file (PENSTOCK_CHAOS_CLOCK_FILE). A time namespace does not
 * cover this clock, and the machine's own is not ours.
 */

#include "config.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define EXPORTED __attribute__ ((visibility ("default")))
#define US_PER_S 1000000

static const int64_t *pen_chaos_clock_offset_us;

/* Before main (), and before any thread. */
__attribute__ ((constructor)) static void
pen_chaos_clock_begin (void)
{
  const char *path = getenv ("PENSTOCK_CHAOS_CLOCK_FILE");
  int fd = path == NULL ? -1 : open (path, O_RDONLY | O_CLOEXEC);
  void *shared;

  if (fd < 0)
    return;
  shared = mmap (NULL, sizeof *pen_chaos_clock_offset_us, PROT_READ, MAP_SHARED, fd, 0);
  close (fd);
  if (shared != MAP_FAILED)
    pen_chaos_clock_offset_us = shared;
}

static int64_t
pen_chaos_clock_get_us (void)
{
  struct timespec now;
  int64_t offset_us = 0;

  syscall (SYS_clock_gettime, CLOCK_REALTIME, &now);
  if (pen_chaos_clock_offset_us != NULL)
    offset_us = __atomic_load_n (pen_chaos_clock_offset_us, __ATOMIC_SEQ_CST);
  return (int64_t) now.tv_sec * US_PER_S + now.tv_nsec / 1000 + offset_us;
}

EXPORTED int
clock_gettime (clockid_t clock, struct timespec *now)
{
  int64_t now_us;

  if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)
    return (int) syscall (SYS_clock_gettime, clock, now);
  now_us = pen_chaos_clock_get_us ();
  now->tv_sec = now_us / US_PER_S;
  now->tv_nsec = now_us % US_PER_S * 1000;
  return 0;
}

EXPORTED int
gettimeofday (struct timeval *now, void *zone)
{
  int64_t now_us = pen_chaos_clock_get_us ();

  now->tv_sec = now_us / US_PER_S;
  now->tv_usec = now_us % US_PER_S;
  return 0;
}

EXPORTED time_t
time (time_t *now)
{
  time_t seconds = pen_chaos_clock_get_us () / US_PER_S;

  if (now != NULL)
    *now = seconds;
  return seconds;
}
