/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What an element says of its configuration before anything starts. An element knows properties,
 * not lines: whoever loads the keyfile gives the place to each finding.
 */

#include "config.h"

#include "pen-check-private.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/**
 * pen_check_error:
 * @self: a check
 * @property: (nullable): the property at fault, %NULL for the element as a whole
 * @format: what is wrong with which value, and what to do; never the value of a secret
 * @...: arguments of @format
 *
 * Tells of a mistake: nothing is started.
 *
 * Threads: any
 */
void
pen_check_error (PenCheck *self, const char *property, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->report (TRUE, property, message, self->user_data);
}

/**
 * pen_check_warning:
 * @self: a check
 * @property: (nullable): the property that it concerns, %NULL for the element as a whole
 * @format: what is doubtful, and what to do; never the value of a secret
 * @...: arguments of @format
 *
 * Tells of something doubtful, which is started all the same.
 *
 * Threads: any
 */
void
pen_check_warning (PenCheck *self, const char *property, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->report (FALSE, property, message, self->user_data);
}

/**
 * pen_check_claim:
 * @self: a check
 * @property: (nullable): the property that says it, %NULL for the element as a whole
 * @why: what happens when two have it: "two clients with one id throw each other out"
 * @format: what it is, so that two of the same have the same text: a file, a client id at a broker
 * @...: arguments of @format
 *
 * Says that the element uses something that no other element may use, in this pipeline or another
 * one of the fleet. Of two that claim the same, the second is told, with the place of the first.
 *
 * Threads: any
 */
void
pen_check_claim (PenCheck *self, const char *property, const char *why, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->claim (property, what, why, self->user_data);
}

/**
 * pen_check_interest:
 * @self: a check
 * @property: (nullable): the property that says it, %NULL for the element as a whole
 * @interest: what the element reads
 *
 * Says that the element reads something that another element, in this pipeline or another one of
 * the fleet, hardly reads as well on purpose. Of two that overlap, the second is warned, with the
 * place of the first. An element is not compared with itself.
 *
 * Threads: any
 */
void
pen_check_interest (PenCheck *self, const char *property, const PenInterest *interest)
{
  self->interest (property, interest, self->user_data);
}

/*
 * pen_path_is_exposed:
 * @path: path of a file
 * @mode: (out): its mode
 *
 * The folders on the way count: a file that anyone may read is safe in a folder that only its
 * owner may enter. What cannot be looked at is not exposed; that it cannot be read is told
 * elsewhere.
 *
 * Returns: whether every user of the machine can read the file
 *
 * Threads: any
 */
gboolean
pen_path_is_exposed (const char *path, guint *mode)
{
  g_autofree char *folder = g_canonicalize_filename (path, NULL);
  struct stat status;

  if (stat (path, &status) != 0 || (status.st_mode & S_IROTH) == 0 || S_ISDIR (status.st_mode))
    return FALSE;
  *mode = status.st_mode & 07777;
  while (!g_str_equal (folder, "/"))
    {
      char *parent = g_path_get_dirname (folder);

      g_free (folder);
      folder = parent;
      if (stat (folder, &status) != 0 || (status.st_mode & S_IXOTH) == 0)
        return FALSE;
    }
  return TRUE;
}

/**
 * pen_check_private_file:
 * @self: a check
 * @property: the property that names it
 * @path: path of a file that only its owner should be able to read: a private key
 *
 * Warns if every user of the machine can read the file. Looks at nothing unless
 * [method@Check.wants_environment].
 *
 * Threads: any
 */
void
pen_check_private_file (PenCheck *self, const char *property, const char *path)
{
  guint mode;

  if (self->wants_environment && pen_path_is_exposed (path, &mode))
    pen_check_warning (self, property,
                       "every user of this machine can read '%s' (mode %04o); do: chmod o-rwx '%s'",
                       path, mode, path);
}

/**
 * pen_check_output_folder:
 * @self: a check
 * @property: (nullable): the property that names a file
 * @folder: the folder in which that is to be
 *
 * Tells if no files can be made in the folder or, as long as that is missing, in the nearest one
 * above it that exists.
 *
 * Threads: any
 */
void
pen_check_output_folder (PenCheck *self, const char *property, const char *folder)
{
  g_autofree char *nearest = g_strdup (folder);
  struct stat status;

  while (stat (nearest, &status) < 0 && errno == ENOENT && !g_str_equal (nearest, "/")
         && !g_str_equal (nearest, "."))
    {
      char *parent = g_path_get_dirname (nearest);

      g_free (nearest);
      nearest = parent;
    }
  if (stat (nearest, &status) < 0)
    pen_check_error (self, property, "cannot look into the folder '%s': %s", nearest,
                     g_strerror (errno));
  else if (!S_ISDIR (status.st_mode))
    pen_check_error (self, property, "'%s' is not a folder", nearest);
  else if (access (nearest, W_OK | X_OK) < 0)
    pen_check_error (self, property, "cannot create files in the folder '%s': %s", nearest,
                     g_strerror (errno));
}

/**
 * pen_check_is_set:
 * @self: a check
 * @property: name of a property
 *
 * Returns: whether the keyfile sets @property, to whatever value
 *
 * Threads: any
 */
gboolean
pen_check_is_set (const PenCheck *self, const char *property)
{
  return self->is_set (property, self->user_data);
}

/**
 * pen_check_wants_environment:
 * @self: a check
 *
 * Returns: whether files, certificates and the like of this machine are to be looked at
 *
 * Threads: any
 */
gboolean
pen_check_wants_environment (const PenCheck *self)
{
  return self->wants_environment;
}
