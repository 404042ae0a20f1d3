# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One consumer, one run: what it uses between the first and the last message that count."""

import itertools
import json
import os
import shutil
import time
from dataclasses import dataclass

from consumers import Task
from corpus import STAMP_FIELD
from processes import Failure, Lines, Teller, Usage, stop, usage_of

# After the last line: what is still to be acknowledged, synced, saved counts as well.
GRACE_SECONDS = 0.2
MANY = 16
WINDOW = 1000
numbers = itertools.count(1)


@dataclass(frozen=True)
class Scenario:
    name: str
    label: str
    source: str  # 'broker' or 'source'
    qos: int
    count: int
    consumers: tuple
    batch: int = 1
    rate: int = 0
    warm_up: int = 2000


class Run:
    """Everything that is started for one run; `with` ends all of it."""

    def __init__(self, place, scenario, consumer, count, warm_up):
        name = f'r{next(numbers)}'
        self.place, self.scenario, self.consumer = place, scenario, consumer
        folder = os.path.join(place.scratch, name)
        topic = f'a/{name}/u/data'
        self.task = Task(name, place.broker_port, topic, scenario.qos, warm_up, count, folder)
        self.processes, self.tellers, self.prepared = [], [], None
        self.lines = Lines(self.task.output)

    def __enter__(self):
        os.makedirs(self.task.folder)
        return self

    def __exit__(self, *_):
        stop(self.processes)
        for process in self.processes:
            if process.stdout:
                process.stdout.close()
        for teller in self.tellers:
            teller.stop()
        self.lines.close()
        shutil.rmtree(self.task.folder, ignore_errors=True)

    def log(self):
        try:
            with open(os.path.join(self.task.folder, 'log'), encoding='utf-8') as stream:
                return stream.read()[-500:].strip()
        except OSError:
            return ''

    def tell(self, program, *options, env=None):
        command = [os.path.join(self.place.programs, program), *options]
        self.tellers.append(Teller(command, env))
        return self.tellers[-1]

    def load_options(self):
        scenario, task = self.scenario, self.task
        options = ['--corpus', os.path.join(self.place.scratch, 'corpus'), '--topic', task.topic,
                   '--count', str(task.count), '--warm-up', str(task.warm_up),
                   '--qos', str(scenario.qos), '--batch', str(scenario.batch),
                   '--rate', str(scenario.rate), '--window', str(WINDOW), '--stamp', STAMP_FIELD]
        return options + (['--stamp-time'] if scenario.rate else [])

    def start_source(self, *options):
        scratch = self.place.scratch
        source = self.tell('bench-source', '--cert', os.path.join(scratch, 'server.crt'),
                           '--key', os.path.join(scratch, 'server.key'), *options,
                           *self.load_options())
        self.task.port = int(source.expect('listening')[1])
        return source

    def prepare_consumer(self):
        self.prepared = self.consumer.prepare(self.place, self.task)

    def start_consumer(self):
        if self.prepared is None:
            self.prepare_consumer()
        self.processes = self.consumer.start(self.task, *self.prepared)

    def start_all(self):
        """Returns who sends, with its subscriber ready."""
        if self.scenario.source == 'source':
            sender = self.start_source('--wait')
            self.start_consumer()
            sender.expect('subscribed')
            return sender
        self.start_consumer()
        self.await_subscription()
        sender = self.start_load('--wait')
        sender.expect('connected')
        return sender

    def start_load(self, *options):
        batch = [] if self.scenario.rate else ['--batch', str(MANY)]
        return self.tell('bench-load', '--address', self.place.broker_socket, '--username',
                         self.place.user, *options, *self.load_options(), *batch,
                         env={**os.environ, 'BENCH_PASSWORD': self.place.password})

    def await_subscription(self, seconds=20):
        deadline = time.monotonic() + seconds
        wanted = f' {self.task.topic}\n'
        with open(self.place.broker_log, encoding='utf-8', errors='replace') as stream:
            text = ''
            while wanted not in text:
                if time.monotonic() > deadline:
                    raise Failure(f'it has not subscribed within {seconds} s')
                time.sleep(0.005)
                text = text[-1000:] + stream.read()

    def expect_lines(self, messages):
        if self.consumer.counts_only:
            messages = 1 if messages == self.task.warm_up else 2
        self.lines.expect(messages, self.processes)

    def usage(self):
        try:
            return usage_of([process.pid for process in self.processes])
        except OSError as error:
            raise Failure('it has ended') from error


