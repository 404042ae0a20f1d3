#!/usr/bin/env python3
# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures rows a second: [sink sqlite] beside .import of the sqlite3 shell, by turns.

Both read their rows from a file, and write into a new database in WAL mode with synchronous=FULL.
The shell has one transaction for all, and so one commit; the sink has one for each batch, since an
event is delivered only when it is committed. After each round the tables must hold the same.
"""

import argparse
import os
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import time

GOAL = 0.7
TABLE = 'CREATE TABLE messages (number INTEGER, epochtime INTEGER)'
KEYFILE = '''[source file]
path=rows.jsonl

[sink sqlite]
database=penstock.db
table=messages
columns=number INTEGER;epochtime INTEGER
{more}
'''
VARIANTS = {
    'penstock run': '',
    'penstock run, batch-events=20000': 'batch-events=20000\nqueue-events=100000',
    'penstock run, batch-events=500': 'batch-events=500',
}


def make_rows(folder, count):
    generator = random.Random(1)
    with open(os.path.join(folder, 'rows.jsonl'), 'w') as lines, \
            open(os.path.join(folder, 'rows.csv'), 'w') as table:
        for i in range(count):
            number, epochtime = generator.randint(1, 99), 1718000000 + 3 * i
            lines.write(f'{{"number": {number}, "epochtime": "{epochtime}"}}\n')
            table.write(f'{number},{epochtime}\n')


def remove(folder, name):
    for suffix in ('', '-wal', '-shm'):
        try:
            os.remove(os.path.join(folder, name + suffix))
        except FileNotFoundError:
            pass


def run(folder, command):
    """Seconds by the clock, and seconds of processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def run_import(folder):
    remove(folder, 'import.db')
    return run(folder, ['sqlite3', 'import.db', 'PRAGMA journal_mode=WAL',
                        'PRAGMA synchronous=FULL', TABLE, '.mode csv',
                        '.import rows.csv messages'])


def run_penstock(folder, command, more):
    remove(folder, 'penstock.db')
    with open(os.path.join(folder, 'rows.pipeline'), 'w') as keyfile:
        keyfile.write(KEYFILE.format(more=more))
    return run(folder, [command, '--log-level', 'error', 'run', 'rows.pipeline'])


def summarise(folder, name):
    with sqlite3.connect(os.path.join(folder, name)) as database:
        return database.execute(
            'SELECT count(*), sum(number), sum(epochtime), sum(number * (epochtime % 9973)), '
            'min(typeof(number)), max(typeof(epochtime)) FROM messages').fetchone()


def measure(arguments):
    command = os.path.join(arguments.build, 'cli', 'penstock')
    results = {name: [] for name in ('.import', *VARIANTS)}
    for number in range(1, arguments.rounds + 1):
        print(f'round {number} of {arguments.rounds}', file=sys.stderr)
        results['.import'].append(run_import(arguments.scratch))
        expected = summarise(arguments.scratch, 'import.db')
        for name, more in VARIANTS.items():
            results[name].append(run_penstock(arguments.scratch, command, more))
            found = summarise(arguments.scratch, 'penstock.db')
            if found != expected:
                sys.exit(f'{name}: the table holds {found} and not {expected}')
    return results


def report(results, count):
    """Prints the table; returns the ratio that the goal is about."""
    imported = [wall for wall, _ in results['.import']]
    ratios = {}
    print(f'| {count} rows | rows a second | beside .import | processor time of a row |')
    print('|---|---:|---:|---:|')
    for name, rounds in results.items():
        walls = [wall for wall, _ in rounds]
        # by turns: each round beside the one of .import just before it
        ratios[name] = statistics.median(other / wall for other, wall in zip(imported, walls))
        processor = statistics.median(cpu for _, cpu in rounds)
        print(f'| {name} | {count / statistics.median(walls):,.0f} | {ratios[name]:.2f} | '
              f'{processor / count * 1e6:.2f} µs |')
    return ratios['penstock run']


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--scratch', required=True)
    parser.add_argument('--build', required=True)
    parser.add_argument('--count', type=int, default=1000000)
    parser.add_argument('--rounds', type=int, default=5)
    arguments = parser.parse_args()
    os.environ['PENSTOCK_PLUGIN_PATH'] = arguments.build
    make_rows(arguments.scratch, arguments.count)
    ratio = report(measure(arguments), arguments.count)
    verdict = 'kept' if ratio >= GOAL else 'missed'
    print(f'\nGoal: at least {GOAL} times the rows a second of .import: {ratio:.2f}, {verdict}.')
    return 0 if ratio >= GOAL else 1


if __name__ == '__main__':
    sys.exit(main())
