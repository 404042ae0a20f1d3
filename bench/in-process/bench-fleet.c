/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Writes the payloads of a fleet of loggers to standard output, one a line; with 0 sites the sample
 * payload alone.
 *
 *   bench-fleet [SITES]
 */

#include "config.h"

#include "pen-logger-fleet.h"

#include <stdio.h>

#define DEFAULT_SITES 1000
#define MAX_SITES 100000

int
main (int argc, char **argv)
{
  guint64 n_sites = DEFAULT_SITES;
  g_autoptr (GPtrArray) fleet = NULL;

  if (argc > 2
      || (argc == 2 && !g_ascii_string_to_unsigned (argv[1], 10, 0, MAX_SITES, &n_sites, NULL)))
    {
      g_printerr ("usage: bench-fleet [SITES]: from 0 to %d\n", MAX_SITES);
      return 2;
    }
  if (n_sites == 0)
    puts (pen_logger_sample);
  fleet = pen_logger_fleet_new ((guint) n_sites);
  for (guint i = 0; i < fleet->len; i++)
    {
      gsize length;
      const char *text = g_bytes_get_data (fleet->pdata[i], &length);

      fwrite (text, 1, length, stdout);
      putchar ('\n');
    }
  return fflush (stdout) == 0 ? 0 : 1;
}
