#!/usr/bin/python3
# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The display that display.pipeline replaces, told again: a table of each message with averages."""

import json
import os

import paho.mqtt.client as mqtt

BROKER = os.environ.get('BROKER', 'localhost')
PORT = int(os.environ.get('BROKER_PORT', '1883'))
STATS_TOPIC = os.environ.get('STATS_TOPIC', 'STATS')


def format_table(averages):
    """As tabulate does it: columns two wider than their headers, numbers as %g."""
    widths = [len(name) + 2 for name in averages]
    lines = [[name.rjust(width) for name, width in zip(averages, widths)],
             ['-' * width for width in widths],
             [f'{value:g}'.rjust(width) for value, width in zip(averages.values(), widths)]]
    return '\n'.join('  '.join(line) for line in lines)


def main():
    def on_connect(client, *_):
        client.subscribe(STATS_TOPIC, qos=1)

    def on_message(_client, _data, message):
        print(format_table(json.loads(message.payload)), flush=True)

    client = mqtt.Client()
    client.on_connect = on_connect
    client.on_message = on_message
    client.connect(BROKER, PORT)
    client.loop_forever()


if __name__ == '__main__':
    main()
