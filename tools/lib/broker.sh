# shellcheck shell=bash
# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A throw-away certificate authority and Mosquitto brokers for the commands in tools/, on loopback
# only and in a temporary folder. Needs common.sh.

broker_password=""
broker_port=0
broker_pid=0
broker_settings="" # lines for the brokers' configuration
started=0

# A port that was free a moment ago. Whoever takes it must be ready to try another.
free_port ()
{
  python3 -c '
import socket
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
print(listener.getsockname()[1])'
}

# make_certificates FOLDER: ca.crt, server.crt and server.key for localhost, good for a year.
make_certificates ()
{
  local folder=$1

  {
    openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj "/CN=Throw-away demo CA" \
      -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign \
      -keyout "$folder/ca.key" -out "$folder/ca.crt" &&
    openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" \
      -keyout "$folder/server.key" -out "$folder/server.csr" &&
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >"$folder/server.ext" &&
    openssl x509 -req -days 365 -in "$folder/server.csr" -CA "$folder/ca.crt" \
      -CAkey "$folder/ca.key" -CAcreateserial -extfile "$folder/server.ext" \
      -out "$folder/server.crt"
  } >"$folder/openssl.log" 2>&1 ||
    fail_with "$folder/openssl.log" "openssl cannot make certificates"
}

# await_broker PID LOG: until it says that it runs; 1 if it ended (the port was taken).
await_broker ()
{
  local pid=$1 log=$2 tries

  for ((tries = 200; tries > 0; tries--)); do
    grep -q 'mosquitto version .* running' "$log" 2>/dev/null && return 0
    is_running "$pid" || return 1
    sleep 0.05
  done
  return 1
}

# write_broker_configuration FOLDER PORT: TLS, passwords, nobody else; queues without a bound, so
# that what is lost is lost by those who are being watched.
write_broker_configuration ()
{
  local folder=$1 port=$2

  cat >"$folder/broker.conf" <<CONF
listener $port 127.0.0.1
cafile $folder/ca.crt
certfile $folder/server.crt
keyfile $folder/server.key
tls_version tlsv1.2
allow_anonymous false
password_file $folder/passwords
persistence true
persistence_location $folder/
autosave_interval 0
max_queued_messages 0
max_queued_bytes 0
log_type error
log_type warning
log_type notice
log_type information
log_type subscribe
user $(id -un)
$broker_settings
CONF
}

# start_broker FOLDER USER…: a broker with TLS, where each USER has the password $broker_password.
# Sets broker_port and broker_pid. FOLDER has the certificates.
start_broker ()
{
  local folder=$1 user tries
  shift

  broker_password=$(openssl rand -hex 16)
  : >"$folder/passwords"
  for user in "$@"; do
    mosquitto_passwd -b "$folder/passwords" "$user" "$broker_password" >/dev/null 2>&1 ||
      fail "mosquitto_passwd cannot write $folder/passwords"
  done
  for ((tries = 5; tries > 0; tries--)); do
    broker_port=$(free_port) || fail "cannot find a free port on 127.0.0.1"
    write_broker_configuration "$folder" "$broker_port"
    : >"$folder/broker.log"
    start "$folder/broker.log" mosquitto -c "$folder/broker.conf"
    broker_pid=$started
    await_broker "$broker_pid" "$folder/broker.log" && return
  done
  fail_with "$folder/broker.log" "mosquitto does not start"
}

# restart_broker FOLDER: the same port, what it had saved, after its end.
restart_broker ()
{
  local folder=$1 tries

  for ((tries = 50; tries > 0; tries--)); do
    : >"$folder/broker.log"
    start "$folder/broker.log" mosquitto -c "$folder/broker.conf"
    broker_pid=$started
    await_broker "$broker_pid" "$folder/broker.log" && return
    sleep 0.1
  done
  fail_with "$folder/broker.log" "mosquitto does not start again"
}

# start_site FOLDER NODE USER: a stand-in for a data logger: a broker of its own, reached through
# the socket FOLDER/site.socket, that bridges what is published to it over TLS, at QoS 1, in a
# session that the main broker keeps. Sets site_pid.
start_site ()
{
  local folder=$1 node=$2 user=$3

  cat >"$folder/site.conf" <<CONF
listener 0 $folder/site.socket
allow_anonymous true
persistence false
max_queued_messages 0
max_queued_bytes 0
max_inflight_messages 20
log_type error
log_type warning
log_type notice
log_type information
log_type subscribe
user $(id -un)

connection $node
address 127.0.0.1:$broker_port
bridge_cafile $folder/ca.crt
bridge_tls_version tlsv1.2
remote_clientid $node
remote_username $user
remote_password $broker_password
cleansession false
notifications false
restart_timeout 1 5
topic a/$node/u/data out 1
CONF
  start "$folder/site.log" mosquitto -c "$folder/site.conf"
  site_pid=$started
  await_broker "$site_pid" "$folder/site.log" ||
    fail_with "$folder/site.log" "the stand-in site's mosquitto does not start"
}
