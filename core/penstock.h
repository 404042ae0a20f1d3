/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The only header that a plugin includes: the values, events and elements of libpenstock and the
 * macro that makes a module of a type. What runs pipelines is not here.
 */

#pragma once

#define PENSTOCK_INSIDE

#include "pen-version.h"

#include "pen-json-path.h"
#include "pen-json.h"
#include "pen-log.h"
#include "pen-metrics.h"
#include "pen-time.h"
#include "pen-value.h"

#include "pen-batch.h"
#include "pen-event.h"
#include "pen-token.h"

#include "pen-check.h"
#include "pen-element.h"
#include "pen-fields.h"
#include "pen-line-format.h"
#include "pen-sink.h"
#include "pen-source.h"
#include "pen-standard-output.h"
#include "pen-store.h"
#include "pen-transform.h"

#include "pen-plugin.h"

#undef PENSTOCK_INSIDE
