#!/usr/bin/env python3
# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where each microsecond of a message goes; bench/profile starts it.

The processor time of a message is taken in a run that nothing disturbs; a second one, under perf,
says how it divides among the layers, and a third, under strace, which system calls there are."""

import argparse
import os
import re
import signal
import subprocess
import sys
import time

import corpus
from consumers import CONSUMERS, Place
from measure import GRACE_SECONDS, MANY, Run, Scenario
from processes import Failure

WARM_UP = 2000
FREQUENCY = 4000
PACE = 1000
ATTEMPTS = 8
BEGIN = '<!-- bench/profile --write-docs: from here on -->'
END = '<!-- bench/profile --write-docs: up to here -->'
SCENARIOS = (
    (Scenario('qos0-many', f'QoS 0, {MANY} messages in a TLS record', 'source', 0, 200000, (),
              batch=MANY), ('mosquitto_sub', 'penstock-never')),
    (Scenario('qos0', 'QoS 0, one message in a TLS record', 'source', 0, 80000, ()),
     ('mosquitto_sub', 'penstock-never')),
    (Scenario('qos1', 'QoS 1', 'source', 1, 40000, ()),
     ('mosquitto_sub', 'penstock-never', 'penstock', 'penstock-spool')),
    (Scenario('paced', f'QoS 1 at {PACE:,} messages a second', 'source', 1, PACE, (), rate=PACE),
     ('mosquitto_sub', 'penstock-never', 'penstock')),
)
LABELS = {'mosquitto_sub': 'mosquitto_sub', 'penstock': 'Penstock, fsync=batch',
          'penstock-never': 'Penstock', 'penstock-spool': 'Penstock with the spool'}
LAYERS = ('kernel', 'OpenSSL', 'libmosquitto', 'C library: memory, copies', 'GLib', 'SQLite',
          'Penstock: JSON and the AMMP transform', 'Penstock: the rest', 'mosquitto_sub itself')
OBJECTS = (('[kernel', 0), ('[guest.kernel', 0), ('libssl', 1), ('libcrypto', 1),
           ('libmosquitto', 2), ('libc.so', 3), ('[vdso]', 3), ('ld-linux', 3), ('libm.so', 3),
           ('libglib', 4), ('libgobject', 4), ('libgio', 4), ('libgmodule', 4), ('libsqlite', 5),
           ('libz.', 5), ('transform-ammp', 6), ('mosquitto_sub', 8))


def layer_of(library, symbol):
    for name, layer in OBJECTS:
        if library.startswith(name):
            return layer
    return 6 if re.match(r'pen_(json|ammp)_', symbol) else 7


def parse_report(text):
    """Share of each layer in lines "12.34%;libc.so.6;[.] malloc"."""
    shares = [0.0] * len(LAYERS)
    for line in text.splitlines():
        parts = [part.strip() for part in line.split(';')]
        if len(parts) >= 3 and parts[0].endswith('%'):
            shares[layer_of(parts[1], parts[2].split('] ')[-1])] += float(parts[0][:-1]) / 100
    total = sum(shares)
    return [share / total for share in shares] if total else shares


def parse_calls(text):
    """Calls by name, of the table that strace -c writes."""
    calls = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) >= 5 and fields[3].isdigit() and fields[-1] != 'total':
            calls[fields[-1]] = int(fields[3])
    return calls


class Observer:
    """perf or strace, beside a process; `with` ends it."""

    def __init__(self, command, pid, ready):
        self.process = subprocess.Popen([*command, '-p', str(pid)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE)
        time.sleep(ready)
        if self.process.poll() is not None:
            raise Failure(f"{command[0]}: {self.process.stderr.read().decode().strip()[:300]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.communicate()


def pass_messages(run, sender, count):
    sender.go()
    sender.expect('sent', 120)
    run.expect_lines(WARM_UP + count)
    time.sleep(GRACE_SECONDS)


def observe(place, scenario, consumer, count, command=None, ready=0.5):
    """One run; returns nanoseconds of a message."""
    with Run(place, scenario, consumer, count, WARM_UP) as run:
        sender = run.start_all()
        sender.go()
        sender.expect('warm', 60)
        run.expect_lines(WARM_UP)
        time.sleep(GRACE_SECONDS)
        before = run.usage().processor_ns
        if command is None:
            pass_messages(run, sender, count)
        else:
            with Observer(command, run.processes[0].pid, ready):
                pass_messages(run, sender, count)
        return (run.usage().processor_ns - before) / count


def sample(place, scenario, consumer, count):
    """Shares of the layers. perf gives up if a thread ends while it attaches to the others."""
    data = os.path.join(place.scratch, 'perf.data')
    why = 'no samples'
    for _ in range(ATTEMPTS):
        try:
            observe(place, scenario, consumer, count,
                    ['perf', 'record', '-F', str(FREQUENCY), '-o', data])
        except Failure as failure:
            why = failure
            continue
        report = subprocess.run(['perf', 'report', '-i', data, '--stdio', '--no-children', '-t',
                                 ';', '-F', 'overhead,dso,sym'], capture_output=True, text=True,
                                check=False)
        shares = parse_report(report.stdout)
        if sum(shares) > 0:
            return shares
        why = report.stderr.strip()[-300:] or why
    raise Failure(f'perf: {why}')


def profile(place, scenario, consumer, seconds):
    count = scenario.count * seconds
    few = max(count // 10, 1000)
    table = os.path.join(place.scratch, 'strace.txt')
    cpu_us = observe(place, scenario, consumer, count) / 1000
    shares = sample(place, scenario, consumer, count)
    observe(place, scenario, consumer, few, ['strace', '-c', '-f', '-o', table])
    with open(table, encoding='utf-8') as stream:
        calls = {name: number / few for name, number in parse_calls(stream.read()).items()}
    return cpu_us, [cpu_us * share for share in shares], calls


def format_calls(calls):
    often = sorted(((number, name) for name, number in calls.items() if number >= 0.05),
                   reverse=True)
    few = sum(number for number in calls.values() if number < 0.05)
    words = [f'{name} {number:.2f}' for number, name in often]
    return ', '.join(words + ([f'others {few:.2f}'] if few >= 0.005 else [])) or 'none'


def format_tables(results):
    lines = []
    for scenario, rows in results:
        names = [LABELS[name] for name in rows]
        lines += [f'**{scenario.label}**, µs of processor time a message', '',
                  f"| layer | {' | '.join(names)} |", '|---|' + '---|' * len(names)]
        for number, layer in enumerate(LAYERS):
            figures = [row[1][number] for row in rows.values()]
            if max(figures) >= 0.005:
                lines.append(f"| {layer} | {' | '.join(f'{figure:.2f}' for figure in figures)} |")
        totals = ' | '.join(f'**{row[0]:.2f}**' for row in rows.values())
        lines += [f'| all | {totals} |', '', 'System calls a message:', '']
        lines += [f'- {LABELS[name]}: {sum(row[2].values()):.2f} ({format_calls(row[2])})'
                  for name, row in rows.items()]
        lines.append('')
    return '\n'.join(lines)


def write_docs(path, tables):
    with open(path, encoding='utf-8') as stream:
        text = stream.read()
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise Failure(f"'{path}' has no '{BEGIN}' or no '{END}'")
    with open(path, 'w', encoding='utf-8') as stream:
        stream.write(f'{before}{BEGIN}\n\n{tables}\n{END}{after}')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--scratch', required=True)
    parser.add_argument('--build', required=True)
    parser.add_argument('--seconds', type=int, default=5)
    parser.add_argument('--docs')
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    place = Place(scratch=arguments.scratch, penstock=os.path.join(arguments.build, 'cli/penstock'),
                  plugins=arguments.build, npm='', user='bench', broker_port=0, broker_socket='',
                  programs=os.path.join(arguments.build, 'bench/end-to-end'), broker_log='',
                  password=os.environ['BENCH_PASSWORD'])
    with open(os.path.join(place.scratch, 'corpus'), 'w', encoding='utf-8') as stream:
        stream.writelines(payload + '\n' for payload in corpus.make_payloads())
    consumers = {consumer.name: consumer for consumer in CONSUMERS}
    results = []
    for scenario, names in SCENARIOS:
        rows = {}
        for name in names:
            print(f'{scenario.label}: {LABELS[name]}', file=sys.stderr)
            rows[name] = profile(place, scenario, consumers[name], arguments.seconds)
        results.append((scenario, rows))
    tables = format_tables(results)
    print(tables)
    if arguments.docs:
        write_docs(arguments.docs, tables)


if __name__ == '__main__':
    try:
        main()
    except Failure as failure:
        sys.exit(f'bench/profile: error: {failure}')
