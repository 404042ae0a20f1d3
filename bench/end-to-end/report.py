# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What came of the runs: medians, the goals, and the tables on the terminal and in the document."""

import statistics
from dataclasses import dataclass

from consumers import CONSUMERS, LABELS

BEGIN = '<!-- bench/run --write-docs: from here on -->'
END = '<!-- bench/run --write-docs: up to here -->'
FSYNC = {consumer.name: consumer.fsync for consumer in CONSUMERS}


@dataclass(frozen=True)
class Goal:
    what: str
    scenario: str
    figure: str
    ours: str
    peer: str
    bound: float
    is_least: bool = False  # times less than the peer, or at least as much; else at most

    def ratio(self, results):
        ours = results.median(self.scenario, self.ours, self.figure)
        peer = results.median(self.scenario, self.peer, self.figure)
        if not ours or not peer:
            return None
        return peer / ours if self.is_least and self.figure == 'cpu_us' else ours / peer

    def is_met(self, ratio):
        return ratio >= self.bound if self.is_least else ratio <= self.bound


def make_goals():
    goals = []
    for what, scenario, figure, bound in (
            ('CPU per message, QoS 0 behind a broker', 'broker-qos0', 'cpu_us', 1.0),
            ('CPU per message, QoS 0 without a broker, one in a TLS record', 'source-qos0',
             'cpu_us', 0.9),
            ('CPU per message, QoS 0 without a broker, 16 in a TLS record', 'source-qos0-many',
             'cpu_us', 0.9),
            ('CPU per message, QoS 1 behind a broker', 'broker-qos1', 'cpu_us', 0.9),
            ('CPU per message, QoS 1 without a broker', 'source-qos1', 'cpu_us', 0.9),
            ('CPU per message at 1,000 msg/s, QoS 1 behind a broker', 'paced', 'cpu_us', 1.0),
            ('p99 latency at 1,000 msg/s', 'paced', 'p99_us', 1.5)):
        goals += [Goal(what, scenario, figure, ours, 'mosquitto_sub', bound)
                  for ours in ('penstock', 'penstock-never')]
    goals.append(Goal('start to CONNECT', 'start', 'connect_ms', 'penstock', 'mosquitto_sub', 2.0))
    for what, scenario in (('messages per second, QoS 1 behind a broker', 'broker-qos1'),
                           ('messages per second, QoS 1 without a broker', 'source-qos1'),
                           ('messages per second, a backlog', 'backlog')):
        goals.append(Goal(what, scenario, 'rate', 'penstock-spool', 'mosquitto_sub', 0.7, True))
    goals += [Goal('CPU per message, QoS 0 behind a broker', 'broker-qos0', 'cpu_us', ours, peer,
                   bound, True)
              for peer, bound in (('node-js', 4), ('python', 10), ('node-red', 20), ('jq', 40))
              for ours in ('penstock', 'penstock-never')]
    return goals


class Results:
    def __init__(self, runs):
        self.runs = runs

    def values(self, scenario, consumer, figure):
        return [run[figure] for run in self.runs
                if run['scenario'] == scenario and run['consumer'] == consumer and figure in run]

    def median(self, scenario, consumer, figure):
        values = self.values(scenario, consumer, figure)
        return statistics.median(values) if values else None

    def consumers(self, scenario):
        there = {run['consumer'] for run in self.runs if run['scenario'] == scenario}
        return [consumer.name for consumer in CONSUMERS if consumer.name in there]

    def judge(self):
        """A dictionary for each goal that this run was about."""
        judged = []
        tried = {(run['scenario'], run['consumer']) for run in self.runs}
        for goal in make_goals():
            if not {(goal.scenario, goal.ours), (goal.scenario, goal.peer)} <= tried:
                continue
            ratio = goal.ratio(self)
            sign = '≥' if goal.is_least else '≤'
            judged.append({
                'what': goal.what, 'ours': goal.ours, 'peer': goal.peer,
                'fsync': FSYNC[goal.ours], 'scenario': goal.scenario, 'figure': goal.figure,
                'goal': f'{sign} {goal.bound:g} ×', 'ratio': ratio,
                'met': None if ratio is None else goal.is_met(ratio)})
        return judged


# --- Tables: lists of rows, the first one has the headings ---

