/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What stands in a keyfile for text from elsewhere: `${env:NAME}` and the like.
 */

#pragma once

#include "pen-diagnostic.h"

G_BEGIN_DECLS

/* Where the parts of a value come from. */
typedef enum
{
  PEN_ORIGIN_LITERAL = 1 << 0, /* written in the file; also a default that is not empty */
  PEN_ORIGIN_ENVIRONMENT = 1 << 1,
  PEN_ORIGIN_FILE = 1 << 2,
  PEN_ORIGIN_CREDENTIAL = 1 << 3,
  PEN_ORIGIN_DEFAULT = 1 << 4, /* beside LITERAL: a default is written, used or not */
} PenOrigin;

typedef enum
{
  PEN_EXPAND_LIST_ITEM = 1 << 0, /* `\;` is a semicolon */
  PEN_EXPAND_SECRET = 1 << 1,    /* no message shows any of the text */
} PenExpandFlags;

/* What became of a value. */
typedef struct
{
  char *text;           /* NULL where only the target machine knows */
  guint origins;        /* of PenOrigin */
  gboolean is_replaced; /* whether there was anything to substitute */
  gboolean is_hidden;   /* must never be shown: comes from where secrets are kept */
  char *file;           /* path of the last file that was put in, or NULL */
  /* Where the value of a site stands that was put in, of several the last one that is not the
   * site's name; line 0 where there is none. */
  PenPlace site_place;
} PenExpansion;

/* What `${site}` is: the name of the site itself. */
#define PEN_SITE_VARIABLE "site"

typedef struct _PenSubstitution PenSubstitution;

PEN_RUNTIME_EXPORT
void pen_substitution_set_environment (const char *const *environment);
PEN_RUNTIME_EXPORT
PenSubstitution *
pen_substitution_new (const char *folder, gboolean wants_environment, PenReport *report);
PEN_RUNTIME_EXPORT
void pen_substitution_free (PenSubstitution *self);
/* Whether to look at variables, files and credentials of this machine from now on. */
PEN_RUNTIME_EXPORT
void pen_substitution_want_environment (PenSubstitution *self, gboolean wants_environment);
/* Of [variables]; to be called for all of them before anything else is expanded. */
PEN_RUNTIME_EXPORT
void pen_substitution_add_variable (PenSubstitution *self,
                                    const char *name,
                                    const char *text,
                                    PenPlace place);
/* A variable that is another one for each site: it has no value before it is set. */
PEN_RUNTIME_EXPORT
void pen_substitution_add_site_variable (PenSubstitution *self, const char *name);
PEN_RUNTIME_EXPORT
gboolean pen_substitution_set_site_variable (PenSubstitution *self,
                                             const char *name,
                                             const char *text,
                                             PenPlace place);
PEN_RUNTIME_EXPORT
gboolean pen_substitution_has_variable (PenSubstitution *self, const char *name);
/* Whether a text that was looked at by pen_substitution_depends_on_site () uses it. */
PEN_RUNTIME_EXPORT
gboolean pen_substitution_is_used (PenSubstitution *self, const char *name);
PEN_RUNTIME_EXPORT
gboolean pen_substitution_is_hidden (PenSubstitution *self, const char *reference);
PEN_RUNTIME_EXPORT
gboolean pen_substitution_depends_on_site (PenSubstitution *self, const char *text);
/* Tells that @text is the value of a secret: whatever it refers to is never shown elsewhere. */
PEN_RUNTIME_EXPORT
void pen_substitution_hide (PenSubstitution *self, const char *text);
/* FALSE if something is wrong, which was told. */
PEN_RUNTIME_EXPORT
gboolean pen_substitution_expand (PenSubstitution *self,
                                  const char *text,
                                  guint flags,
                                  PenPlace place,
                                  PenExpansion *expansion);
PEN_RUNTIME_EXPORT
void pen_expansion_clear (PenExpansion *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenSubstitution, pen_substitution_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PenExpansion, pen_expansion_clear)

G_END_DECLS
