# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures for bench/shared, with the broker that it has started.

Every payload has a number of its own, in place of its 't', which comes out as its time. All
instances append to one file, as they would to one database: where a number stands below a larger
one of its topic, order was lost.
"""

import argparse
import calendar
import collections
import os
import re
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'end-to-end'))
from processes import processor_ns

TOPICS = 97  # no multiple of a number of instances: the broker deals message by message
FIRST = 1000000000  # what the load adds to a message's number
DEADLINE = 120
SESSIONS = ('clean-session=false', 'session-expiry=1s', 'clean-session=true')
LINE = re.compile(rb'"time":"(\d\d\d\d)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)')
KEYFILE = '''[source mqtt]
host=127.0.0.1
port={port}
cafile={scratch}/ca.crt
username=bench
password=${{env:BENCH_PASSWORD}}
client-id={id}
{session}
topics=$share/bench/b/#
qos=1
[transform ammp]
[sink stdout]
'''


def read_cpu(pid):
    """User and system seconds that a process has used."""
    return processor_ns(pid) / 1e9


def await_that(condition, what):
    deadline = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f'bench/shared: error: {what} did not happen within {DEADLINE} s')
        time.sleep(0.01)


class Instance:
    """A process of penstock."""

    def __init__(self, bench, name, session):
        self.bench, self.name = bench, name
        self.keyfile = f'{bench.scratch}/{name}.pipeline'
        self.log_path = f'{bench.scratch}/{name}.log'
        with open(self.keyfile, 'w', encoding='utf-8') as file:
            file.write(KEYFILE.format(port=bench.port, scratch=bench.scratch, id=name,
                                      session=session))
        self.received = 0

    def start(self):
        known = self.bench.read_broker_log().count(f' {self.name} 1 $share/')
        with open(self.log_path, 'w', encoding='utf-8') as log:
            self.process = subprocess.Popen(
                [f'{self.bench.build}/cli/penstock', 'run', '--state-dir',
                 f'{self.bench.scratch}/state-{self.name}', self.keyfile],
                stdin=subprocess.DEVNULL, stdout=self.bench.output, stderr=log)
        await_that(lambda: self.bench.read_broker_log().count(f' {self.name} 1 $share/') > known,
                   f'a subscription of {self.name}')

    def read_cpu(self):
        return read_cpu(self.process.pid)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        with open(self.log_path, encoding='utf-8') as log:
            found = re.search(r'done: received (\d+)', log.read())
        self.received += int(found.group(1)) if found else 0

    def kill(self):
        self.process.kill()
        self.process.wait()


class Bench:
    """What all measurements need."""

    def __init__(self, options):
        self.scratch, self.port, self.build = options.scratch, options.port, options.build
        self.broker = options.broker
        self.path = f'{self.scratch}/merged.jsonl'
        self.output = None

    def read_broker_log(self):
        with open(f'{self.scratch}/broker.log', encoding='utf-8', errors='replace') as file:
            return file.read()

    def begin(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.output = open(self.path, 'ab')

    def forget(self, instances):
        """Sessions that are not taken up again are ended."""
        for instance in instances:
            subprocess.run(['mosquitto_sub', '-h', '127.0.0.1', '-p', str(self.port), '--cafile',
                            f'{self.scratch}/ca.crt', '-u', 'bench', '-P',
                            os.environ['BENCH_PASSWORD'], '-V', 'mqttv5', '-i', instance.name,
                            '-t', 'none', '-E'], check=True, stdout=subprocess.DEVNULL)
        self.output.close()

    def load(self, count, rate):
        return subprocess.Popen(
            [f'{self.build}/bench/end-to-end/bench-load', '-a', f'{self.scratch}/load.socket',
             '-u', 'bench', '-n', str(count), '-r', str(rate), '-q', '1',
             '-b', '1' if rate else '20', '-t', 'b/%', '--topics', str(TOPICS), '-s', 't', '-c',
             f'{os.path.dirname(__file__)}/../pipelines/ammp/demo/payloads.jsonl'],
            stdout=subprocess.DEVNULL)

    def count_lines(self):
        lines = 0
        with open(self.path, 'rb') as file:
            while block := file.read(1 << 20):
                lines += block.count(b'\n')
        return lines

    def read_numbers(self):
        """The messages' numbers in the order in which they came."""
        numbers = []
        with open(self.path, 'rb') as file:
            for line in file:
                fields = [int(field) for field in LINE.search(line).groups()]
                numbers.append(calendar.timegm((*fields, 0, 0, 0)) - FIRST)
        return numbers