def format_number(value, digits=2):
    if value is None:
        return '–'
    if value >= 1000:
        return f'{value:,.0f}'
    return f'{value:.0f}' if value >= 100 else f'{value:.{1 if value >= 10 else digits}f}'


def goal_table(judged):
    rows = [('what', 'who', 'against', 'goal', 'measured', 'verdict')]
    for goal in judged:
        if goal['ratio'] is None:
            verdict = 'not measured'
        else:
            verdict = 'met' if goal['met'] else 'missed'
        ratio = '–' if goal['ratio'] is None else f"{format_number(goal['ratio'])} ×"
        rows.append((goal['what'], LABELS[goal['ours']], LABELS[goal['peer']].split(' (')[0],
                     goal['goal'], ratio, verdict))
    return rows


def scenario_table(results, scenario):
    is_paced = bool(scenario.rate)
    rows = [('consumer', 'CPU µs/msg', 'least … most', 'user', 'msg/s', 'reads', 'writes',
             'RSS MiB', *(('p50 µs', 'p99 µs', 'p99.9 µs') if is_paced else ()))]
    for name in results.consumers(scenario.name):
        processor = results.values(scenario.name, name, 'cpu_us')
        if not processor:
            rows.append((LABELS[name], *['–'] * (len(rows[0]) - 1)))
            continue

        def median(figure, digits=2, name=name):
            return format_number(results.median(scenario.name, name, figure), digits)
        share = results.median(scenario.name, name, 'user_share')
        rows.append((LABELS[name], format_number(statistics.median(processor)),
                     f'{format_number(min(processor))} … {format_number(max(processor))}',
                     f'{share:.0%}', median('rate'), median('reads'), median('writes'),
                     median('rss_mib', 1),
                     *((median('p50_us'), median('p99_us'), median('p999_us'))
                       if is_paced else ())))
    return rows


def start_table(results):
    rows = [('consumer', 'to CONNECT, ms', 'to the first line, ms')]
    for name in results.consumers('start'):
        rows.append((LABELS[name], *(format_number(results.median('start', name, figure))
                                     for figure in ('connect_ms', 'first_ms'))))
    return rows


def print_table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    is_text = [i == 0 or any(row[i][:1].isalpha() for row in rows[1:])
               for i in range(len(rows[0]))]
    for row in rows:
        print('  '.join(cell.ljust(width) if left else cell.rjust(width)
                        for cell, width, left in zip(row, widths, is_text)).rstrip())
    print()


def to_markdown(rows):
    lines = ['| ' + ' | '.join(cell or '–' for cell in row) + ' |' for row in
             [[cell.replace('|', '\\|') for cell in row] for row in rows]]
    lines.insert(1, '|' + '---|' * len(rows[0]))
    return '\n'.join(lines)


def failures_of(results):
    """A line for each run that could not be counted."""
    return [f"{LABELS[run['consumer']]}, {run['scenario']}, round {run['round'] + 1}: "
            f"{run['failure']}" for run in results.runs if 'failure' in run]


def print_all(results, scenarios, judged):
    for scenario in scenarios:
        print(f'{scenario.label}')
        print_table(start_table(results) if scenario.name == 'start'
                    else scenario_table(results, scenario))
    for failure in failures_of(results):
        print(f'not counted: {failure}')
    print('Goals: ratios of medians of this run')
    print_table(goal_table(judged))


# --- The document ---

def write_docs(path, results, scenarios, judged, facts, absent):
    parts = [facts, 'Ratios of medians of one run:', to_markdown(goal_table(judged)),
             '![Processor time and latency of each consumer](performance.svg)']
    for scenario in scenarios:
        rows = (start_table(results) if scenario.name == 'start'
                else scenario_table(results, scenario))
        parts += [f'**{scenario.label}**', to_markdown(rows)]
    if failures := failures_of(results):
        parts.append('Not counted: ' + '; '.join(failures) + '.')
    if absent:
        parts.append('Not measured: ' + '; '.join(f'{LABELS[name]} ({why})'
                                                  for name, why in absent.items()) + '.')
    with open(path, encoding='utf-8') as stream:
        text = stream.read()
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"bench/run: error: '{path}' has no place for the tables ('{BEGIN}')")
    with open(path, 'w', encoding='utf-8') as stream:
        stream.write(head + BEGIN + '\n\n' + '\n\n'.join(parts) + '\n\n' + END + tail)
