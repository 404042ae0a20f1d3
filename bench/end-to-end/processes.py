# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Processes that are measured from outside, and programs that tell in lines what they do."""

import os
import select
import subprocess
import time
from dataclasses import dataclass

TICK = os.sysconf('SC_CLK_TCK')


class Failure(Exception):
    """A run that cannot be counted; the message says why."""


@dataclass
class Usage:
    """What processes have used so far, added up."""
    processor_ns: int = 0
    user_ticks: int = 0
    system_ticks: int = 0
    reads: int = 0
    writes: int = 0
    resident_kib: int = 0
    anonymous_kib: int = 0


def processor_ns(pid):
    """User and system time of a process with all its threads, also those that have ended."""
    # clock_getcpuclockid (3) of another process
    return time.clock_gettime_ns((~pid << 3) | 2)


def read_fields(path):
    with open(path, encoding='ascii', errors='replace') as stream:
        return dict(line.split(':', 1) for line in stream if ':' in line)


def usage_of(pids):
    usage = Usage()
    for pid in pids:
        usage.processor_ns += processor_ns(pid)
        with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as stream:
            fields = stream.read().rpartition(')')[2].split()
        usage.user_ticks += int(fields[11])
        usage.system_ticks += int(fields[12])
        counts = read_fields(f'/proc/{pid}/io')
        usage.reads += int(counts['syscr'])
        usage.writes += int(counts['syscw'])
        memory = read_fields(f'/proc/{pid}/status')
        usage.resident_kib += int(memory['VmRSS'].split()[0])
        usage.anonymous_kib += int(memory['RssAnon'].split()[0])
    return usage


class Teller:
    """A program of this folder. It says lines "WHAT MICROSECOND MORE…"; a line to it is a go."""

    def __init__(self, command, env=None):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env=env)
        self.pending = b''
        self.name = os.path.basename(command[0])

    def expect(self, wanted, seconds=20):
        """The microsecond at which it said @wanted, and what more."""
        deadline = time.monotonic() + seconds
        while True:
            line, newline, rest = self.pending.partition(b'\n')
            if newline:
                self.pending = rest
                what, at, *more = line.decode().split(' ', 2)
                if what == wanted:
                    return int(at), ' '.join(more)
                continue
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise Failure(f"{self.name} has not said '{wanted}' within {seconds} s")
            chunk = os.read(self.process.stdout.fileno(), 65536)
            if not chunk:
                raise Failure(f"{self.name} ended before it said '{wanted}'")
            self.pending += chunk

    def go(self):
        self.process.stdin.write(b'go\n')
        self.process.stdin.flush()

    def stop(self):
        stop([self.process])
        self.process.stdin.close()
        self.process.stdout.close()


def stop(processes, seconds=10):
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Lines:
    """Counts the lines of a file that grows."""

    def __init__(self, path):
        self.path = path
        self.count = 0
        self.stream = None

    def update(self):
        if self.stream is None:
            try:
                self.stream = open(self.path, 'rb', buffering=0)
            except FileNotFoundError:
                return 0
        while chunk := self.stream.read(1 << 20):
            self.count += chunk.count(b'\n')
        return self.count

    def expect(self, wanted, processes, silence=20):
        """Waits for so many; fails after @silence seconds without a new one."""
        before, since = -1, time.monotonic()
        while (now := self.update()) < wanted:
            for process in processes:
                if process.poll() is not None:
                    raise Failure(f'it ended with status {process.returncode}')
            if now > before:
                before, since = now, time.monotonic()
            elif time.monotonic() - since > silence:
                raise Failure(f'{now} of {wanted} lines came')
            time.sleep(0.005)
        if now > wanted:
            raise Failure(f'{now} lines came instead of {wanted}')

    def close(self):
        if self.stream is not None:
            self.stream.close()
