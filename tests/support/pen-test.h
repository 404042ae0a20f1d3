/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What every test program begins with, and how a test waits: on a condition, with a deadline.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

typedef gboolean (*PenTestCondition) (gpointer user_data);
typedef void (*PenTestFolderFunc) (const char *folder);

void pen_test_init (int *argc, char ***argv);
char *pen_test_take_log (void);
gboolean pen_test_has_logged (const char *pattern);
gboolean pen_test_wait (PenTestCondition condition, gpointer user_data, guint timeout_ms);
char *pen_test_make_folder (void);
void pen_test_remove_folder (char *folder);
void pen_test_run_on_small_disk (guint64 size, PenTestFolderFunc func);
char *pen_test_read_file (const char *path, gsize *length);
void pen_test_write_file (const char *folder, const char *name, const char *text);

G_END_DECLS
