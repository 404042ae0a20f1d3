/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A definition while it is being read: what its parts hand to each other, in this order: groups
 * (which elements there are), keys (their values), flow (who reads from whom), check (what the
 * elements themselves have to say).
 */

#pragma once

#include "pen-check.h"
#include "pen-definition.h"
#include "pen-keyfile.h"
#include "pen-substitution.h"

G_BEGIN_DECLS

#define PEN_NAME_MAX_BYTES 64
#define PEN_NAME_RULE                                                                              \
  "a name has at most 64 letters, digits, '-', '_' and '.', and begins with a letter or digit"

/* What a key came to. */
typedef struct
{
  GParamSpec *pspec;
  const PenKeyfileEntry *entry;
  GValue value;       /* of no type: faulty, or only known on the target machine */
  gboolean is_faulty; /* which was told */
  gboolean is_hidden; /* a secret, or from where secrets are kept */
} PenKeyValue;

/* What no other element may have. */
typedef struct
{
  char *what;
  char *shown; /* the same without what may be secret */
  char *why;
  PenPlace place;
} PenClaim;

/* What no other element should read as well. */
typedef struct
{
  PenInterest interest; /* its texts are owned */
  char *shown;          /* what and where, without what may be secret */
  guint element;        /* index of who has it */
  PenPlace place;
} PenHeldInterest;

/* A group with properties: an element's or [pipeline]. */
typedef struct
{
  const PenKeyfileGroup *group; /* NULL: no [pipeline] */
  PenElementKind kind;
  gboolean is_settings;    /* [pipeline] */
  char *name;              /* the element's own, or its plugin's */
  const PenPlugin *plugin; /* NULL: unknown, which was told, and nothing is said of its keys */
  GObjectClass *klass;     /* (owned) (nullable) */
  GArray *values;          /* (element-type PenKeyValue) */
  GArray *inputs;          /* (element-type guint): indices of drafts */
  gboolean is_read;
  gboolean holds;            /* a transform: keeps events */
  gboolean must_settle_soon; /* a source: cannot wait for that */
} PenDraft;

typedef struct
{
  const char *path;
  char *folder; /* of the keyfile, absolute */
  guint mode;   /* of the file, 0 where nobody knows */
  PenRegistry *registry;
  PenDefinitionFlags flags;
  PenReport *report;
  PenKeyfile *keyfile;
  PenSubstitution *substitution;
  PenDraft *settings;
  const char *name;     /* of the pipeline, once its elements are checked */
  GPtrArray *claims;    /* (element-type PenClaim) */
  GPtrArray *interests; /* (element-type PenHeldInterest) */
  GPtrArray *drafts;    /* (element-type PenDraft), in the order of the file */
  /* Groups or inputs could not be made out, which was told: what is missing may be among them, and
   * is not complained about. */
  gboolean is_incomplete;
  gboolean has_literal_secret;
} PenLoader;

PenDraft *pen_draft_new (const PenKeyfileGroup *group, PenElementKind kind);
void pen_draft_free (PenDraft *self);
const PenKeyValue *pen_draft_find_value (const PenDraft *self, const char *key);
/* The findings about these are told where the group begins. */
PenPlace pen_draft_get_place (const PenDraft *self);

gboolean pen_name_is_valid (const char *name);

void pen_loader_read_groups (PenLoader *self);
void pen_loader_read_keys (PenLoader *self);
void pen_loader_read_flow (PenLoader *self);
void pen_loader_check_elements (PenLoader *self);

/* Sets all values that are known. */
void pen_key_values_apply (const GArray *values, GObject *object);

/* Where the pipeline's name stands; the file's beginning if it is the file's. */
PenPlace pen_definition_get_name_place (const PenDefinition *self);
/* (element-type PenClaim) */
const GPtrArray *pen_definition_get_claims (const PenDefinition *self);
/* (element-type PenHeldInterest) */
const GPtrArray *pen_definition_get_interests (const PenDefinition *self);

G_END_DECLS
