# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The readings of a payload by vendor ID, as a jq filter.
{
  time: (.t | todate | sub("Z$"; "+00:00")),
  data: (
    reduce .r[] as $reading ({};
      .[$reading._vid] +=
        ($reading | with_entries(select(.value != null and (.key | startswith("_") | not)))))
  )
}
