#!/usr/bin/env python3
# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Readings restructured by vendor ID, as a script on paho-mqtt does it."""

import json
import os
from datetime import datetime, timezone

from paho.mqtt import client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

TOPIC = os.environ['BENCH_TOPIC']
QOS = int(os.environ['BENCH_QOS'])


def restructure(payload):
    message = json.loads(payload)
    data = {}
    for reading in message['r']:
        fields = {name: value for name, value in reading.items()
                  if value is not None and not name.startswith('_')}
        if fields:
            data.setdefault(reading['_vid'], {}).update(fields)
    time = datetime.fromtimestamp(message['t'], timezone.utc).isoformat()
    return json.dumps({'time': time, 'data': data}, separators=(',', ':'), ensure_ascii=False)


def main():
    # buffering=1: each line is in the file when it is written
    output = open(os.environ['BENCH_OUTPUT'], 'a', encoding='utf-8', buffering=1)

    def on_connect(client, userdata, flags, reason, properties):
        client.subscribe(TOPIC, qos=QOS)

    def on_message(client, userdata, message):
        output.write(restructure(message.payload) + '\n')

    client = mqtt.Client(os.environ['BENCH_CLIENT'], protocol=mqtt.MQTTv5)
    client.username_pw_set(os.environ['BENCH_USERNAME'], os.environ['BENCH_PASSWORD'])
    client.tls_set(ca_certs=os.environ['BENCH_CAFILE'])
    client.on_connect = on_connect
    client.on_message = on_message
    properties = Properties(PacketTypes.CONNECT)
    if QOS > 0:
        properties.SessionExpiryInterval = 3600
    client.connect('127.0.0.1', int(os.environ['BENCH_PORT']), clean_start=QOS == 0,
                   properties=properties)
    client.loop_forever()


main()
