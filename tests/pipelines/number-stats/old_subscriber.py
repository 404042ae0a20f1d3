#!/usr/bin/python3
# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The subscriber that subscriber.pipeline replaces, told again: a database, and averages of it."""

import json
import os
import sqlite3
import time

import paho.mqtt.client as mqtt

BROKER = os.environ.get('BROKER', 'localhost')
PORT = int(os.environ.get('BROKER_PORT', '1883'))
TOPIC = os.environ.get('TOPIC', 'DATA')
STATS_TOPIC = os.environ.get('STATS_TOPIC', 'STATS')
DB_FILE = os.environ.get('DB_FILE', 'tmp/test.db')
KEPT_S = 35 * 60
AVERAGE = ('SELECT AVG(number) FROM messages '
           'WHERE (SELECT MAX(epochtime) FROM messages) - epochtime <= ?')


def main():
    os.makedirs(os.path.dirname(DB_FILE) or '.', exist_ok=True)
    database = sqlite3.connect(DB_FILE)
    database.execute('CREATE TABLE IF NOT EXISTS messages (number INTEGER, epochtime INTEGER)')

    def on_connect(client, *_):
        client.subscribe(TOPIC, qos=1)

    def on_message(client, _, message):
        data = json.loads(message.payload)
        with database:
            database.execute('INSERT INTO messages VALUES (?, ?)',
                             (data['number'], data['epochtime']))
            database.execute('DELETE FROM messages WHERE epochtime < ?',
                             (int(time.time()) - KEPT_S,))
        averages = {f'avg_{minutes}min': database.execute(AVERAGE, (minutes * 60,)).fetchone()[0]
                    for minutes in (1, 5, 30)}
        client.publish(STATS_TOPIC, json.dumps(averages), qos=1)

    client = mqtt.Client('number-stats-subscriber', clean_session=False)
    client.on_connect = on_connect
    client.on_message = on_message
    client.connect(BROKER, PORT)
    client.loop_forever()


if __name__ == '__main__':
    main()