def look_at_order(numbers):
    """Inversions within topics, and how far behind the latest of its topic a message came."""
    latest, late, farthest, seen = {}, 0, 0, set()
    for number in numbers:
        if number in seen:
            continue
        seen.add(number)
        topic = number % TOPICS
        before = latest.get(topic, -1)
        if number < before:
            late += 1
            farthest = max(farthest, (before - number) // TOPICS)
        latest[topic] = max(before, number)
    return late, farthest


def measure_share(bench, n_instances, count, rate):
    instances = [Instance(bench, f'bench-{index}', SESSIONS[0]) for index in range(n_instances)]
    bench.begin()
    for instance in instances:
        instance.start()
    before = [instance.read_cpu() for instance in instances]
    broker_before, begun = read_cpu(bench.broker), time.monotonic()
    load = bench.load(count, rate)
    await_that(lambda: bench.count_lines() >= count, f'the last of {count} messages')
    seconds = time.monotonic() - begun
    used = [instance.read_cpu() - then for instance, then in zip(instances, before)]
    broker = read_cpu(bench.broker) - broker_before
    load.wait()
    for instance in instances:
        instance.stop()
    bench.forget(instances)
    late, farthest = look_at_order(bench.read_numbers())
    return {'rate': count / seconds, 'cpu': sum(used) / count * 1e6, 'broker': broker / count * 1e6,
            'shares': [instance.received / count for instance in instances],
            'late': late / count, 'farthest': farthest}


def measure_kill(bench, session):
    """Two instances; one is killed for three seconds under 2,000 messages a second."""
    rate, count = 2000, 18000
    instances = [Instance(bench, f'bench-{index}', session) for index in range(2)]
    bench.begin()
    for instance in instances:
        instance.start()
    load, begun = bench.load(count, rate), time.monotonic()
    await_that(lambda: time.monotonic() - begun > 3, 'the time to kill')
    instances[0].kill()
    killed = bench.count_lines()
    await_that(lambda: time.monotonic() - begun > 6, 'the time to start')
    returned = bench.count_lines()
    instances[0].start()
    load.wait()
    last = -1
    while (now := bench.count_lines()) != last:
        last = now
        time.sleep(1)
    for instance in instances:
        instance.stop()
    bench.forget(instances)
    numbers = bench.read_numbers()
    late, farthest = look_at_order(numbers)
    distinct = collections.Counter(numbers)
    return {'session': session, 'during': (returned - killed) / (3 * rate), 'sent': count,
            'lost': count - len(distinct), 'twice': len(numbers) - len(distinct),
            'late': late, 'farthest': farthest}


def describe_machine(rounds, load):
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        model = re.search(r'model name\s*: (.*)', file.read())
    return (f'On {os.cpu_count()} × {model.group(1) if model else os.uname().machine}, Linux '
            f'{os.uname().release}, {time.strftime("%Y-%m-%d")}; medians of {rounds} '
            f'round{"" if rounds == 1 else "s"}; load of the machine before: {load:.1f}.')


def median(rows, key):
    return statistics.median(row[key] for row in rows)


def format_shares(shares):
    return ' / '.join(f'{share * 100:.0f}' for share in shares) + ' %'


def format_rows(figures, one):
    for (n_instances, pace), rows in figures.items():
        speed = f'{median(rows, "rate"):,.0f}' if pace == 0 else f'{pace:,} (paced)'
        ratio = f'{median(rows, "rate") / one:.2f}' if pace == 0 else ''
        yield (f'| {n_instances} | {speed} | {ratio} | {median(rows, "cpu"):.1f} µs '
               f'| {median(rows, "broker"):.1f} µs | {format_shares(rows[-1]["shares"])} '
               f'| {median(rows, "late") * 100:.2f} % | {max(row["farthest"] for row in rows)} |')


def format_tables(figures, kills):
    one = median(figures[1, 0], 'rate')
    yield '| processes | messages/s | to one | processor a message | the broker\'s | who got how ' \
          'many | behind a later one of the topic | by at most |'
    yield '|---|---|---|---|---|---|---|---|'
    yield from format_rows(figures, one)
    yield ''
    yield '| one of two killed for 3 s | arrived meanwhile | lost | twice | behind a later one | ' \
          'by at most |'
    yield '|---|---|---|---|---|---|'
    for row in kills:
        yield (f'| `{row["session"]}` | {row["during"] * 100:.0f} % '
               f'| {row["lost"]} of {row["sent"]} | {row["twice"]} | {row["late"]} '
               f'| {row["farthest"]} |')


def write_docs(path, text):
    begin, end = (f'<!-- bench/shared --write-docs: {where} -->'
                  for where in ('from here on', 'up to here'))
    with open(path, encoding='utf-8') as file:
        page = file.read()
    head, _, rest = page.partition(f'{begin}\n')
    _, found, tail = rest.partition(end)
    if not found:
        sys.exit(f'bench/shared: error: {path} has no lines "{begin}" and "{end}"')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'{head}{begin}\n\n{text}\n\n{end}{tail}')


def main():
    parser = argparse.ArgumentParser()
    for name in ('scratch', 'build', 'docs'):
        parser.add_argument(f'--{name}')
    for name in ('port', 'broker', 'count', 'rounds'):
        parser.add_argument(f'--{name}', type=int)
    options = parser.parse_args()
    bench = Bench(options)
    load = os.getloadavg()[0]
    figures = collections.defaultdict(list)
    for _ in range(options.rounds):
        for n_instances in (1, 2, 4):
            figures[n_instances, 0].append(measure_share(bench, n_instances, options.count, 0))
    for n_instances in (1, 2, 4):
        figures[n_instances, 1000].append(measure_share(bench, n_instances, 5000, 1000))
    kills = [measure_kill(bench, session) for session in SESSIONS]
    text = '\n'.join((describe_machine(options.rounds, load), '', *format_tables(figures, kills)))
    print(text)
    if options.docs:
        write_docs(options.docs, text)


main()
