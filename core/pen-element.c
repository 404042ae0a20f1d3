/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What sources, transforms and sinks have in common: a name, figures, a voice, and a host that
 * gives them time and descriptors.
 */

#include "config.h"

#include "pen-element.h"

#include "pen-check-private.h"
#include "pen-element-private.h"
#include "pen-log-private.h"

typedef struct
{
  /* constant after start */
  PenHost *host;
  PenElementKind kind;
  char *name;
  char *pipeline_name;
  char *label;
  gboolean is_only_of_kind;
  PenMetrics *metrics;
  /* lock: complaint */
  GMutex lock;
  PenComplaint complaint;
} PenElementPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (PenElement, pen_element, G_TYPE_OBJECT)

typedef struct
{
  char *reason;
} PenElementErrorPrivate;

static void
pen_element_error_private_init (PenElementErrorPrivate *private)
{
  private->reason = NULL;
}

static void
pen_element_error_private_copy (const PenElementErrorPrivate *from, PenElementErrorPrivate *to)
{
  to->reason = g_strdup (from->reason);
}

static void
pen_element_error_private_clear (PenElementErrorPrivate *private)
{
  g_free (private->reason);
}

/**
 * pen_element_error_quark: (skip)
 *
 * Returns: the domain of #PenElementError
 *
 * Threads: any
 */
G_DEFINE_EXTENDED_ERROR (PenElementError, pen_element_error)

static GError *
pen_element_error_new_valist (PenElementError code,
                              const char *reason,
                              const char *format,
                              va_list arguments)
{
  GError *error = g_error_new_valist (PEN_ELEMENT_ERROR, (gint) code, format, arguments);

  pen_element_error_get_private (error)->reason = g_strdup (reason);
  return error;
}

/**
 * pen_element_error_new: (skip)
 * @code: what the caller does about it
 * @reason: (nullable): label under which it is counted: a word of the field such as `bad_timestamp`
 * @format: what failed, on which value (quoted), why
 * @...: for @format
 *
 * Returns: (transfer full): an error of the domain %PEN_ELEMENT_ERROR
 *
 * Threads: any
 */
GError *
pen_element_error_new (PenElementError code, const char *reason, const char *format, ...)
{
  GError *error = NULL;
  va_list arguments;

  va_start (arguments, format);
  error = pen_element_error_new_valist (code, reason, format, arguments);
  va_end (arguments);
  return error;
}

/**
 * pen_element_set_error: (skip)
 * @error: (nullable): where it goes
 * @code: what the caller does about it
 * @reason: (nullable): label under which it is counted
 * @format: what failed, on which value (quoted), why
 * @...: for @format
 *
 * Threads: any
 */
void
pen_element_set_error (GError **error,
                       PenElementError code,
                       const char *reason,
                       const char *format,
                       ...)
{
  va_list arguments;

  if (error == NULL)
    return;
  va_start (arguments, format);
  g_propagate_error (error, pen_element_error_new_valist (code, reason, format, arguments));
  va_end (arguments);
}

/**
 * pen_element_error_get_reason: (skip)
 * @error: an error of any domain
 *
 * Returns: (transfer none): the label to count it under; `error` where it has none
 *
 * Threads: any
 */
const char *
pen_element_error_get_reason (const GError *error)
{
  const char *reason = NULL;

  if (error->domain == PEN_ELEMENT_ERROR)
    reason = pen_element_error_get_private (error)->reason;
  return reason != NULL ? reason : "error";
}

static PenElementPrivate *
pen_element_get_private (PenElement *self)
{
  return pen_element_get_instance_private (self);
}

static void
pen_element_finalize (GObject *object)
{
  PenElementPrivate *private = pen_element_get_private (PEN_ELEMENT (object));

  g_free (private->name);
  g_free (private->pipeline_name);
  g_free (private->label);
  pen_metrics_unref (private->metrics);
  pen_complaint_clear (&private->complaint);
  g_mutex_clear (&private->lock);
  G_OBJECT_CLASS (pen_element_parent_class)->finalize (object);
}

static void
pen_element_real_check (PenElement *self, PenCheck *check)
{
}

static gboolean
pen_element_real_start (PenElement *self, GError **error)
{
  return TRUE;
}

static void
pen_element_real_stop (PenElement *self)
{
}

static void
pen_element_class_init (PenElementClass *class)
{
  G_OBJECT_CLASS (class)->finalize = pen_element_finalize;
  class->check = pen_element_real_check;
  class->start = pen_element_real_start;
  class->stop = pen_element_real_stop;
}

static void
pen_element_init (PenElement *self)
{
  PenElementPrivate *private = pen_element_get_private (self);

  g_mutex_init (&private->lock);
  private->metrics = pen_metrics_new ();
}

