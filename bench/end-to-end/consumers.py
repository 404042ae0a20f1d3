# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who is measured: each takes the messages of one topic over TLS with MQTT 5, at QoS 1 in a session
that the broker keeps, and appends a line for each to a file."""

import os
import shutil
import subprocess
from dataclasses import dataclass

FOLDER = os.path.dirname(os.path.abspath(__file__))
PEERS = os.path.join(FOLDER, 'peers')
EXPIRY_SECONDS = 3600


@dataclass
class Place:
    """Where things are, the same for all runs."""
    scratch: str
    penstock: str  # the command
    plugins: str
    programs: str  # the folder of bench-load and its like
    npm: str       # the folder with node_modules
    user: str
    password: str
    broker_port: int
    broker_socket: str
    broker_log: str

    @property
    def cafile(self):
        return os.path.join(self.scratch, 'ca.crt')


@dataclass
class Task:
    """What a consumer has to do in one run."""
    name: str
    port: int
    topic: str
    qos: int
    warm_up: int
    count: int
    folder: str

    @property
    def output(self):
        return os.path.join(self.folder, 'out')


class Consumer:
    """@restructures: whether its lines are the readings by vendor ID."""

    def __init__(self, name, command, restructures=True, qos=(0, 1), needs=None, fsync='never',
                 counts_only=False, heavy=1):
        self.name = name
        self.command = command
        self.restructures = restructures
        self.qos = qos
        self.needs = needs
        self.fsync = fsync
        self.counts_only = counts_only
        self.heavy = heavy  # times fewer messages are enough

    def missing(self, place):
        """Why it cannot be measured, or None."""
        return self.needs(place) if self.needs else None

    def prepare(self, place, task):
        """Writes its files; returns what start () takes."""
        commands, writes_itself = self.command(place, task)
        commands = [[shutil.which(command[0]), *command[1:]] for command in commands]
        return commands, writes_itself, {**os.environ, **environment_of(place, task)}

    def start(self, task, commands, writes_itself, environment):
        """The processes, whose last one writes the output."""
        processes, source = [], subprocess.DEVNULL
        log = open(os.path.join(task.folder, 'log'), 'ab')
        output = open(os.path.join(task.folder, 'stdout') if writes_itself else task.output, 'ab')
        with log, output:
            for number, command in enumerate(commands):
                is_last = number == len(commands) - 1
                # an absolute path and close_fds=False: posix_spawn, so that a start costs us little
                process = subprocess.Popen(command, stdin=source, stderr=log, env=environment,
                                           stdout=output if is_last else subprocess.PIPE,
                                           close_fds=False)
                if source != subprocess.DEVNULL:
                    source.close()
                source = process.stdout
                processes.append(process)
        return processes


def environment_of(place, task):
    return {
        'BENCH_PORT': str(task.port), 'BENCH_CAFILE': place.cafile, 'BENCH_USERNAME': place.user,
        'BENCH_PASSWORD': place.password, 'BENCH_TOPIC': task.topic, 'BENCH_QOS': str(task.qos),
        'BENCH_CLIENT': f'bench-{task.name}', 'BENCH_OUTPUT': task.output,
        'BENCH_PERSISTENT': str(task.qos > 0).lower(),
        'NODE_PATH': os.path.join(place.npm, 'node_modules'),
        'PENSTOCK_PLUGIN_PATH': place.plugins,
    }


def mosquitto_sub(place, task):
    session = ['-c', '-x', str(EXPIRY_SECONDS)] if task.qos else []
    return [['mosquitto_sub', '-h', '127.0.0.1', '-p', str(task.port), '--cafile', place.cafile,
             '-V', 'mqttv5', '-u', place.user, '-P', place.password, '-i', f'bench-{task.name}',
             '-q', str(task.qos), '-t', task.topic, *session]], False


def counter(place, task):
    return [[os.path.join(place.programs, 'bench-count'), '--port', str(task.port), '--cafile',
             place.cafile, '--username', place.user, '--qos', str(task.qos), '--topic', task.topic,
             '--warm-up', str(task.warm_up), '--count', str(task.count)]], False


def jq(place, task):
    filter_file = os.path.join(PEERS, 'ammp.jq')
    # without --unbuffered it keeps lines back until 4 KiB are full
    return [mosquitto_sub(place, task)[0][0],
            ['jq', '-c', '--unbuffered', '-f', filter_file]], False


def python(place, task):
    # paho is Debian's, so is the interpreter
    return [['/usr/bin/python3', os.path.join(PEERS, 'paho-script.py')]], True


def node_js(place, task):
    return [['node', os.path.join(PEERS, 'mqtt-script.js')]], True


def node_red(place, task):
    folder = os.path.join(task.folder, 'node-red')
    subprocess.run(['node', os.path.join(PEERS, 'node-red-flow.js'), folder], check=True,
                   env={**os.environ, **environment_of(place, task)})
    red = os.path.join(place.npm, 'node_modules', 'node-red', 'red.js')
    return [['node', red, '--userDir', folder]], True


def telegraf(place, task):
    return [['telegraf', '--config', os.path.join(PEERS, 'telegraf.conf')]], True


def penstock(fsync='batch', spool=False):
    def command(place, task):
        keyfile = os.path.join(task.folder, f'{task.name}.pipeline')
        session = f'session-expiry={EXPIRY_SECONDS}s' if task.qos else 'clean-session=true'
        with open(keyfile, 'w', encoding='utf-8', opener=open_private) as stream:
            stream.write(f'[pipeline]\nspool={str(spool).lower()}\n'
                         f'[source mqtt]\nhost=127.0.0.1\nport={task.port}\ntls=on\n'
                         f'cafile={place.cafile}\nusername={place.user}\n'
                         'password=${env:BENCH_PASSWORD}\n'
                         f'client-id=bench-{task.name}\ntopics={task.topic}\nqos={task.qos}\n'
                         f'{session}\n'
                         f'[transform ammp]\n[sink file]\npath={task.output}\nfsync={fsync}\n')
        return [[place.penstock, 'run', '--log-level', 'warning', '--state-dir',
                 os.path.join(task.folder, 'state'), keyfile]], True
    return command


def open_private(path, flags):
    return os.open(path, flags, 0o600)


def needs_command(name):
    return lambda place: None if shutil.which(name) else 'not on this machine'


def needs_paho(place):
    found = subprocess.run(['/usr/bin/python3', '-c', 'import paho.mqtt.client'],
                           stderr=subprocess.DEVNULL, check=False)
    return None if found.returncode == 0 else 'python3-paho-mqtt is not on this machine'


def needs_module(name):
    def missing(place):
        folder = os.path.join(place.npm, 'node_modules', name)
        there = shutil.which('node') and os.path.isdir(folder)
        return None if there else f'{name} is not on this machine'
    return missing


def unmeasured(name, *binaries):
    """Those that no Debian package brings: they are named, with whether they are there."""
    def missing(place):
        if any(shutil.which(binary) for binary in binaries):
            return 'on this machine, but there is no configuration for it in bench/end-to-end/peers'
        return 'not on this machine'
    return Consumer(name, None, needs=missing)


CONSUMERS = [
    Consumer('mosquitto_sub', mosquitto_sub, restructures=False),
    Consumer('counter', counter, restructures=False, counts_only=True),
    Consumer('penstock', penstock(), fsync='batch'),
    Consumer('penstock-never', penstock('never')),
    Consumer('penstock-spool', penstock(spool=True), qos=(1,), fsync='batch'),
    Consumer('node-js', node_js, needs=needs_module('mqtt'), heavy=3),
    Consumer('python', python, needs=needs_paho, heavy=8),
    Consumer('node-red', node_red, needs=needs_module('node-red'), heavy=12),
    Consumer('jq', jq, needs=needs_command('jq'), heavy=30),
    unmeasured('fluent-bit', 'fluent-bit', 'td-agent-bit'),
    Consumer('telegraf', telegraf, needs=needs_command('telegraf'), heavy=12),
    unmeasured('redpanda-connect', 'redpanda-connect', 'rpk', 'benthos'),
    unmeasured('vector', 'vector'),
]

LABELS = {
    'mosquitto_sub': 'mosquitto_sub (restructures nothing)',
    'counter': 'bare libmosquitto counter (writes nothing)',
    'penstock': 'Penstock, fsync=batch',
    'penstock-never': 'Penstock, fsync=never',
    'penstock-spool': 'Penstock with the spool, fsync=batch',
    'node-js': 'Node.js script (mqtt.js)',
    'python': 'Python script (paho-mqtt)',
    'node-red': 'Node-RED',
    'jq': 'mosquitto_sub | jq',
    'fluent-bit': 'Fluent Bit',
    'telegraf': 'Telegraf',
    'redpanda-connect': 'Redpanda Connect',
    'vector': 'Vector',
}
