#!/usr/bin/python3
# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random numbers with gaps, repetitions and disorder in time, and their averages by plain SQL."""

import json
import random
import sqlite3
import time

MINUTES = (1, 5, 30)
# as the old subscriber asks, with the greatest time found once
AVERAGE = 'SELECT AVG(number) FROM messages WHERE epochtime >= ?'


def make_payloads(n_messages, seed):
    """Mostly 1 to 29 s apart; gaps up to two hours, repeated times, and up to 40 minutes back."""
    rng = random.Random(seed)
    now = int(time.time())
    payloads = []
    for _ in range(n_messages):
        kind = rng.random()
        if kind < 0.80:
            now += rng.randint(1, 29)
        elif kind < 0.82:
            now += rng.randint(60, 7200)
        at = now - rng.randint(1, 2400) if kind > 0.92 else now
        payloads.append(json.dumps({'number': rng.randint(1, 99), 'epochtime': str(at)}))
    return payloads


def compute_averages(payloads):
    """What the old subscriber publishes for each of them."""
    database = sqlite3.connect(':memory:')
    database.execute('CREATE TABLE messages (number INTEGER, epochtime INTEGER)')
    database.execute('CREATE INDEX by_time ON messages (epochtime)')
    results = []
    greatest = None
    for payload in payloads:
        data = json.loads(payload)
        database.execute('INSERT INTO messages VALUES (?, ?)', (data['number'], data['epochtime']))
        at = int(data['epochtime'])
        greatest = at if greatest is None else max(greatest, at)
        results.append(json.dumps({
            f'avg_{minutes}min': database.execute(AVERAGE, (greatest - minutes * 60,)).fetchone()[0]
            for minutes in MINUTES}))
    return results
