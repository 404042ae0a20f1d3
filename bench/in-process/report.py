#!/usr/bin/env python3
# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What bench/inproc prints: runs bench-inproc, by itself and under callgrind, and makes tables.

    report.py PROGRAM [--rounds N] [--corpus FILE] [--only NAME,…] [--no-count] [--profile NAME]
              [--json FILE] [--docs FILE]
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict

COUNTED = 'bench_count'
# libc's functions come in variants, of which the processor decides: as in test-instructions.c.
TUNABLES = ('glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-BMI2,-ERMS,-FSRM,-SSE4_2,'
            '-MOVBE,-LZCNT,-Prefer_No_VZEROUPPER,-AVX_Fast_Unaligned_Load')
BEGIN = '<!-- bench/inproc --write-docs: from here on -->'
END = '<!-- bench/inproc --write-docs: up to here -->'
PROFILED = 'ammp'
PROFILE_LINES = 12


def run(*arguments, **more):
    return subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True, **more).stdout


class Bench:
    def __init__(self, program, corpora):
        self.program = program
        self.corpora = corpora
        self.labels = {}
        self.kernel = ''
        self.sizes = {}  # corpus: payloads, bytes, payloads of a count, bytes of a count
        for corpus in corpora:
            for line in run(program, 'describe', corpus).splitlines():
                kind, rest = line.split(' ', 1)
                if kind == 'corpus':
                    self.sizes[corpus] = tuple(int(word) for word in rest.split())
                elif kind == 'contestant':
                    name, self.labels[name] = rest.split(' ', 1)
                else:
                    self.kernel = rest

    def measure(self, rounds, names):
        """(corpus, contestant): nanoseconds a payload, of each of its turns."""
        turns = defaultdict(list)
        output = run(self.program, 'measure', ','.join(self.corpora), str(rounds), *names)
        for line in output.splitlines():
            corpus, name, nanoseconds = line.rsplit(' ', 2)
            turns[corpus, name].append(float(nanoseconds))
        return turns

    def count(self, corpus, name, annotate=False):
        """Instructions a payload; with @annotate also by function, the largest first."""
        with tempfile.TemporaryDirectory(prefix='penstock-inproc-') as folder:
            out = os.path.join(folder, 'callgrind')
            subprocess.run(['valgrind', '--tool=callgrind', '--collect-atstart=no',
                            f'--toggle-collect={COUNTED}', f'--callgrind-out-file={out}',
                            self.program, 'count', corpus, name], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           env={**os.environ, 'GLIBC_TUNABLES': TUNABLES, 'LD_BIND_NOW': '1'})
            with open(out, encoding='utf-8') as file:
                total = int(re.search(r'^totals: (\d+)', file.read(), re.MULTILINE).group(1))
            functions = self.functions(out) if annotate else []
        payloads = self.sizes[corpus][2]
        return total / payloads, [(name, count / payloads) for name, count in functions]

    @staticmethod
    def functions(out):
        counts = defaultdict(int)
        text = run('callgrind_annotate', '--threshold=100', '--auto=no', out)
        for line in text.splitlines():
            match = re.match(r' *([\d,]+) \([^)]*\) +\S*?:([^:\s]\S*)(?: \[.*\])?$', line)
            if match and 'PROGRAM TOTALS' not in line:
                counts[match.group(2).split('@')[0]] += int(match.group(1).replace(',', ''))
        return sorted(counts.items(), key=lambda item: -item[1])


# --- Tables ---

def corpus_title(bench, corpus):
    payloads, size, _, _ = bench.sizes[corpus]
    if payloads == 1:
        return f'The sample: one payload of {size} bytes'
    kind = 'The fleet' if corpus == 'fleet' else corpus
    return f'{kind}: {payloads:,} payloads of {size / payloads:,.0f} bytes on average'


