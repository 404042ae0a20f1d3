# shellcheck shell=bash
# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the commands in tools/ share: how they speak, how they install Debian packages, how they
# build, and how everything that they started is gone when they end. A command sources this file
# first, and calls `begin` before anything else.

set -u
set -o pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
command_name=$(basename "$0")
install_packages=${PENSTOCK_INSTALL:-yes}
scratch=""
children=()
policy_file=""
started=0

# What a build needs; what a run of the demo needs besides.
# shellcheck disable=SC2034 # read by the commands
{
build_packages=(gcc libc6-dev meson ninja-build pkg-config libglib2.0-dev libjson-glib-dev
  libsqlite3-dev libmosquitto-dev libssl-dev libgnutls28-dev libsoup-3.0-dev zlib1g-dev)
demo_packages=(mosquitto mosquitto-clients openssl)
}

say () { printf '%s: %s\n' "$command_name" "$*"; }
step () { printf '\n== %s\n' "$*"; }
fail () { printf '%s: error: %s\n' "$command_name" "$*" >&2; exit 1; }
fail_with () { cat "$1" >&2; shift; fail "$* (see above)"; }
usage_error () { printf '%s: error: %s; see --help\n' "$command_name" "$*" >&2; exit 2; }

# --- From beginning to end ---

# A temporary folder in $scratch; at the end, however it comes, the children and the folder go.
begin ()
{
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/penstock-$command_name-XXXXXX") ||
    fail "cannot make a temporary folder in ${TMPDIR:-/tmp}"
  trap end EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

end ()
{
  local status=$?

  trap '' HUP INT TERM
  trap - EXIT
  remove_policy
  stop_children
  if [ -n "$scratch" ]; then rm -rf "$scratch"; fi
  exit "$status"
}

# start LOG COMMAND…: in the background, out of reach of the terminal's Ctrl-C, and ended by the
# kernel should this shell be killed. The process id is in $started.
start ()
{
  local log=$1
  shift
  setsid setpriv --pdeathsig TERM "$@" </dev/null >>"$log" 2>&1 &
  started=$!
  children+=("$started")
}

is_running () { kill -0 "$1" 2>/dev/null; }

# Every child leads a session: what it started itself ends with it.
signal_child () { kill "-$2" -- "-$1" 2>/dev/null || kill "-$2" "$1" 2>/dev/null; }

# Waits until a process that this shell started has ended; after SECONDS it is killed.
await_end ()
{
  local pid=$1 seconds=$2 tries

  # bash would tell of each process that was killed
  {
    for ((tries = seconds * 20; tries > 0; tries--)); do
      is_running "$pid" || break
      sleep 0.05
    done
    if is_running "$pid"; then signal_child "$pid" KILL; fi
    wait "$pid"
  } 2>/dev/null
}

stop_child ()
{
  local pid=$1 seconds=${2:-10}

  if is_running "$pid"; then signal_child "$pid" TERM; fi
  await_end "$pid" "$seconds"
}

stop_children ()
{
  local index

  for ((index = ${#children[@]} - 1; index >= 0; index--)); do
    stop_child "${children[index]}" 5
  done
  children=()
}

# --- Debian packages ---

missing_packages ()
{
  local name

  for name in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed ||
      printf '%s\n' "$name"
  done
}

as_root ()
{
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif [ -t 0 ]; then
    sudo -p "[sudo] password for %u, to install packages: " "$@"
  else
    sudo -n "$@"
  fi
}

require_root ()
{
  local remedy="as root, run: apt-get install --no-install-recommends $*"

  [ "$(id -u)" -eq 0 ] && return
  command -v sudo >/dev/null ||
    fail "only root can install packages and there is no sudo; $remedy"
  as_root true 2>"$scratch/sudo" ||
    fail "sudo was refused ($(tail -n 1 "$scratch/sudo")); $remedy"
}

# Debian starts the services that it installs (mosquitto has one). Not on our account: a policy
# that says no stands for as long as apt runs, unless the machine has one of its own.
forbid_services ()
{
  [ -e /usr/sbin/policy-rc.d ] && return
  printf '#!/bin/sh\nexit 101\n' >"$scratch/policy-rc.d"
  policy_file=/usr/sbin/policy-rc.d
  as_root install -m 755 "$scratch/policy-rc.d" "$policy_file"
}

remove_policy ()
{
  [ -n "$policy_file" ] || return 0
  as_root rm -f "$policy_file"
  policy_file=""
}

run_apt ()
{
  local quiet=()

  # without a terminal: lines instead of a progress bar that is redrawn
  [ -t 1 ] || quiet=(-q -o Dpkg::Use-Pty=0)
  as_root env DEBIAN_FRONTEND=noninteractive apt-get "${quiet[@]}" -y \
    -o Acquire::Retries=3 "$@"
}

# Lists that were never fetched, or are too old to know a package that is there.
has_candidates ()
{
  local name

  for name in "$@"; do
    LC_ALL=C apt-cache policy "$name" 2>/dev/null | grep -q '^  Candidate: [^(]' || return 1
  done
}

update_lists ()
{
  say "fetching the package lists (apt-get update)"
  run_apt update ||
    fail "apt-get update failed (see above); are the network and /etc/apt/sources.list good?"
}

# install_missing PURPOSE PACKAGE…: says what is missing and installs it; nothing if all is there.
install_missing ()
{
  local purpose=$1 missing updated=no
  shift

  command -v dpkg-query >/dev/null ||
    fail "this is no Debian (no dpkg-query); install by hand what stands for: $*"
  mapfile -t missing < <(missing_packages "$@")
  if [ "${#missing[@]}" -eq 0 ]; then
    say "nothing to install for $purpose"
    return
  fi
  [ "$install_packages" = yes ] ||
    fail "missing packages, and told not to install any: ${missing[*]}"
  require_root "${missing[*]}"
  say "installing for $purpose: ${missing[*]}"
  has_candidates "${missing[@]}" || { update_lists; updated=yes; }
  forbid_services
  if ! run_apt install --no-install-recommends "${missing[@]}"; then
    [ "$updated" = no ] || fail "apt-get install failed (see above)"
    update_lists
    run_apt install --no-install-recommends "${missing[@]}" ||
      fail "apt-get install failed (see above)"
  fi
  remove_policy
  keep_service_off mosquitto "${missing[@]}"
  keep_service_off prometheus "${missing[@]}"
  installed_something=yes
}

# keep_service_off SERVICE PACKAGE…: a service that came with a package that we installed is not
# started at the next boot either.
keep_service_off ()
{
  local service=$1
  shift

  [[ " $* " == *" $service "* ]] || return 0
  [ -d /run/systemd/system ] || return 0
  as_root systemctl disable --quiet "$service" 2>/dev/null
  say "the system service $service is installed, but neither running nor enabled;" \
    "'systemctl enable --now $service' does that"
}

# Packages are installed as root, the build belongs to whoever owns the checkout: run through
# sudo, the rest of the command is run as the user who called.
give_up_root ()
{
  local home

  [ "$(id -u)" -eq 0 ] && [ -n "${SUDO_UID:-}" ] && [ "$SUDO_UID" -ne 0 ] || return 0
  [ "$(stat -c %u "$repository")" = "$SUDO_UID" ] || return 0
  home=$(getent passwd "$SUDO_UID" | cut -d : -f 6)
  rm -rf "$scratch"
  exec env HOME="${home:-/}" PENSTOCK_INSTALL=no setpriv --reuid "$SUDO_UID" \
    --regid "${SUDO_GID:?}" --init-groups "$0" "$@"
}

# --- Building ---

# build FOLDER [MESON OPTION…]: sets FOLDER up, or again when packages came, and builds.
build ()
{
  local folder=$1 log="$scratch/build.log"
  shift

  if [ -e "$folder" ] && [ ! -w "$folder" ]; then
    fail "$folder belongs to $(stat -c %U "$folder"): remove it, or run this as that user"
  fi
  if [ ! -e "$folder/build.ninja" ]; then
    rm -rf "$folder"
    # meson knows Debian's folder for libraries only with dpkg-dev's help
    meson setup "$folder" "$repository" -Dlibdir="lib/$(gcc -print-multiarch)" "$@" \
      >"$log" 2>&1 ||
      fail_with "$log" "meson cannot set up $folder"
  elif [ "${installed_something:-no}" = yes ] || [ "$#" -gt 0 ]; then
    meson setup --reconfigure "$folder" "$repository" "$@" >"$log" 2>&1 ||
      fail_with "$log" "meson cannot set up $folder again; remove it and try once more"
  fi
  ninja -C "$folder" || fail "the build failed (see above)"
}
