#!/usr/bin/python3
# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The publisher that publisher.pipeline replaces, told again: a random number at random intervals.

SPEED makes its clock go faster, as in the keyfile.
"""

import json
import os
import random
import time

import paho.mqtt.client as mqtt

BROKER = os.environ.get('BROKER', 'localhost')
PORT = int(os.environ.get('BROKER_PORT', '1883'))
TOPIC = os.environ.get('TOPIC', 'DATA')
SPEED = float(os.environ.get('SPEED', '1'))


def main():
    client = mqtt.Client()
    client.connect(BROKER, PORT)
    client.loop_start()
    now = time.time()
    while True:
        payload = json.dumps({'number': random.randint(1, 99), 'epochtime': str(int(now))})
        client.publish(TOPIC, payload, qos=1).wait_for_publish()
        pause = random.randint(1, 29)
        now += pause
        # check-source: allow sleep: what is told again is a program that waits
        time.sleep(pause / SPEED)


if __name__ == '__main__':
    main()