def table(rows):
    """Lines of a Markdown table that reads well as it is; the first row is the head."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for number, row in enumerate(rows):
        cells = [cell.ljust(width) if i == 0 else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        lines.append('| ' + ' | '.join(cells) + ' |')
        if number == 0:
            lines.append('|' + '|'.join('-' * (width + 2) if i == 0 else '-' * (width + 1) + ':'
                                        for i, width in enumerate(widths)) + '|')
    return lines


def result_table(bench, result):
    rows = [('', 'ns a payload', 'MB/s', 'instructions', 'time, simdjson = 1')]
    for name, each in sorted(result.items(), key=lambda item: item[1]['ns']):
        ratio = each.get('ratio')
        rows.append((bench.labels[name], f"{each['ns']:,.0f}", f"{each['mb_per_s']:,.0f}",
                     f"{each['instructions']:,.0f}" if 'instructions' in each else '-',
                     f'{ratio:.2f}' if ratio is not None else '-'))
    return table(rows)


def profile_table(functions, total):
    rows = [('function', 'instructions a payload', 'share')]
    for name, count in functions[:PROFILE_LINES]:
        rows.append((f'`{name}`', f'{count:,.0f}', f'{count / total * 100:.1f} %'))
    rest = total - sum(count for _, count in functions[:PROFILE_LINES])
    rows.append(('all others', f'{rest:,.0f}', f'{rest / total * 100:.1f} %'))
    return table(rows)


def goals(results):
    """(what, figure, goal, whether it is met)"""
    sample = results['sample']
    fleet = results[[corpus for corpus in results if corpus != 'sample'][0]]
    dom = sample['ammp']['ns'] / sample['simdjson-dom']['ns']
    naive = sample['json-glib-ammp']['ns'] / sample['ammp']['ns']
    large = fleet['ammp']['mb_per_s'] / sample['ammp']['mb_per_s']
    return [
        ("ammp on the sample, simdjson's DOM parse = 1", f'{dom:.2f}', 'at most 1.50', dom <= 1.5),
        ('ammp on the sample, times faster than json-glib', f'{naive:.1f}', 'at least 40',
         naive >= 40),
        ('ammp on the fleet, MB/s, those on the sample = 1', f'{large:.2f}', 'at least 1.00',
         large >= 1),
    ]


def goal_table(verdicts):
    rows = [('', 'measured', 'goal', '')]
    rows += [(what, figure, goal, 'met' if met else 'missed')
             for what, figure, goal, met in verdicts]
    return table(rows)


def describe_machine(bench):
    model = 'unknown processor'
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        for line in file:
            if line.startswith('model name'):
                model = line.split(':', 1)[1].strip()
                break
    compiler = run('cc', '--version').splitlines()[0]
    load = os.getloadavg()[0]
    return (f'{model}, {os.cpu_count()} processors, load {load:.1f}; {platform.system()} '
            f'{platform.release()}; {compiler}; simdjson\'s kernel: {bench.kernel}')


# --- What is done ---

def summarize(bench, turns, counts):
    results = {}
    for (corpus, name), nanoseconds in turns.items():
        size = bench.sizes[corpus][1] / bench.sizes[corpus][0]
        median = statistics.median(nanoseconds)
        each = {'ns': median, 'mb_per_s': size / median * 1000, 'turns': nanoseconds}
        if (corpus, name) in counts:
            each['instructions'] = counts[corpus, name]
        results.setdefault(corpus, {})[name] = each
    for result in results.values():
        if 'simdjson-dom' in result:
            for each in result.values():
                each['ratio'] = each['ns'] / result['simdjson-dom']['ns']
    return results


def write_docs(path, lines):
    with open(path, encoding='utf-8') as file:
        text = file.read()
    if BEGIN not in text or END not in text:
        sys.exit(f'bench/inproc: error: {path} lacks the lines "{BEGIN}" and "{END}"')
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join([before + BEGIN, *lines, END]) + after)


def print_profile(bench, name):
    for corpus in bench.corpora:
        total, functions = bench.count(corpus, name, annotate=True)
        print(f'\n{bench.labels[name]}. {corpus_title(bench, corpus)}\n')
        print('\n'.join(profile_table(functions, total)))


def report(bench, arguments):
    names = arguments.only.split(',') if arguments.only else []
    turns = bench.measure(arguments.rounds, names)
    counts = {}
    if not arguments.no_count:
        counts = {key: bench.count(*key)[0] for key in turns}
    results = summarize(bench, turns, counts)
    machine = describe_machine(bench)
    lines = ['', f'Medians of {arguments.rounds} turns. {machine}.']
    for corpus, result in results.items():
        lines += ['', f'{corpus_title(bench, corpus)}:', '', *result_table(bench, result)]
    verdicts = goals(results) if not names else []
    if verdicts:
        lines += ['', 'Ratios of medians:', '', *goal_table(verdicts)]
    print('\n'.join(lines[1:]))
    if arguments.docs:
        for corpus in bench.corpora:
            total, functions = bench.count(corpus, PROFILED, annotate=True)
            lines += ['', f'Where the instructions of `{PROFILED}` go, by function. '
                          f'{corpus_title(bench, corpus)}:', '', *profile_table(functions, total)]
        write_docs(arguments.docs, [*lines, ''])
    if arguments.json:
        with open(arguments.json, 'w', encoding='utf-8') as file:
            json.dump({'machine': machine, 'sizes': bench.sizes, 'results': results,
                       'goals': [dict(zip(('what', 'measured', 'goal', 'met'), verdict))
                                 for verdict in verdicts]}, file, indent=1)
            file.write('\n')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('program')
    parser.add_argument('--rounds', type=int, default=31)
    parser.add_argument('--corpus', default='fleet')
    parser.add_argument('--only')
    parser.add_argument('--no-count', action='store_true')
    parser.add_argument('--profile')
    parser.add_argument('--json')
    parser.add_argument('--docs')
    arguments = parser.parse_args()
    bench = Bench(arguments.program, ['sample', arguments.corpus])
    wanted = [name for name in (arguments.only or '').split(',') + [arguments.profile] if name]
    for name in wanted:
        if name not in bench.labels:
            parser.error(f'there is no contestant "{name}"; there are: {", ".join(bench.labels)}')
    if arguments.profile:
        print_profile(bench, arguments.profile)
    else:
        report(bench, arguments)


if __name__ == '__main__':
    main()