def measure(place, scenario, consumer, count, warm_up):
    """Figures of a message, as a dictionary; raises Failure."""
    with Run(place, scenario, consumer, count, warm_up) as run:
        try:
            return measure_run(run, scenario, count, warm_up)
        except Failure as failure:
            raise Failure(f'{failure}. {run.log()}'.rstrip('. ')) from failure


def measure_run(run, scenario, count, warm_up):
    sender = run.start_all()
    sender.go()
    sender.expect('warm')
    run.expect_lines(warm_up)
    watch = None
    if scenario.rate and not run.consumer.counts_only:
        watch = run.tell('bench-watch', '--file', run.task.output, '--stamp', STAMP_FIELD,
                         '--skip', '--count', str(count))
        watch.expect('watching')
    time.sleep(GRACE_SECONDS)
    before, began = run.usage(), time.time()
    sender.go()
    sender.expect('sent', 120)
    run.expect_lines(warm_up + count)
    ended = os.stat(run.task.output).st_mtime
    time.sleep(GRACE_SECONDS)
    after = run.usage()
    figures = figures_of(before, after, count, ended - began)
    if watch:
        figures.update({name: int(watch.expect(said)[1]) for name, said in
                        (('p50_us', 'p50'), ('p99_us', 'p99'), ('p999_us', 'p99.9'))})
    return figures


def figures_of(before, after, count, seconds):
    ticks = max(after.user_ticks + after.system_ticks - before.user_ticks - before.system_ticks, 1)
    processor_us = (after.processor_ns - before.processor_ns) / 1e3 / count
    return {
        'count': count,
        'cpu_us': processor_us,
        'user_share': (after.user_ticks - before.user_ticks) / ticks,
        'rate': count / max(seconds, 1e-3),
        'reads': (after.reads - before.reads) / count,
        'writes': (after.writes - before.writes) / count,
        'rss_mib': after.resident_kib / 1024,
        'anonymous_mib': after.anonymous_kib / 1024,
    }


def measure_backlog(place, scenario, consumer, count):
    """Figures of a message when all of them wait at the broker: from exec to the last one."""
    with Run(place, scenario, consumer, count, 0) as run:
        run.start_consumer()
        run.await_subscription()
        stop(run.processes)
        run.start_load().expect('sent', 120)
        began = time.time()
        run.start_consumer()
        run.expect_lines(count)
        ended = os.stat(run.task.output).st_mtime
        time.sleep(GRACE_SECONDS)
        return figures_of(Usage(), run.usage(), count, ended - began)


def measure_start(place, scenario, consumer):
    """Milliseconds from exec to CONNECT, and to the first line in the file."""
    with Run(place, scenario, consumer, 1, 0) as run:
        source = run.start_source()
        watch = run.tell('bench-watch', '--file', run.task.output, '--count', '1')
        watch.expect('watching')
        run.prepare_consumer()
        began_us = time.monotonic_ns() / 1000
        run.start_consumer()
        connected_us, _ = source.expect('connected')
        first_us, _ = watch.expect('first')
        return {'connect_ms': (connected_us - began_us) / 1000,
                'first_ms': (first_us - began_us) / 1000}


def verify(place, scenario, consumer, payloads, expected):
    """The lines of @consumer, parsed; fails if they are not those @expected (None: anything)."""
    with Run(place, scenario, consumer, len(payloads), 0) as run:
        run.start_source()
        run.start_consumer()
        run.lines.expect(len(payloads), run.processes)
        with open(run.task.output, encoding='utf-8') as stream:
            lines = [json.loads(line) for line in stream]
    for number, line in enumerate(lines):
        if expected is not None and line != expected[number]:
            raise Failure(f'line {number + 1} of its output is not what penstock made of it')
    return lines
