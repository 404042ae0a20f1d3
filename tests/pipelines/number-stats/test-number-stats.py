#!/usr/bin/python3
# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The three keyfiles of the number statistics beside the three programs that they replace.

Every mix of old and new must talk; averages must be those of plain SQL to the last digit, also
when the subscriber is killed in the middle of a window; rows older than 35 minutes must go.
--messages N compares that many random messages (bench/number-stats: 100,000).
"""

import argparse
import concurrent.futures
import itertools
import json
import os
import re
import signal
import sqlite3
import sys
import time

try:
    import paho.mqtt.client  # pylint: disable=unused-import
except ImportError:
    print('1..0 # SKIP python3-paho-mqtt is not installed')
    sys.exit(0)

import old_display
import reference
import stage as stages

N_TALK = 12
N_COMPARED = 10000
N_KILLED = 2000
DATA_FORM = re.compile(r'\{"number": [1-9][0-9]?, "epochtime": "[0-9]{10}"\}')
AT_A_TIME = 4


def fetch(path, query):
    database = sqlite3.connect(f'file:{path}?mode=ro', uri=True)
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


def expect(found, wanted, what):
    if found == wanted:
        return
    if isinstance(found, list) and isinstance(wanted, list):
        at = next((i for i, pair in enumerate(zip(found, wanted)) if pair[0] != pair[1]),
                  min(len(found), len(wanted)))
        raise AssertionError(f'{what}: {len(found)} and {len(wanted)}, from {at} on: '
                             f'{found[at:at + 2]} instead of {wanted[at:at + 2]}')
    raise AssertionError(f'{what}: {found!r} instead of {wanted!r}')


# --- Every mix ---

def talk(are_new):
    """The three programs together, at speed, with what each of them must say."""
    mix = dict(zip(stages.PROGRAMS, are_new))
    # numbers are made up from now on into the future: some seconds of the clock are hours
    with stages.Stage(speed=500) as stage:
        listener = stages.Listener(stage)
        for name in ('display', 'subscriber', 'publisher'):
            stage.start(name, mix[name])
        listener.wait('STATS', N_TALK)
        stage.kill('publisher')
        stages.wait_for(lambda: len(listener.payloads['STATS']) == len(listener.payloads['DATA']),
                        'an answer to each number')
        data, stats = listener.payloads['DATA'], listener.payloads['STATS']
        expect([text for text in data if not DATA_FORM.fullmatch(text)], [], 'form of the data')
        expect(stats, reference.compute_averages(data), 'averages')
        tables = ''.join(old_display.format_table(json.loads(text)) + '\n' for text in stats)
        stages.wait_for(lambda: len(stage.read('display.out')) >= len(tables), 'the last table')
        expect(stage.read('display.out').splitlines(), tables.splitlines(), 'tables')
        rows = [(text['number'], int(text['epochtime'])) for text in map(json.loads, data)]
        query = 'SELECT number, epochtime FROM messages ORDER BY rowid'
        stages.wait_for(lambda: len(fetch(stage.database, query)) >= len(rows), 'the last row')
        expect(fetch(stage.database, query), rows, 'rows')
        listener.close()


def test_mixes():
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        futures = {are_new: pool.submit(talk, are_new)
                   for are_new in itertools.product((False, True), repeat=3)}
    for are_new, future in futures.items():
        error = future.exception()
        if error is not None:
            names = ', '.join(f'{"new" if is_new else "old"} {name}'
                              for name, is_new in zip(stages.PROGRAMS, are_new))
            raise AssertionError(f'{names}: {error}') from error


# --- The same averages ---

def compare(n_messages):
    payloads = reference.make_payloads(n_messages, seed=n_messages)
    with stages.Stage() as stage:
        listener = stages.Listener(stage, topics=('STATS',))
        sender = stages.Sender(stage)
        stage.start('subscriber', is_new=True)
        sender.send(payloads)
        listener.wait('STATS', n_messages, patience_s=60 + n_messages / 200)
        expect(listener.payloads['STATS'], reference.compute_averages(payloads), 'averages')
        stage.kill('subscriber', signal.SIGTERM)
        n_rows = fetch(stage.database, 'SELECT COUNT(*) FROM messages')[0][0]
        types = fetch(stage.database,
                      'SELECT DISTINCT typeof(number), typeof(epochtime) FROM messages')
        expect(types, [('integer', 'integer')], 'types of the rows')
        # what is older than 35 minutes has gone: those that came with the times of long ago
        now = int(time.time())
        n_kept = sum(int(json.loads(text)['epochtime']) >= now - 34 * 60 for text in payloads)
        if not n_kept <= n_rows <= n_messages:
            raise AssertionError(f'{n_rows} rows, of {n_messages}, of which {n_kept} are not old')
        sender.close()
        listener.close()


def test_killed():
    """Killed with nothing on its way: all goes on as in an undisturbed run."""
    payloads = reference.make_payloads(N_KILLED, seed=7)
    wanted = reference.compute_averages(payloads)
    half = N_KILLED // 2
    with stages.Stage() as stage:
        listener = stages.Listener(stage, topics=('STATS',))
        sender = stages.Sender(stage)
        stage.start('subscriber', is_new=True)
        sender.send(payloads[:half])
        listener.wait('STATS', half)
        acknowledged = 'Received PUBACK from penstock-subscriber '
        stages.wait_for(lambda: stage.read('broker.log').count(acknowledged) == half,
                        'all to be acknowledged')
        stage.kill('subscriber')
        sender.send(payloads[half:])
        stage.start('subscriber', is_new=True)
        stages.wait_for(lambda: listener.payloads['STATS'][-1:] == wanted[-1:], 'the last average')
        found = listener.payloads['STATS']
        expect(found[:half], wanted[:half], 'averages before the kill')
        # at least once: the last ones before the kill may come again
        n_again = len(found) - N_KILLED
        expect(found[half:], wanted[half - n_again:], 'averages after the kill')
        sender.close()
        listener.close()


def test_killed_at_full_speed():
    """Killed with hundreds on their way: all are there, and averages are right again when the
    window has passed by those that the broker sent twice."""
    payloads = reference.make_payloads(N_KILLED, seed=8)
    wanted = reference.compute_averages(payloads)
    half = N_KILLED // 2
    with stages.Stage() as stage:
        listener = stages.Listener(stage, topics=('STATS',))
        sender = stages.Sender(stage)
        stage.start('subscriber', is_new=True)
        sender.send(payloads[:half])
        listener.wait('STATS', half // 4)
        stage.kill('subscriber')
        stage.start('subscriber', is_new=True)
        listener.wait('STATS', half)
        sender.send(payloads[half:])
        stages.wait_for(lambda: listener.payloads['STATS'][-1:] == wanted[-1:], 'the last average')
        stage.kill('subscriber', signal.SIGTERM)
        expect(listener.payloads['STATS'][-half // 2:], wanted[-half // 2:], 'later averages')
        now = int(time.time())
        lost = {(text['number'], int(text['epochtime'])) for text in map(json.loads, payloads)}
        lost -= set(fetch(stage.database, 'SELECT number, epochtime FROM messages'))
        expect([row for row in lost if row[1] > now - 34 * 60], [], 'rows that are missing')
        sender.close()
        listener.close()


def test_retention():
    """Of rows that are there, those older than 35 minutes go, and the rest stays."""
    now = int(time.time())
    with stages.Stage() as stage:
        os.makedirs(os.path.dirname(stage.database))
        database = sqlite3.connect(stage.database)
        database.execute('CREATE TABLE messages (number INTEGER, epochtime INTEGER)')
        database.executemany('INSERT INTO messages VALUES (?, ?)',
                             [(1, now - 36 * 60), (2, now - 35 * 60 - 1), (3, now - 30 * 60)])
        database.commit()
        database.close()
        stage.start('subscriber', is_new=True)
        sender = stages.Sender(stage)
        sender.send([json.dumps({'number': 4, 'epochtime': str(now)})])
        query = 'SELECT number FROM messages ORDER BY rowid'
        stages.wait_for(lambda: fetch(stage.database, query) == [(3,), (4,)], 'old rows to go')
        sender.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--only', help='only the test with this in its name')
    parser.add_argument('--messages', type=int, help='only compare so many messages with SQL')
    arguments = parser.parse_args()
    if stages.find_broker() is None:
        print('1..0 # SKIP Mosquitto is not installed')
        return 0
    if arguments.messages:
        return stages.run_tests([(f'{arguments.messages} messages as plain SQL',
                                  lambda: compare(arguments.messages))])
    tests = [('every mix of old and new', test_mixes),
             ('averages as plain SQL', lambda: compare(N_COMPARED)),
             ('killed in the middle of a window', test_killed),
             ('killed at full speed', test_killed_at_full_speed),
             ('rows older than 35 minutes go', test_retention)]
    return stages.run_tests([test for test in tests if (arguments.only or '') in test[0]])


if __name__ == '__main__':
    sys.exit(main())
