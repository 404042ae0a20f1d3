/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What 'penstock top' shows on a terminal: a screenful, looked at again and again. A handful of the
 * control sequences of ECMA-48, which every terminal has, is all that it takes; what was on the
 * screen is there again at the end, also if a signal is the end. A screenful is written in one
 * piece, each line up to its end, so that nothing flickers.
 */

#include "config.h"

#include "pen-cli-top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define ENTER "\033[?1049h\033[?25l" /* the other screen, without a cursor */
#define LEAVE "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define REST_OF_LINE "\033[K"
#define REST_OF_SCREEN "\033[J"
/* around the rows: two lines on top, headings, total, and what the keys do */
#define OTHER_LINES 5
#define KEYS "q: end   s: sort by the next   up, down, page up, page down: move"
#define KEY_BYTES 64

typedef struct
{
  const PenCli *cli;
  PenCliPeer *peer;
  const GPtrArray *patterns;
  PenCliTopLook *look;
  PenCliTopLayout layout;
  guint height;
  struct termios before;
} PenCliScreen;

static volatile sig_atomic_t pen_cli_screen_is_over;

static void
pen_cli_screen_on_end (int number)
{
  pen_cli_screen_is_over = TRUE;
}

/* Only there to end a poll (). */
static void
pen_cli_screen_on_resize (int number)
{
}

static void
pen_cli_screen_measure (PenCliScreen *self)
{
  struct winsize size = { .ws_row = 24, .ws_col = 80 };

  if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
    size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
  self->height = size.ws_row;
  self->layout.width = size.ws_col;
  self->layout.n_rows = self->height > OTHER_LINES ? self->height - OTHER_LINES : 1;
}

static void
pen_cli_screen_open (PenCliScreen *self)
{
  struct sigaction end = { .sa_handler = pen_cli_screen_on_end };
  struct sigaction resize = { .sa_handler = pen_cli_screen_on_resize };
  struct termios raw;

  sigaction (SIGINT, &end, NULL);
  sigaction (SIGTERM, &end, NULL);
  sigaction (SIGHUP, &end, NULL);
  sigaction (SIGWINCH, &resize, NULL);
  tcgetattr (STDIN_FILENO, &self->before);
  raw = self->before;
  raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
  raw.c_cc[VSUSP] = _POSIX_VDISABLE; /* a shell would be left with this screen */
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  tcsetattr (STDIN_FILENO, TCSANOW, &raw);
  fputs (ENTER, stdout);
}

static void
pen_cli_screen_close (PenCliScreen *self)
{
  fputs (LEAVE, stdout);
  fflush (stdout);
  tcsetattr (STDIN_FILENO, TCSANOW, &self->before);
}

static void
pen_cli_screen_draw (PenCliScreen *self)
{
  g_autoptr (GString) table = g_string_new (NULL);
  guint n_rows = self->look->rows->len;

  pen_cli_screen_measure (self);
  if (self->layout.first + self->layout.n_rows > n_rows)
    self->layout.first = n_rows > self->layout.n_rows ? n_rows - self->layout.n_rows : 0;
  pen_cli_top_sort (self->look, self->layout.sorted_by);
  pen_cli_top_append_table (table, self->peer, self->look, &self->layout);
  g_string_append_len (table, KEYS, (gssize) MIN (strlen (KEYS), self->layout.width));
  g_string_replace (table, "\n", REST_OF_LINE "\n", 0 /* all */);
  g_string_prepend (table, HOME);
  g_string_append (table, REST_OF_LINE REST_OF_SCREEN);
  fwrite (table->str, 1, table->len, stdout);
  fflush (stdout);
}

static void
pen_cli_screen_move (PenCliScreen *self, int n_lines)
{
  int first = (int) self->layout.first + n_lines;

  /* too far down is put right when it is drawn */
  self->layout.first = (guint) MAX (first, 0);
}

static void
pen_cli_screen_handle_key (PenCliScreen *self, const char *key)
{
  int page = (int) self->layout.n_rows;

  if (*key == 'q' || *key == 'Q')
    pen_cli_screen_is_over = TRUE;
  else if (*key == 's')
    {
      self->layout.sorted_by++;
      if (pen_cli_top_sort_names[self->layout.sorted_by] == NULL)
        self->layout.sorted_by = 0;
    }
  else if (*key == 'j' || g_str_has_prefix (key, "\033[B") || g_str_has_prefix (key, "\033OB"))
    pen_cli_screen_move (self, 1);
  else if (*key == 'k' || g_str_has_prefix (key, "\033[A") || g_str_has_prefix (key, "\033OA"))
    pen_cli_screen_move (self, -1);
  else if (*key == ' ' || g_str_has_prefix (key, "\033[6~"))
    pen_cli_screen_move (self, page);
  else if (*key == 'b' || g_str_has_prefix (key, "\033[5~"))
    pen_cli_screen_move (self, -page);
}

/* Draws again at each key and each change of size, until it is time to look again. */
static void
pen_cli_screen_wait (PenCliScreen *self, gint64 end_us)
{
  while (!pen_cli_screen_is_over && g_get_monotonic_time () < end_us)
    {
      struct pollfd poll_fd = { .fd = STDIN_FILENO, .events = POLLIN };
      int left_ms = (int) ((end_us - g_get_monotonic_time () + 999) / 1000);
      int n_ready = poll (&poll_fd, 1, MAX (left_ms, 0));
      char key[KEY_BYTES] = "";
      gssize n_read = n_ready > 0 ? read (STDIN_FILENO, key, sizeof key - 1) : 0;

      if (n_ready > 0 && n_read <= 0)
        pen_cli_screen_is_over = TRUE; /* the terminal is gone */
      else if (n_read > 0)
        pen_cli_screen_handle_key (self, key);
      if (n_ready != 0 && !pen_cli_screen_is_over)
        pen_cli_screen_draw (self);
    }
}

/* documented in the header */
int
pen_cli_top_show (const PenCli *cli,
                  PenCliPeer *peer,
                  const GPtrArray *patterns,
                  guint sorted_by,
                  gint64 interval_us)
{
  PenCliScreen self = {
    .cli = cli,
    .peer = peer,
    .patterns = patterns,
    .layout = { .sorted_by = sorted_by, .has_bold = pen_cli_wants_colour (stdout) },
  };
  gboolean is_gone = FALSE;

  pen_cli_screen_open (&self);
  while (!pen_cli_screen_is_over && !is_gone)
    {
      gint64 end_us = g_get_monotonic_time () + interval_us;
      PenCliTopLook *look = pen_cli_top_look (peer, self.look, patterns);

      is_gone = look == NULL;
      if (is_gone)
        continue;
      g_clear_pointer (&self.look, pen_cli_top_look_free);
      self.look = look;
      pen_cli_screen_draw (&self);
      pen_cli_screen_wait (&self, end_us);
    }
  pen_cli_screen_close (&self);
  g_clear_pointer (&self.look, pen_cli_top_look_free);
  if (is_gone && !pen_cli_screen_is_over)
    fprintf (stderr, "penstock top: process %d has ended\n", peer->pid);
  return PEN_CLI_DONE;
}
