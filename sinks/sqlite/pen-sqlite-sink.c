/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Writes events into a table, a batch in a transaction. When `write` returns, the batch is
 * committed, and with synchronous=full on the disk. A row that the table refuses is rejected, and
 * the others go in; when the file fails, the whole batch is undone and tried again.
 *
 * All that touches the connection happens in start, write, flush and stop, one at a time, on a
 * worker. What is read back has a connection of its own.
 */

#include "config.h"

#include "pen-sqlite-sink.h"

#include "pen-sqlite-retention.h"
#include "pen-sqlite-store.h"
#include "pen-sqlite-table.h"
#include "pen-sqlite-writer.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A commit waits for the disk as long as it takes to insert thousands of rows. */
#define DEFAULT_BATCH_EVENTS 5000
#define LARGEST_BATCH_EVENTS 1000000
#define DEFAULT_TABLE "events"
#define DEFAULT_ON_CONFLICT PEN_SQLITE_CONFLICT_IGNORE
#define DEFAULT_ADD_COLUMNS FALSE
#define DEFAULT_SYNCHRONOUS PEN_SQLITE_SYNCHRONOUS_FULL
#define DEFAULT_JOURNAL PEN_SQLITE_JOURNAL_WAL
#define DEFAULT_BUSY_TIMEOUT_US (1 * G_USEC_PER_SEC)
#define LARGEST_BUSY_TIMEOUT_US (60 * G_USEC_PER_SEC)
#define DEFAULT_RETENTION_US 0
#define LARGEST_RETENTION_US (G_GINT64_CONSTANT (36600) * G_TIME_SPAN_DAY)
#define DEFAULT_RETENTION_UNIT PEN_SQLITE_UNIT_SECONDS
/* How often old rows are deleted: with what is written, at most every second; besides that ten
 * times within their age, so that they go when nothing comes. */
#define LEAST_SWEEP_US (1 * G_USEC_PER_SEC)
#define LONGEST_SWEEP_US (10 * G_USEC_PER_SEC)
#define SWEEPS 10

struct _PenSqliteSink
{
  PenSink parent_instance;

  /* constant after start */
  char *path;
  char *table_name;
  char **columns;
  char **key;
  PenSqliteConflict on_conflict;
  gboolean add_columns;
  PenSqliteSynchronous synchronous;
  PenSqliteJournal journal;
  gint64 busy_timeout_us;
  gint64 retention_us;
  char *retention_column;
  PenSqliteUnit retention_unit;
  PenSqliteTableOptions options;
  PenSqliteStore *store;

  /* worker */
  PenSqliteDatabase *database; /* NULL: to be opened again */
  PenSqliteTable *table;
  PenSqliteRetention *retention; /* NULL: none, or the table is not there yet */
  gint64 swept_us;               /* the clock when old rows were deleted last */
};

