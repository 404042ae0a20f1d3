# shellcheck shell=bash
# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs the demo's pipeline against a broker of broker.sh and counts what came of what was published:
# every payload has a 't' of its own, which comes out again as its time. Needs common.sh, broker.sh.

: "${scratch:=}" "${broker_port:=}" "${broker_password:=}" "${repository:=}" "${children:=}"
penstock_pid=0
published=0
delivered=0
lost=0
twice=0

# start_penstock BUILD OUTPUT [WRAPPER…]: the pipeline's lines go to OUTPUT, its log to standard
# error. Sets penstock_pid.
start_penstock ()
{
  local build=$1 output=$2
  shift 2

  [ -x "$build/cli/penstock" ] || fail "there is no command in $build/cli"
  DEMO_FOLDER=$scratch DEMO_PORT=$broker_port DEMO_PASSWORD=$broker_password \
    setsid setpriv --pdeathsig TERM "$@" "$build/cli/penstock" run --state-dir "$scratch/state" \
    "$repository/pipelines/ammp/demo/demo.pipeline" </dev/null >"$output" &
  penstock_pid=$!
  children+=("$penstock_pid")
}

# Until the broker has its subscription: what is published before that reaches nobody.
await_subscription ()
{
  local tries

  for ((tries = 1200; tries > 0; tries--)); do
    grep -q 'a/+/u/data' "$scratch/broker.log" && return
    is_running "$penstock_pid" || fail "penstock ended before it had subscribed (its log is above)"
    sleep 0.05
  done
  fail "penstock has not subscribed within a minute (its log is above)"
}

count_lines () { wc -l <"$1"; }

# await_lines FILE N: until it has N lines, or nothing more has come for ten seconds.
await_lines ()
{
  local file=$1 wanted=$2 before=-1 now silent=0

  while [ "$silent" -lt 100 ] && is_running "$penstock_pid"; do
    now=$(count_lines "$file")
    if [ "$now" -ge "$wanted" ]; then return; fi
    if [ "$now" -gt "$before" ]; then silent=0; else silent=$((silent + 1)); fi
    before=$now
    sleep 0.1
  done
}

# count_delivery PUBLISHED LINES: PUBLISHED has a line "@T" for each payload. Sets published,
# delivered, lost, twice.
# shellcheck disable=SC2034 # read by the callers
count_delivery ()
{
  date -u -f "$1" +%Y-%m-%dT%H:%M:%S+00:00 | sort >"$scratch/sent"
  sed -n 's/^{"time":"\([^"]*\)".*/\1/p' "$2" | sort >"$scratch/came"
  uniq "$scratch/came" >"$scratch/distinct"
  published=$(count_lines "$scratch/sent")
  delivered=$(count_lines "$scratch/distinct")
  lost=$(comm -23 "$scratch/sent" "$scratch/distinct" | wc -l)
  twice=$(($(count_lines "$scratch/came") - delivered))
}
