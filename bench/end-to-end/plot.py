# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The figures as an SVG: a row for each consumer, a column for each figure, a dot at the median, a
line from the least to the most of the rounds. The scale is logarithmic: jq is two orders of
magnitude away from a C program."""

import math
from html import escape

from consumers import CONSUMERS, LABELS
from report import format_number

PANELS = (
    ('broker-qos0', 'cpu_us', 'QoS 0, broker', 'µs of processor a message'),
    ('broker-qos1', 'cpu_us', 'QoS 1, broker', 'µs of processor a message'),
    ('paced', 'cpu_us', 'QoS 1, 1,000 msg/s', 'µs of processor a message'),
    ('paced', 'p99_us', 'QoS 1, 1,000 msg/s', 'µs of latency, p99'),
)
OURS = '#0b6e4f'
THEIRS = '#5c6470'
GRID = '#e3e6ea'
TEXT = '#1f2328'
FONT = 'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"'
NAMES_WIDTH, PANEL_WIDTH, GAP = 276, 186, 46
TOP, ROW_HEIGHT, BOTTOM = 64, 30, 52
MARGIN = 14


class Panel:
    """One column: a logarithmic axis from a power of ten to a power of ten."""

    def __init__(self, results, names, scenario, figure, left):
        self.values = {name: results.values(scenario, name, figure) for name in names}
        everything = [value for values in self.values.values() for value in values]
        self.is_empty = not everything
        self.left = left
        self.median = {name: results.median(scenario, name, figure) for name in names}
        if everything:
            self.low = math.floor(math.log10(min(everything)))
            self.high = max(math.ceil(math.log10(max(everything))), self.low + 1)

    def x(self, value):
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.left + share * PANEL_WIDTH

    def ticks(self):
        return [10 ** power for power in range(self.low, self.high + 1)]


def text(x, y, content, size=12, anchor='start', fill=TEXT, weight='normal'):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{fill}" font-weight="{weight}">{escape(content)}</text>')


def line(x1, y1, x2, y2, colour, width=1.0):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}" stroke-width="{width}"/>')


def is_ours(name):
    return name.startswith('penstock')


def draw_panel(panel, names, title, unit, bottom):
    parts = [text(panel.left, 24, title, 13, weight='600'), text(panel.left, 42, unit, 11,
                                                                 fill=THEIRS)]
    if panel.is_empty:
        return parts + [text(panel.left, TOP + ROW_HEIGHT / 2 + 4, 'not measured', fill=THEIRS)]
    for tick in panel.ticks():
        x = panel.x(tick)
        parts.append(line(x, TOP, x, bottom, GRID))
        parts.append(text(x, bottom + 16, f'{tick:,g}', 10, 'middle', THEIRS))
    for row, name in enumerate(names):
        if panel.values[name]:
            parts += draw_dot(panel, name, TOP + (row + 0.5) * ROW_HEIGHT)
    return parts


def draw_dot(panel, name, y):
    values, median = panel.values[name], panel.median[name]
    colour = OURS if is_ours(name) else THEIRS
    x = panel.x(median)
    is_right = x > panel.left + PANEL_WIDTH * 0.78
    label_x = panel.x(min(values)) - 9 if is_right else panel.x(max(values)) + 9
    return [line(panel.x(min(values)), y, panel.x(max(values)), y, colour, 2),
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>',
            text(label_x, y + 4, format_number(median), 11, 'end' if is_right else 'start', colour,
                 '600' if is_ours(name) else 'normal')]


def draw(results, facts):
    measured = {run['consumer'] for run in results.runs if 'cpu_us' in run}
    names = [consumer.name for consumer in CONSUMERS if consumer.name in measured]
    bottom = TOP + len(names) * ROW_HEIGHT
    width = MARGIN * 2 + NAMES_WIDTH + len(PANELS) * (PANEL_WIDTH + GAP)
    height = bottom + BOTTOM
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
             f'width="{width}" height="{height}" {FONT} role="img">',
             '<title>Processor time and latency of consumers of the same MQTT messages</title>',
             f'<rect width="{width}" height="{height}" fill="#ffffff"/>']
    for row, name in enumerate(names):
        y = TOP + row * ROW_HEIGHT
        if row % 2 == 0:
            parts.append(f'<rect x="{MARGIN}" y="{y}" width="{width - 2 * MARGIN}" '
                         f'height="{ROW_HEIGHT}" fill="#f6f8fa"/>')
        parts.append(text(MARGIN + 6, y + ROW_HEIGHT / 2 + 4, LABELS[name], 12,
                          fill=OURS if is_ours(name) else TEXT,
                          weight='600' if is_ours(name) else 'normal'))
    for number, (scenario, figure, title, unit) in enumerate(PANELS):
        left = MARGIN + NAMES_WIDTH + number * (PANEL_WIDTH + GAP)
        parts += draw_panel(Panel(results, names, scenario, figure, left), names, title, unit,
                            bottom)
    parts.append(text(MARGIN + 6, height - 12,
                      f"Over TLS, to a file; less is better; logarithmic. {facts['processors']} × "
                      f"{facts['processor']}, {facts['date']}.", 11, fill=THEIRS))
    return '\n'.join(parts) + '\n</svg>\n'


def write(path, results, facts):
    with open(path, 'w', encoding='utf-8') as stream:
        stream.write(draw(results, facts))
