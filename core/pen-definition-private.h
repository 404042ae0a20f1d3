/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A definition while it is being read: what its parts hand to each other, in this order: groups
 * (which elements there are), sites (the rows of a fleet), keys (their values), flow (who reads
 * from whom), check (what the elements themselves have to say). With sites, the values that are
 * others for each, and the check, come again for each row.
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

/* A value of a definition. Sites share those that do not depend on them. */
typedef struct _PenNamedValue PenNamedValue;

/* What a key came to. */
typedef struct
{
  GParamSpec *pspec;
  const PenKeyfileEntry *entry;
  PenPlace place;       /* where findings about it are told: the entry's value, or a row's */
  PenNamedValue *named; /* (owned) (nullable): what definitions share of it */
  gboolean is_per_site; /* depends on the row of the site, and is read for each anew */
  GValue value;         /* of no type: faulty, or only known on the target machine */
  gboolean is_faulty;   /* which was told */
  gboolean is_hidden;   /* a secret, or from where secrets are kept */
} PenKeyValue;

/* What no other element may have. */
typedef struct
{
  char *what;
  char *shown; /* the same without what may be secret */
  char *why;
  PenPlace place;
  gboolean is_of_all; /* nothing that the element is set to depends on the site */
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
  gboolean is_settings;         /* [pipeline], or a test */
  gboolean is_test;             /* [test NAME] */
  char *name;                   /* the element's own, or its plugin's */
  const PenPlugin *plugin;      /* NULL: unknown, which was told, and nothing is said of its keys */
  GObjectClass *klass;          /* (owned) (nullable) */
  GArray *values;               /* (element-type PenKeyValue) */
  GArray *inputs;               /* (element-type guint): indices of drafts */
  PenElementDefinition *shared; /* (owned) (nullable): what definitions share of it */
  gboolean is_read;
  gboolean holds;            /* a transform: keeps events */
  gboolean must_settle_soon; /* a source: cannot wait for that */
} PenDraft;

/* The rows of [sites]. */
typedef struct _PenSites PenSites;

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
  PenSites *sites;      /* (owned) (nullable) */
  PenPlace site_place;  /* of the row that is being read; line 0 outside of any */
  const char *site;     /* its name; NULL outside of any */
  GHashTable *literals; /* entries whose secrets stand in rows, which was told */
  PenDraft *settings;
  const char *name;       /* of the pipeline, once its elements are checked */
  GPtrArray *claims;      /* (element-type PenClaim) */
  GPtrArray *interests;   /* (element-type PenHeldInterest) */
  GPtrArray *drafts;      /* (element-type PenDraft), in the order of the file */
  GPtrArray *tests;       /* (element-type PenDraft): those that are read */
  char *shared_path;      /* a GRefString */
  GPtrArray *definitions; /* (element-type PenDefinition): what became of it all */
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

gboolean pen_draft_is_per_site (const PenDraft *self);
/* Drafts and definitions share these. */
void pen_named_value_unref (PenNamedValue *self);
void pen_element_definition_unref (PenElementDefinition *self);

/* Whether what only the target machine has is looked at for @draft. */
gboolean pen_loader_wants_environment (const PenLoader *self, const PenDraft *draft);

gboolean pen_name_is_valid (const char *name);
/* Items of a list, of which @offset is where the next one begins; FALSE behind the last. */
gboolean pen_list_next (const char *raw, gsize *offset, char **item, gsize *item_offset);

void pen_loader_read_groups (PenLoader *self);
void pen_loader_read_sites (PenLoader *self, const PenKeyfileGroup *group);
void pen_loader_read_keys (PenLoader *self);
void pen_loader_read_site_keys (PenLoader *self);
void pen_loader_read_flow (PenLoader *self);
void pen_loader_check_elements (PenLoader *self);
void pen_loader_check_tests (PenLoader *self);

/* One site after the other, which is at place @index of those whose rows can be read. */
guint pen_sites_get_n_rows (const PenSites *self);
guint pen_sites_count (const PenSites *self);
void pen_sites_free (PenSites *self);
void pen_sites_hide (PenSites *self, PenLoader *loader);
void pen_sites_check_used (const PenSites *self, PenLoader *loader);
gboolean pen_sites_has_row (const PenSites *self, const char *name);
gboolean pen_sites_has_line (const PenSites *self, guint line);
void pen_sites_enter (PenSites *self, PenLoader *loader, guint index);
gboolean pen_sites_leave (PenSites *self, PenLoader *loader);
gboolean pen_sites_add_name (PenSites *self, PenLoader *loader, const char *name);
gboolean pen_sites_add_claims (PenSites *self, PenLoader *loader);
gboolean pen_sites_finish (PenSites *self, PenLoader *loader);

/* Sets all values that are known. */
void pen_key_values_apply (const GArray *values, GObject *object);

PenDefinition *
pen_definition_new (const PenLoader *loader, PenSettings *settings, PenPlace name_place);
/* Where the pipeline's name stands; the file's beginning if it is the file's. */
PenPlace pen_definition_get_name_place (const PenDefinition *self);
/* (element-type PenClaim) */
const GPtrArray *pen_definition_get_claims (const PenDefinition *self);
/* (element-type PenHeldInterest) */
const GPtrArray *pen_definition_get_interests (const PenDefinition *self);

G_END_DECLS
