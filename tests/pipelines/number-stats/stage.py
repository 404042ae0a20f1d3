#!/usr/bin/python3
# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the number statistics share: a broker, a listener, the three programs."""

import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import paho.mqtt.client as mqtt

HERE = os.path.dirname(os.path.abspath(__file__))
KEYFILES = os.path.join(HERE, '..', '..', '..', 'pipelines', 'number-stats')
COMMAND = os.environ.get('PENSTOCK_COMMAND', 'penstock')
PATIENCE_S = 60
# packets have ids of 16 bits
AT_A_TIME = 5000
PROGRAMS = ('publisher', 'subscriber', 'display')


def find_broker():
    path = os.environ.get('PATH', '') + ':/usr/sbin:/usr/local/sbin'
    return shutil.which('mosquitto', path=path)


def find_port():
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


def wait_for(condition, what, patience_s=PATIENCE_S):
    deadline = time.monotonic() + patience_s
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f'waited in vain for {what}')
        pause.wait(0.02)


def accepts(port):
    with socket.socket() as client:
        return client.connect_ex(('127.0.0.1', port)) == 0


class Stage:
    """A folder, a broker on a port of its own, and what runs there; all of it ends with it."""

    def __init__(self, speed=1):
        self.folder = tempfile.mkdtemp(prefix='penstock-number-stats-')
        self.port = find_port()
        self.processes = {}
        self.database = os.path.join(self.folder, 'stats', 'test.db')
        self.environment = {**os.environ, 'BROKER': '127.0.0.1', 'BROKER_PORT': str(self.port),
                            'DB_FILE': self.database, 'SPEED': str(speed),
                            'XDG_STATE_HOME': os.path.join(self.folder, 'state')}

    def __enter__(self):
        with open(os.path.join(self.folder, 'broker.conf'), 'w', encoding='ascii') as stream:
            stream.write(f'listener {self.port} 127.0.0.1\nallow_anonymous true\n'
                         'max_queued_messages 0\n'
                         f'log_type all\nlog_dest file {self.folder}/broker.log\nuser root\n')
        self.spawn('broker', [find_broker(), '-c', os.path.join(self.folder, 'broker.conf')])
        wait_for(lambda: accepts(self.port), 'the broker')
        return self

    def __exit__(self, *_):
        for name in list(self.processes):
            self.kill(name)
        shutil.rmtree(self.folder)

    def spawn(self, name, arguments):
        with open(os.path.join(self.folder, name + '.out'), 'ab') as output, \
             open(os.path.join(self.folder, name + '.err'), 'ab') as errors:
            self.processes[name] = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                env=self.environment, cwd=self.folder)

    def start(self, name, is_new):
        """One of the three: the keyfile, or the old program."""
        keyfile = os.path.join(KEYFILES, name + '.pipeline')
        program = os.path.join(HERE, f'old_{name}.py')
        n_before = self.count_subscriptions()
        self.spawn(name, [COMMAND, 'run', keyfile] if is_new else ['/usr/bin/python3', program])
        if name != 'publisher':
            wait_for(lambda: self.count_subscriptions() > n_before, f'{name} to subscribe')

    def count_subscriptions(self):
        return self.read('broker.log').count('Sending SUBACK')

    def read(self, name):
        try:
            with open(os.path.join(self.folder, name), encoding='utf-8') as stream:
                return stream.read()
        except FileNotFoundError:
            return ''

    def kill(self, name, number=signal.SIGKILL):
        process = self.processes.pop(name)
        process.send_signal(number)
        process.wait()


class Listener:
    """Keeps the payloads of topics, in the order of the broker."""

    def __init__(self, stage, topics=('DATA', 'STATS')):
        self.payloads = {topic: [] for topic in topics}
        self.is_subscribed = threading.Event()
        self.client = mqtt.Client()
        self.client.on_connect = lambda client, *_: client.subscribe([(t, 1) for t in topics])
        self.client.on_subscribe = lambda *_: self.is_subscribed.set()
        self.client.on_message = self.keep
        self.client.connect('127.0.0.1', stage.port)
        self.client.loop_start()
        if not self.is_subscribed.wait(PATIENCE_S):
            raise TimeoutError('the listener could not subscribe')

    def keep(self, _client, _data, message):
        self.payloads[message.topic].append(message.payload.decode())

    def wait(self, topic, n_payloads, patience_s=PATIENCE_S):
        wait_for(lambda: len(self.payloads[topic]) >= n_payloads,
                 f'{n_payloads} messages of {topic}; there are {len(self.payloads[topic])}',
                 patience_s)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


class Sender:
    """Publishes payloads to DATA at QoS 1, as many at a time as the broker takes."""

    def __init__(self, stage):
        self.confirmed = queue.Queue()
        self.client = mqtt.Client()
        self.client.max_inflight_messages_set(100)
        self.client.max_queued_messages_set(0)
        self.client.on_publish = lambda _client, _data, number: self.confirmed.put(number)
        self.client.connect('127.0.0.1', stage.port)
        self.client.loop_start()

    def send(self, payloads):
        """Returns when the broker has all of them."""
        for first in range(0, len(payloads), AT_A_TIME):
            part = payloads[first:first + AT_A_TIME]
            for payload in part:
                self.client.publish('DATA', payload, qos=1)
            for _ in part:
                self.confirmed.get(timeout=PATIENCE_S)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def run_tests(tests):
    """Speaks TAP; returns the exit status."""
    n_failed = 0
    print(f'1..{len(tests)}')
    for number, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f'ok {number} {name}', flush=True)
        except Exception as error:  # pylint: disable=broad-except
            n_failed += 1
            text = re.sub(r'(?m)^', '# ', f'{type(error).__name__}: {error}')
            print(f'{text}\nnot ok {number} {name}', flush=True)
    return 1 if n_failed else 0