enum
{
  PROP_0,
  PROP_DATABASE,
  PROP_TABLE,
  PROP_COLUMNS,
  PROP_KEY,
  PROP_ON_CONFLICT,
  PROP_ADD_COLUMNS,
  PROP_SYNCHRONOUS,
  PROP_JOURNAL,
  PROP_BUSY_TIMEOUT,
  PROP_RETENTION,
  PROP_RETENTION_COLUMN,
  PROP_RETENTION_UNIT,
  PROP_BATCH_EVENTS,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

static void pen_sqlite_sink_store_init (PenStoreInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (PenSqliteSink,
                               pen_sqlite_sink,
                               PEN_TYPE_SINK,
                               G_IMPLEMENT_INTERFACE (PEN_TYPE_STORE, pen_sqlite_sink_store_init))

/* --- Values of properties --- */

static GType
pen_sqlite_conflict_get_type (void)
{
  static const GEnumValue values[] = {
    { PEN_SQLITE_CONFLICT_IGNORE, "PEN_SQLITE_CONFLICT_IGNORE", "ignore" },
    { PEN_SQLITE_CONFLICT_UPDATE, "PEN_SQLITE_CONFLICT_UPDATE", "update" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenSqliteConflict", values));
  return type;
}

static GType
pen_sqlite_synchronous_get_type (void)
{
  static const GEnumValue values[] = {
    { PEN_SQLITE_SYNCHRONOUS_OFF, "PEN_SQLITE_SYNCHRONOUS_OFF", "off" },
    { PEN_SQLITE_SYNCHRONOUS_NORMAL, "PEN_SQLITE_SYNCHRONOUS_NORMAL", "normal" },
    { PEN_SQLITE_SYNCHRONOUS_FULL, "PEN_SQLITE_SYNCHRONOUS_FULL", "full" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenSqliteSynchronous", values));
  return type;
}

static GType
pen_sqlite_journal_get_type (void)
{
  static const GEnumValue values[] = {
    { PEN_SQLITE_JOURNAL_WAL, "PEN_SQLITE_JOURNAL_WAL", "wal" },
    { PEN_SQLITE_JOURNAL_DELETE, "PEN_SQLITE_JOURNAL_DELETE", "delete" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenSqliteJournal", values));
  return type;
}

static GType
pen_sqlite_unit_get_type (void)
{
  static const GEnumValue values[] = {
    { PEN_SQLITE_UNIT_SECONDS, "PEN_SQLITE_UNIT_SECONDS", "s" },
    { PEN_SQLITE_UNIT_MILLISECONDS, "PEN_SQLITE_UNIT_MILLISECONDS", "ms" },
    { PEN_SQLITE_UNIT_MICROSECONDS, "PEN_SQLITE_UNIT_MICROSECONDS", "us" },
    { PEN_SQLITE_UNIT_TEXT, "PEN_SQLITE_UNIT_TEXT", "text" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenSqliteUnit", values));
  return type;
}

/* --- The connection --- */

static void
pen_sqlite_sink_close (PenSqliteSink *self)
{
  g_clear_pointer (&self->retention, pen_sqlite_retention_free);
  g_clear_pointer (&self->table, pen_sqlite_table_free);
  g_clear_pointer (&self->database, pen_sqlite_database_free);
}

/* The file was taken away, and another may be in its place. */
static void
pen_sqlite_sink_abandon (PenSqliteSink *self)
{
  g_clear_pointer (&self->retention, pen_sqlite_retention_free);
  g_clear_pointer (&self->table, pen_sqlite_table_free);
  g_clear_pointer (&self->database, pen_sqlite_database_abandon);
}

/* Once there is a table. */
static gboolean
pen_sqlite_sink_prepare_retention (PenSqliteSink *self, GError **error)
{
  if (self->retention_us == 0 || self->retention != NULL || self->table->columns->len == 0)
    return TRUE;
  self->retention = pen_sqlite_retention_new (self->table, self->retention_column,
                                              self->retention_unit, self->retention_us, error);
  return self->retention != NULL;
}

static gboolean
pen_sqlite_sink_open_table (PenSqliteSink *self, GError **error)
{
  if (!pen_sqlite_database_execute (self->database, "BEGIN IMMEDIATE", "open", error))
    return FALSE;
  self->table = pen_sqlite_table_open (self->database, &self->options, error);
  return self->table != NULL && pen_sqlite_sink_prepare_retention (self, error)
         && pen_sqlite_database_execute (self->database, "COMMIT", "open", error);
}

static gboolean
pen_sqlite_sink_open (PenSqliteSink *self, GError **error)
{
  PenSqliteOptions options = { .synchronous = self->synchronous,
                               .journal = self->journal,
                               .shrinks = self->retention_us > 0,
                               .busy_timeout_us = self->busy_timeout_us };

  if (self->database != NULL && pen_sqlite_database_is_moved (self->database))
    pen_sqlite_sink_abandon (self);
  if (self->database != NULL)
    return TRUE;
  self->database = pen_sqlite_database_open (self->path, &options, error);
  if (self->database != NULL && pen_sqlite_sink_open_table (self, error))
    return TRUE;
  pen_sqlite_sink_close (self);
  return FALSE;
}

/* Undoes what the transaction has done, and closes the file unless it is merely busy or full. */
static void
pen_sqlite_sink_undo (PenSqliteSink *self, gboolean has_changed_table)
{
  int code = sqlite3_errcode (self->database->handle);

  pen_sqlite_database_roll_back (self->database);
  if (has_changed_table || (code != SQLITE_BUSY && code != SQLITE_FULL && code != SQLITE_LOCKED))
    pen_sqlite_sink_close (self);
}

/* --- Writing --- */

/* Old rows go in the transaction of new ones, so that nobody sees the ones beside the others. */
static gboolean
pen_sqlite_sink_sweep_with (PenSqliteSink *self, gint64 *n_deleted, GError **error)
{
  gint64 now_us = pen_element_get_real_time (PEN_ELEMENT (self));

  if (!pen_sqlite_sink_prepare_retention (self, error))
    return FALSE;
  if (self->retention == NULL
      || (now_us >= self->swept_us && now_us < self->swept_us + LEAST_SWEEP_US))
    return TRUE;
  self->swept_us = now_us;
  return pen_sqlite_retention_run_once (self->retention, now_us, n_deleted, error);
}

static void
pen_sqlite_sink_count (PenSqliteSink *self, const char *name, gint64 amount)
{
  if (amount > 0)
    pen_element_count (PEN_ELEMENT (self), name, NULL, amount);
}

static gboolean
pen_sqlite_sink_write (PenSink *sink, PenBatch *batch, GError **error)
{
  PenSqliteSink *self = PEN_SQLITE_SINK (sink);
  PenSqliteWriter writer = { 0 };
  g_autoptr (GError) own_error = NULL;
  gint64 n_deleted = 0;

  if (!pen_sqlite_sink_open (self, error))
    return FALSE;
  writer.table = self->table;
  if (pen_sqlite_database_execute (self->database, "BEGIN IMMEDIATE", "write to", &own_error)
      && pen_sqlite_writer_write (&writer, batch, &own_error)
      && pen_sqlite_sink_sweep_with (self, &n_deleted, &own_error)
      && pen_sqlite_database_execute (self->database, "COMMIT", "write to", &own_error))
    {
      pen_sqlite_sink_count (self, "rows_ignored", writer.n_ignored);
      pen_sqlite_sink_count (self, "rows_deleted", n_deleted);
      return TRUE;
    }
  self->swept_us = 0;
  pen_sqlite_sink_undo (self, writer.has_changed_table);
  /* what the keyfile got wrong was found when the file was opened, and is found again then */
  pen_sqlite_soften_error (own_error);
  g_propagate_error (error, g_steal_pointer (&own_error));
  return FALSE;
}

static gboolean
pen_sqlite_sink_sweep (PenSqliteSink *self, GError **error)
{
  gint64 now_us = pen_element_get_real_time (PEN_ELEMENT (self));
  gint64 n_deleted = 0;
  gboolean is_good = pen_sqlite_sink_prepare_retention (self, error);

  if (!is_good || self->retention == NULL)
    return is_good;
  self->swept_us = now_us;
  is_good = pen_sqlite_retention_run (self->retention, now_us, &n_deleted, error);
  pen_sqlite_sink_count (self, "rows_deleted", n_deleted);
  return is_good;
}

static gboolean
pen_sqlite_sink_flush (PenSink *sink, GError **error)
{
  PenSqliteSink *self = PEN_SQLITE_SINK (sink);

  if (self->retention_us == 0)
    return TRUE;
  return pen_sqlite_sink_open (self, error) && pen_sqlite_sink_sweep (self, error);
}

/* --- Life --- */

static gboolean
pen_sqlite_sink_start (PenElement *element, GError **error)
{
  PenSqliteSink *self = PEN_SQLITE_SINK (element);
  gint64 sweep_us = CLAMP (self->retention_us / SWEEPS, LEAST_SWEEP_US, LONGEST_SWEEP_US);

  if (self->path == NULL)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                             "database must be set");
      return FALSE;
    }
  self->options = (PenSqliteTableOptions){
    .name = self->table_name,
    .columns = (const char *const *) self->columns,
    .key = (const char *const *) self->key,
    .on_conflict = self->on_conflict,
    .add_columns = self->add_columns,
    .pipeline = pen_element_get_pipeline_name (element),
  };
  g_clear_pointer (&self->store, pen_sqlite_store_free);
  self->store = pen_sqlite_store_new (self->path, self->table_name);
  pen_sink_set_flush_interval (PEN_SINK (self), self->retention_us > 0 ? sweep_us : 0);
  return pen_sqlite_sink_open (self, error);
}

static void
pen_sqlite_sink_stop (PenElement *element)
{
  pen_sqlite_sink_close (PEN_SQLITE_SINK (element));
}

static char **
pen_sqlite_sink_list_columns (PenStore *store, GError **error)
{
  return pen_sqlite_store_list_columns (PEN_SQLITE_SINK (store)->store, error);
}

static gboolean
pen_sqlite_sink_query (PenStore *store,
                       const PenStoreQuery *query,
                       PenStoreRowFunc func,
                       gpointer user_data,
                       GError **error)
{
  return pen_sqlite_store_query (PEN_SQLITE_SINK (store)->store, query, func, user_data, error);
}

static void
pen_sqlite_sink_store_init (PenStoreInterface *iface)
{
  iface->list_columns = pen_sqlite_sink_list_columns;
  iface->query = pen_sqlite_sink_query;
}

/* --- Checking --- */

static void
pen_sqlite_sink_check_places (PenCheck *check, GPtrArray *columns)
{
  g_autoptr (PenFields) fields = pen_fields_new (NULL);

  for (guint i = 0; i < columns->len; i++)
    {
      const PenSqliteColumn *column = g_ptr_array_index (columns, i);
      g_autoptr (GError) error = NULL;

      if (!pen_fields_add (fields, column->place, &error))
        pen_check_error (check, "columns", "the column '%s': %s", column->name, error->message);
    }
}

static void
pen_sqlite_sink_check_key (PenSqliteSink *self, PenCheck *check, GPtrArray *columns)
{
  gboolean has_key = self->key != NULL && self->key[0] != NULL;

  for (guint i = 0; has_key && self->key[i] != NULL; i++)
    if (columns->len > 0 && pen_sqlite_columns_find (columns, self->key[i]) == NULL)
      pen_check_error (check, "key", "'%s' is none of the columns", self->key[i]);
  if (!has_key && pen_check_is_set (check, "on-conflict"))
    pen_check_warning (check, "on-conflict", "has no effect without key=");
}

static void
pen_sqlite_sink_check_retention (PenSqliteSink *self, PenCheck *check, GPtrArray *columns)
{
  PenSqliteUnit unit = self->retention_unit;
  const PenSqliteColumn *column
      = pen_sqlite_retention_find_column (columns, self->retention_column, &unit);

  if (self->retention_us == 0)
    {
      if (self->retention_column != NULL)
        pen_check_warning (check, "retention-column", "has no effect without retention=");
      return;
    }
  if (column == NULL && self->retention_column == NULL)
    pen_check_error (check, "retention",
                     "nothing says how old a row is: name its column with retention-column=, or "
                     "add one such as arrived INTEGER=@arrival-s to columns=");
  else if (column == NULL && columns->len > 0)
    pen_check_error (check, "retention-column", "'%s' is none of the columns",
                     self->retention_column);
  else if (column != NULL && unit != PEN_SQLITE_UNIT_TEXT
           && pen_sqlite_affinity_of (column->declaration) == PEN_SQLITE_TEXT)
    pen_check_error (check, "retention-column",
                     "the column '%s' is TEXT, which is not compared as a number: declare it "
                     "INTEGER, or say retention-unit=text",
                     column->name);
}

static void
pen_sqlite_sink_check_table (PenSqliteSink *self,
                             PenCheck *check,
                             PenSqliteDatabase *database,
                             GPtrArray *columns)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) existing
      = pen_sqlite_table_list_columns (database, self->table_name, &error);

  if (existing == NULL)
    {
      if ((sqlite3_errcode (database->handle) & 0xff) == SQLITE_NOTADB)
        pen_check_error (check, "database", "%s", error->message);
      return;
    }
  for (guint i = 0; existing->len > 0 && !self->add_columns && i < columns->len; i++)
    {
      const PenSqliteColumn *column = g_ptr_array_index (columns, i);

      if (pen_sqlite_columns_find (existing, column->name) == NULL)
        pen_check_error (check, "columns",
                         "the table '%s' in '%s' has no column '%s'; add-columns=true would add it",
                         self->table_name, self->path, column->name);
    }
}

static void
pen_sqlite_sink_check_environment (PenSqliteSink *self, PenCheck *check, GPtrArray *columns)
{
  g_autofree char *folder = g_path_get_dirname (self->path);
  g_autoptr (PenSqliteDatabase) database = NULL;
  struct stat status;

  pen_check_output_folder (check, "database", folder);
  if (stat (self->path, &status) < 0)
    return;
  if (!S_ISREG (status.st_mode))
    pen_check_error (check, "database", "'%s' is not a regular file", self->path);
  else if (access (self->path, R_OK | W_OK) < 0)
    pen_check_error (check, "database", "cannot write to '%s': %s", self->path, g_strerror (errno));
  else
    database = pen_sqlite_database_peek (self->path, NULL);
  if (database != NULL)
    pen_sqlite_sink_check_table (self, check, database, columns);
}

static void
pen_sqlite_sink_check (PenElement *element, PenCheck *check)
{
  PenSqliteSink *self = PEN_SQLITE_SINK (element);
  const char *fault = pen_sqlite_find_fault (self->table_name);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) columns
      = pen_sqlite_table_parse_columns ((const char *const *) self->columns, &error);

  if (fault != NULL)
    pen_check_error (check, "table", "'%s' cannot be a table's name: %s", self->table_name, fault);
  else if (g_ascii_strncasecmp (self->table_name, "sqlite_", strlen ("sqlite_")) == 0)
    pen_check_error (check, "table", "names that begin with sqlite_ are SQLite's own");
  if (columns == NULL)
    {
      pen_check_error (check, "columns", "%s", error->message);
      return;
    }
  pen_sqlite_sink_check_places (check, columns);
  pen_sqlite_sink_check_key (self, check, columns);
  pen_sqlite_sink_check_retention (self, check, columns);
  if (self->path != NULL && *self->path != '\0' && pen_check_wants_environment (check))
    pen_sqlite_sink_check_environment (self, check, columns);
}

/* --- Properties --- */

static void
pen_sqlite_sink_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  const PenSqliteSink *self = PEN_SQLITE_SINK (object);

  switch (id)
    {
    case PROP_DATABASE:
      g_value_set_string (value, self->path);
      break;
    case PROP_TABLE:
      g_value_set_string (value, self->table_name);
      break;
    case PROP_COLUMNS:
      g_value_set_boxed (value, self->columns);
      break;
    case PROP_KEY:
      g_value_set_boxed (value, self->key);
      break;
    case PROP_ON_CONFLICT:
      g_value_set_enum (value, (gint) self->on_conflict);
      break;
    case PROP_ADD_COLUMNS:
      g_value_set_boolean (value, self->add_columns);
      break;
    case PROP_SYNCHRONOUS:
      g_value_set_enum (value, (gint) self->synchronous);
      break;
    case PROP_JOURNAL:
      g_value_set_enum (value, (gint) self->journal);
      break;
    case PROP_BUSY_TIMEOUT:
      g_value_set_int64 (value, self->busy_timeout_us);
      break;
    case PROP_RETENTION:
      g_value_set_int64 (value, self->retention_us);
      break;
    case PROP_RETENTION_COLUMN:
      g_value_set_string (value, self->retention_column);
      break;
    case PROP_RETENTION_UNIT:
      g_value_set_enum (value, (gint) self->retention_unit);
      break;
    case PROP_BATCH_EVENTS:
      g_value_set_uint (value, pen_sink_get_batch_events (PEN_SINK (object)));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pen_sqlite_sink_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PenSqliteSink *self = PEN_SQLITE_SINK (object);

  switch (id)
    {
    case PROP_DATABASE:
      g_free (self->path);
      self->path = g_value_dup_string (value);
      break;
    case PROP_TABLE:
      g_free (self->table_name);
      self->table_name = g_value_dup_string (value);
      break;
    case PROP_COLUMNS:
      g_strfreev (self->columns);
      self->columns = g_value_dup_boxed (value);
      break;
    case PROP_KEY:
      g_strfreev (self->key);
      self->key = g_value_dup_boxed (value);
      break;
    case PROP_ON_CONFLICT:
      self->on_conflict = (PenSqliteConflict) g_value_get_enum (value);
      break;
    case PROP_ADD_COLUMNS:
      self->add_columns = g_value_get_boolean (value);
      break;
    case PROP_SYNCHRONOUS:
      self->synchronous = (PenSqliteSynchronous) g_value_get_enum (value);
      break;
    case PROP_JOURNAL:
      self->journal = (PenSqliteJournal) g_value_get_enum (value);
      break;
    case PROP_BUSY_TIMEOUT:
      self->busy_timeout_us = g_value_get_int64 (value);
      break;
    case PROP_RETENTION:
      self->retention_us = g_value_get_int64 (value);
      break;
    case PROP_RETENTION_COLUMN:
      g_free (self->retention_column);
      self->retention_column = g_value_dup_string (value);
      break;
    case PROP_RETENTION_UNIT:
      self->retention_unit = (PenSqliteUnit) g_value_get_enum (value);
      break;
    case PROP_BATCH_EVENTS:
      pen_sink_set_batch_events (PEN_SINK (object), g_value_get_uint (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return;
    }
  g_object_notify_by_pspec (object, pspec);
}

static void
pen_sqlite_sink_finalize (GObject *object)
{
  PenSqliteSink *self = PEN_SQLITE_SINK (object);

  pen_sqlite_sink_close (self);
  g_clear_pointer (&self->store, pen_sqlite_store_free);
  g_free (self->path);
  g_free (self->table_name);
  g_free (self->retention_column);
  g_strfreev (self->columns);
  g_strfreev (self->key);
  G_OBJECT_CLASS (pen_sqlite_sink_parent_class)->finalize (object);
}

static void
pen_sqlite_sink_install_table_properties (void)
{
  properties[PROP_DATABASE] = g_param_spec_string (
      "database", NULL, "Database file; it and its folder are made if they are missing", NULL,
      PEN_PARAM_DEFAULTS | PEN_PARAM_REQUIRED | PEN_PARAM_PATH);
  properties[PROP_TABLE] = g_param_spec_string ("table", NULL, "Table to write to, made if missing",
                                                DEFAULT_TABLE, PEN_PARAM_DEFAULTS);
  properties[PROP_COLUMNS] = g_param_spec_boxed (
      "columns", NULL,
      "Columns as NAME TYPE, or NAME TYPE=PLACE in the event; none: those of the table, or the "
      "members of the first event",
      G_TYPE_STRV, PEN_PARAM_DEFAULTS);
  properties[PROP_KEY] = g_param_spec_boxed (
      "key", NULL, "Columns that tell rows apart, so that an event that comes twice is one row",
      G_TYPE_STRV, PEN_PARAM_DEFAULTS);
  properties[PROP_ON_CONFLICT] = g_param_spec_enum (
      "on-conflict", NULL, "What a row of a key that is there does: ignore (nothing) or update it",
      pen_sqlite_conflict_get_type (), (gint) DEFAULT_ON_CONFLICT, PEN_PARAM_DEFAULTS);
  properties[PROP_ADD_COLUMNS] = g_param_spec_boolean (
      "add-columns", NULL, "Whether columns that the table lacks are added to it",
      DEFAULT_ADD_COLUMNS, PEN_PARAM_DEFAULTS);
}

static void
pen_sqlite_sink_install_file_properties (void)
{
  properties[PROP_SYNCHRONOUS] = g_param_spec_enum (
      "synchronous", NULL,
      "When a commit is on the disk: full (before it is acknowledged), normal (a power cut takes "
      "the last ones), off",
      pen_sqlite_synchronous_get_type (), (gint) DEFAULT_SYNCHRONOUS, PEN_PARAM_DEFAULTS);
  properties[PROP_JOURNAL] = g_param_spec_enum (
      "journal", NULL,
      "SQLite's journal: wal (readers and the writer never wait for each other) or delete (for "
      "network file systems)",
      pen_sqlite_journal_get_type (), (gint) DEFAULT_JOURNAL, PEN_PARAM_DEFAULTS);
  properties[PROP_BUSY_TIMEOUT] = pen_param_spec_duration (
      "busy-timeout", "How long one attempt waits for another program's lock", 0,
      LARGEST_BUSY_TIMEOUT_US, DEFAULT_BUSY_TIMEOUT_US, PEN_PARAM_DEFAULTS);
  properties[PROP_RETENTION]
      = pen_param_spec_duration ("retention", "Age at which rows are deleted; 0s: never", 0,
                                 LARGEST_RETENTION_US, DEFAULT_RETENTION_US, PEN_PARAM_DEFAULTS);
  properties[PROP_RETENTION_COLUMN] = g_param_spec_string (
      "retention-column", NULL,
      "Column that says how old a row is; none: the first one that holds the time of arrival", NULL,
      PEN_PARAM_DEFAULTS);
  properties[PROP_RETENTION_UNIT] = g_param_spec_enum (
      "retention-unit", NULL,
      "What it holds: s, ms or us since 1970, or text such as 2026-01-02T03:04:05Z",
      pen_sqlite_unit_get_type (), (gint) DEFAULT_RETENTION_UNIT, PEN_PARAM_DEFAULTS);
  properties[PROP_BATCH_EVENTS]
      = g_param_spec_uint ("batch-events", NULL, "Events written in one transaction at most", 1,
                           LARGEST_BATCH_EVENTS, DEFAULT_BATCH_EVENTS, PEN_PARAM_DEFAULTS);
}

static void
pen_sqlite_sink_class_init (PenSqliteSinkClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  PenElementClass *element_class = PEN_ELEMENT_CLASS (class);
  PenSinkClass *sink_class = PEN_SINK_CLASS (class);

  object_class->get_property = pen_sqlite_sink_get_property;
  object_class->set_property = pen_sqlite_sink_set_property;
  object_class->finalize = pen_sqlite_sink_finalize;
  element_class->check = pen_sqlite_sink_check;
  element_class->start = pen_sqlite_sink_start;
  element_class->stop = pen_sqlite_sink_stop;
  sink_class->write = pen_sqlite_sink_write;
  sink_class->flush = pen_sqlite_sink_flush;
  sink_class->may_block = TRUE;

  pen_sqlite_sink_install_table_properties ();
  pen_sqlite_sink_install_file_properties ();
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
pen_sqlite_sink_init (PenSqliteSink *self)
{
  pen_sink_set_batch_events (PEN_SINK (self), DEFAULT_BATCH_EVENTS);
  self->table_name = g_strdup (DEFAULT_TABLE);
  self->on_conflict = DEFAULT_ON_CONFLICT;
  self->add_columns = DEFAULT_ADD_COLUMNS;
  self->synchronous = DEFAULT_SYNCHRONOUS;
  self->journal = DEFAULT_JOURNAL;
  self->busy_timeout_us = DEFAULT_BUSY_TIMEOUT_US;
  self->retention_us = DEFAULT_RETENTION_US;
  self->retention_unit = DEFAULT_RETENTION_UNIT;
}

PEN_PLUGIN_DEFINE ("sqlite",
                   "Writes events into a table of an SQLite database, a batch in a transaction",
                   PACKAGE_VERSION,
                   "LGPL-2.1-or-later",
                   "sinks/sqlite/README.md",
                   pen_sqlite_sink_get_type)
