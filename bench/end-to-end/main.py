# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures every consumer in turn, round by round. bench/run starts it with all that it needs."""

import argparse
import json
import os
import signal
import sys
import time

import corpus
import machine
import plot
import report
from consumers import CONSUMERS, LABELS, Place
from measure import MANY, Scenario, measure, measure_backlog, measure_start, verify
from processes import Failure, Teller

ALL = tuple(consumer.name for consumer in CONSUMERS)
NATIVE = ('mosquitto_sub', 'counter', 'penstock', 'penstock-never')
SPOOLED = ('mosquitto_sub', 'penstock', 'penstock-never', 'penstock-spool')
RATE = 1000
BUSY_LOAD = 0.5
STARTS = 3  # of each round
CHECKED = 256


def make_scenarios(count, seconds):
    return [
        Scenario('broker-qos0', 'QoS 0 behind a broker', 'broker', 0, count, ALL),
        Scenario('source-qos0', 'QoS 0 without a broker, one message in a TLS record', 'source', 0,
                 count, ALL),
        Scenario('source-qos0-many', f'QoS 0 without a broker, {MANY} messages in a TLS record',
                 'source', 0, count, NATIVE, batch=MANY),
        Scenario('broker-qos1', 'QoS 1 behind a broker', 'broker', 1, count // 2, ALL),
        Scenario('source-qos1', 'QoS 1 without a broker', 'source', 1, count // 2,
                 ('counter', *SPOOLED)),
        Scenario('paced', f'{RATE:,} messages a second, QoS 1 behind a broker', 'broker', 1,
                 RATE * seconds, ALL, rate=RATE, warm_up=RATE // 4),
        Scenario('backlog', 'A backlog that waits at the broker, QoS 1', 'broker', 1, count // 2,
                 SPOOLED),
        Scenario('start', 'From exec to CONNECT and to the first line', 'source', 1, 1,
                 tuple(name for name in ALL if name != 'penstock-never')),
    ]


def parse_arguments():
    parser = argparse.ArgumentParser()
    for name in ('scratch', 'build', 'npm', 'user', 'broker-socket', 'broker-log', 'json', 'svg',
                 'docs', 'only'):
        parser.add_argument('--' + name, default='')
    for name in ('broker-port', 'rounds', 'count', 'seconds'):
        parser.add_argument('--' + name, type=int)
    return parser.parse_args()


def say(text):
    print(f'run: {text}', flush=True)


def choose(only, scenarios):
    """Scenarios and consumers that are named; of either all if none is."""
    names = [name for name in only.split(',') if name]
    known = {scenario.name for scenario in scenarios} | set(ALL)
    for name in names:
        if name not in known:
            print(f"run: error: there is no '{name}'; there are: {', '.join(sorted(known))}",
                  file=sys.stderr)
            raise SystemExit(2)
    chosen = [scenario for scenario in scenarios if scenario.name in names]
    consumers = [name for name in ALL if name in names] or ALL
    taken = {name for scenario in chosen or scenarios for name in scenario.consumers}
    return chosen or scenarios, [name for name in consumers if name in taken]


class Bench:
    def __init__(self, place, scenarios, names):
        self.place = place
        self.scenarios = scenarios
        self.runs = []
        self.absent = {}
        self.consumers = []
        for consumer in CONSUMERS:
            why = consumer.missing(place) if consumer.name in names else None
            if why:
                self.absent[consumer.name] = why
                say(f'{LABELS[consumer.name]}: {why}')
            elif consumer.name in names:
                self.consumers.append(consumer)

    def verify_all(self):
        """Those whose output is not penstock's are not measured."""
        payloads = list(corpus.make_payloads(CHECKED))
        scenario = Scenario('check', '', 'source', 0, CHECKED, ALL)
        ours = next(consumer for consumer in CONSUMERS if consumer.name == 'penstock')
        expected = verify(self.place, scenario, ours, payloads, None)
        for consumer in list(self.consumers):
            if not consumer.restructures or consumer.name == 'penstock':
                continue
            try:
                checked = scenario if 0 in consumer.qos else Scenario('check', '', 'source', 1,
                                                                      CHECKED, ALL)
                verify(self.place, checked, consumer, payloads, expected)
                say(f'{consumer.name}: {CHECKED} lines are those of penstock')
            except Failure as failure:
                say(f'{consumer.name}: not measured: {failure}')
                self.absent[consumer.name] = str(failure)
                self.consumers.remove(consumer)

    def measure_round(self, number, rounds):
        for scenario in self.scenarios:
            them = [consumer for consumer in self.consumers
                    if consumer.name in scenario.consumers and scenario.qos in consumer.qos]
            # each round begins with another one
            for consumer in them[number % len(them):] + them[:number % len(them)] if them else []:
                self.measure_one(number, rounds, scenario, consumer)

    def measure_one(self, number, rounds, scenario, consumer):
        row = {'scenario': scenario.name, 'consumer': consumer.name, 'round': number}
        try:
            if scenario.name == 'start':
                for _ in range(STARTS):
                    self.runs.append({**row, **measure_start(self.place, scenario, consumer)})
                figures = self.runs[-1]
                told = f"CONNECT after {figures['connect_ms']:.1f} ms"
            else:
                count = scenario.count if scenario.rate else scenario.count // consumer.heavy
                if scenario.name == 'backlog':
                    figures = measure_backlog(self.place, scenario, consumer, count)
                else:
                    warm_up = min(scenario.warm_up, count)
                    figures = measure(self.place, scenario, consumer, count, warm_up)
                self.runs.append({**row, **figures})
                told = f"{figures['cpu_us']:.2f} µs a message, {figures['rate']:,.0f} msg/s"
                told += f", p99 {figures['p99_us']} µs" if 'p99_us' in figures else ''
        except Failure as failure:
            told = f'failed: {failure}'
            self.runs.append({**row, 'failure': str(failure)})
        say(f'round {number + 1} of {rounds}, {scenario.name}, {consumer.name}: {told}')


def ask_tls(place):
    """What Mosquitto and OpenSSL agree on here."""
    probe = Teller([os.path.join(place.programs, 'bench-load'), '--address', '127.0.0.1', '--port',
                    str(place.broker_port), '--cafile', place.cafile, '--username', place.user,
                    '--corpus', os.path.join(place.scratch, 'corpus'), '--count', '0'],
                   {**os.environ, 'BENCH_PASSWORD': place.password})
    try:
        return probe.expect('connected')[1]
    finally:
        probe.stop()


def main():
    arguments = parse_arguments()
    scenarios, names = choose(arguments.only, make_scenarios(arguments.count, arguments.seconds))
    place = Place(scratch=arguments.scratch, penstock=os.path.join(arguments.build, 'cli/penstock'),
                  plugins=arguments.build,
                  programs=os.path.join(arguments.build, 'bench/end-to-end'), npm=arguments.npm,
                  user=arguments.user, password=os.environ['BENCH_PASSWORD'],
                  broker_port=arguments.broker_port, broker_socket=arguments.broker_socket,
                  broker_log=arguments.broker_log)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with open(os.path.join(place.scratch, 'corpus'), 'w', encoding='utf-8') as stream:
        stream.writelines(payload + '\n' for payload in corpus.make_payloads())
    facts = machine.describe(place.penstock, place.npm)
    is_busy = facts['load_before'] > BUSY_LOAD
    if is_busy:
        say(f"something else runs on this machine (load {facts['load_before']}): trust ratios only")
    began = time.monotonic()
    bench = Bench(place, scenarios, names)
    bench.verify_all()
    for number in range(arguments.rounds):
        bench.measure_round(number, arguments.rounds)
    say(f'{len(bench.runs)} runs in {time.monotonic() - began:.0f} s')
    print()
    finish(arguments, bench, facts, is_busy)


def finish(arguments, bench, facts, is_busy):
    results = report.Results(bench.runs)
    judged = results.judge()
    options = {'rounds': arguments.rounds, 'count': arguments.count, 'tls': ask_tls(bench.place)}
    report.print_all(results, bench.scenarios, judged)
    if arguments.json:
        with open(arguments.json, 'w', encoding='utf-8') as stream:
            json.dump({'machine': facts, 'options': options, 'absent': bench.absent,
                       'goals': judged, 'runs': bench.runs}, stream, indent=1, ensure_ascii=False)
            stream.write('\n')
    if arguments.svg:
        plot.write(arguments.svg, results, facts)
    if arguments.docs:
        plot.write(os.path.join(arguments.docs, 'performance.svg'), results, facts)
        report.write_docs(os.path.join(arguments.docs, 'performance.md'), results,
                          bench.scenarios, judged, machine.to_sentence(facts, options, is_busy),
                          bench.absent)


if __name__ == '__main__':
    main()