/* The word for a kind in a keyfile: "source", "dead-letter". */
const char *
pen_element_kind_get_nick (PenElementKind kind)
{
  static const char *const nicks[] = { "source", "transform", "sink", "dead-letter" };

  return nicks[kind];
}

/* Gives the element its place. Once, before start. */
void
pen_element_attach (PenElement *self,
                    PenHost *host,
                    PenElementKind kind,
                    const char *pipeline_name,
                    const char *name,
                    gboolean only_of_kind)
{
  PenElementPrivate *private = pen_element_get_private (self);

  g_return_if_fail (private->host == NULL);

  private->host = host;
  private->kind = kind;
  private->name = g_strdup (name);
  private->pipeline_name = g_strdup (pipeline_name);
  private->label = g_strdup_printf ("%s %s", pen_element_kind_get_nick (kind), name);
  private->is_only_of_kind = only_of_kind;
}

/* After this the element can do nothing but be freed. */
void
pen_element_detach (PenElement *self)
{
  pen_element_get_private (self)->host = NULL;
}

/* NULL before attach and after detach. */
PenHost *
pen_element_get_host (PenElement *self)
{
  return pen_element_get_private (self)->host;
}

/* documented in the private header */
char *
pen_element_dup_complaint (PenElement *self)
{
  PenElementPrivate *private = pen_element_get_private (self);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&private->lock);

  return g_strdup (pen_complaint_get_message (&private->complaint));
}

/* As the class has it. */
gboolean
pen_element_start (PenElement *self, GError **error)
{
  return PEN_ELEMENT_GET_CLASS (self)->start (self, error);
}

/* As the class has it. */
void
pen_element_stop (PenElement *self)
{
  PEN_ELEMENT_GET_CLASS (self)->stop (self);
}

/* As the class has it. */
void
pen_element_run_check (PenElement *self, PenCheck *check)
{
  PEN_ELEMENT_GET_CLASS (self)->check (self, check);
}

/**
 * pen_element_get_name:
 * @self: an element that runs
 *
 * Returns: (transfer none) (nullable): its name in the keyfile
 *
 * Threads: any
 */
const char *
pen_element_get_name (PenElement *self)
{
  return pen_element_get_private (self)->name;
}

/**
 * pen_element_get_pipeline_name:
 * @self: an element that runs
 *
 * Returns: (transfer none) (nullable): the name of its pipeline
 *
 * Threads: any
 */
const char *
pen_element_get_pipeline_name (PenElement *self)
{
  return pen_element_get_private (self)->pipeline_name;
}

/**
 * pen_element_get_label:
 * @self: an element that runs
 *
 * Returns: (transfer none) (nullable): kind and name, as people read them: `transform ammp`
 *
 * Threads: any
 */
const char *
pen_element_get_label (PenElement *self)
{
  return pen_element_get_private (self)->label;
}

/**
 * pen_element_is_only_of_kind:
 * @self: an element that runs
 *
 * Returns: whether its pipeline has no other element of its kind
 *
 * Threads: any
 */
gboolean
pen_element_is_only_of_kind (PenElement *self)
{
  return pen_element_get_private (self)->is_only_of_kind;
}

/**
 * pen_element_get_metrics: (skip)
 * @self: an element
 *
 * Returns: (transfer none): its figures
 *
 * Threads: any
 */
PenMetrics *
pen_element_get_metrics (PenElement *self)
{
  return pen_element_get_private (self)->metrics;
}

/**
 * pen_element_count:
 * @self: an element
 * @name: what is counted: `reconnects`
 * @reason: (nullable): value of the reason label
 * @amount: how many
 *
 * Adds to a counter by its name. For what happens with each event, keep the metric instead.
 *
 * Threads: any
 */
void
pen_element_count (PenElement *self, const char *name, const char *reason, gint64 amount)
{
  PenMetrics *metrics = pen_element_get_private (self)->metrics;

  pen_metric_add (pen_metrics_get (metrics, PEN_METRIC_COUNTER, name, reason), amount);
}

static void
pen_element_log_message (PenElement *self, GLogLevelFlags level, const char *message)
{
  PenElementPrivate *private = pen_element_get_private (self);
  const char *pipeline_name = private->pipeline_name != NULL ? private->pipeline_name : "";
  const char *label = private->label != NULL ? private->label : G_OBJECT_TYPE_NAME (self);

  g_log_structured ("penstock", level, "PENSTOCK_PIPELINE", pipeline_name, "PENSTOCK_ELEMENT",
                    label, "MESSAGE", "%s", message);
}

/**
 * pen_element_log:
 * @self: an element
 * @level: how much it matters
 * @format: what is to be said, for an operator
 * @...: for @format
 *
 * Says something once. What may repeat goes to [method@Element.complain], what failed into a
 * #GError.
 *
 * Threads: any
 */
void
pen_element_log (PenElement *self, GLogLevelFlags level, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  pen_element_log_message (self, level, message);
}

/**
 * pen_element_complain:
 * @self: an element
 * @format: what fails, on what, why, and what to do
 * @...: for @format
 *
 * Says that something fails which may fail again, as a warning: the first time, then once a minute
 * with a count, until [method@Element.recover].
 *
 * Threads: any
 */
void
pen_element_complain (PenElement *self, const char *format, ...)
{
  PenElementPrivate *private = pen_element_get_private (self);
  g_autofree char *message = NULL;
  g_autofree char *told = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_mutex_lock (&private->lock);
  told = pen_complaint_raise (&private->complaint, g_get_monotonic_time (), message);
  g_mutex_unlock (&private->lock);
  if (told != NULL)
    pen_element_log_message (self, G_LOG_LEVEL_WARNING, told);
}

/**
 * pen_element_recover:
 * @self: an element
 * @format: what works again
 * @...: for @format
 *
 * Says that what was complained about is over; nothing if there was no complaint.
 *
 * Threads: any
 */
void
pen_element_recover (PenElement *self, const char *format, ...)
{
  PenElementPrivate *private = pen_element_get_private (self);
  gboolean was_raised = FALSE;
  g_autofree char *message = NULL;
  va_list arguments;

  g_mutex_lock (&private->lock);
  was_raised = pen_complaint_release (&private->complaint);
  g_mutex_unlock (&private->lock);
  if (!was_raised)
    return;
  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  pen_element_log_message (self, G_LOG_LEVEL_INFO, message);
}

/**
 * pen_element_get_monotonic_time:
 * @self: an element that runs
 *
 * Returns: microseconds of a clock that is never set; a test's own clock in a test
 *
 * Threads: lane
 */
gint64
pen_element_get_monotonic_time (PenElement *self)
{
  PenHost *host = pen_element_get_private (self)->host;

  return host->functions->get_monotonic_time (host);
}

/**
 * pen_element_get_real_time:
 * @self: an element that runs
 *
 * Returns: wall clock, in microseconds since 1970
 *
 * Threads: any
 */
gint64
pen_element_get_real_time (PenElement *self)
{
  PenHost *host = pen_element_get_private (self)->host;

  return host->functions->get_real_time (host);
}

/**
 * pen_element_watch: (skip)
 * @self: an element that runs
 * @fd: a descriptor that epoll takes (a socket, a pipe; not a regular file)
 * @condition: %G_IO_IN, %G_IO_OUT, or both; errors are always told
 * @func: called as long as @condition holds
 *
 * Watches a descriptor, or changes what it is watched for.
 *
 * Threads: lane
 */
void
pen_element_watch (PenElement *self, int fd, GIOCondition condition, PenWatchFunc func)
{
  PenHost *host = pen_element_get_private (self)->host;

  host->functions->watch (host, self, fd, condition, func);
}

/**
 * pen_element_unwatch: (skip)
 * @self: an element that runs
 * @fd: a descriptor, before it is closed; one that is not watched is all right
 *
 * Threads: lane
 */
void
pen_element_unwatch (PenElement *self, int fd)
{
  PenHost *host = pen_element_get_private (self)->host;

  host->functions->unwatch (host, self, fd);
}

/**
 * pen_element_add_timer: (skip)
 * @self: an element that runs
 * @delay_us: from now; 0: in the lane's next round
 * @func: called once
 * @user_data: for @func
 *
 * Returns: what to remove it by, never 0; no longer valid from the call of @func on
 *
 * Threads: lane
 */
guint
pen_element_add_timer (PenElement *self, gint64 delay_us, PenTimerFunc func, gpointer user_data)
{
  PenHost *host = pen_element_get_private (self)->host;

  return host->functions->add_timer (host, self, delay_us, func, user_data);
}

/**
 * pen_element_remove_timer: (skip)
 * @self: an element that runs
 * @timer: a timer that has not run out
 *
 * Threads: lane
 */
void
pen_element_remove_timer (PenElement *self, guint timer)
{
  PenHost *host = pen_element_get_private (self)->host;

  host->functions->remove_timer (host, self, timer);
}

/**
 * pen_element_fail: (skip)
 * @self: an element that runs
 * @error: (transfer full): why nothing will ever pass again
 *
 * Ends the pipeline for good.
 *
 * Threads: lane
 */
void
pen_element_fail (PenElement *self, GError *error)
{
  PenHost *host = pen_element_get_private (self)->host;

  host->functions->fail (host, self, error);
}
