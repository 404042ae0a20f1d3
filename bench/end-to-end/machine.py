# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the figures come from: the machine and the versions of what was measured."""

import datetime
import os
import platform
import re
import subprocess


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ''


def package_version(name):
    return re.sub(r'[-+~].*', '', output_of('dpkg-query', '-W', '-f', '${Version}', name))


def read_first(path, pattern):
    with open(path, encoding='utf-8') as stream:
        found = re.search(pattern, stream.read(), re.MULTILINE)
    return found.group(1).strip() if found else 'unknown'


def describe(penstock, npm):
    npm_versions = {}
    for name in ('mqtt', 'node-red'):
        path = os.path.join(npm, 'node_modules', name, 'package.json')
        if os.path.exists(path):
            npm_versions[name] = read_first(path, r'"version": *"([^"]+)"')
    memory_kib = int(read_first('/proc/meminfo', r'^MemTotal: *(\d+)'))
    return {
        'date': datetime.date.today().isoformat(),
        'processor': read_first('/proc/cpuinfo', r'^model name\s*: (.*)$'),
        'processors': os.cpu_count(),
        'memory_gib': round(memory_kib / (1 << 20)),
        'kernel': platform.release(),
        'system': read_first('/etc/os-release', r'^PRETTY_NAME="(.*)"$'),
        'load_before': round(os.getloadavg()[0], 2),
        'versions': {
            'penstock': re.search(r'[\d.]+|$', output_of(penstock, '--version')).group(),
            'mosquitto': package_version('mosquitto'),
            'libmosquitto': package_version('libmosquitto1'),
            'openssl': package_version('libssl3'),
            'python': platform.python_version(),
            'paho-mqtt': package_version('python3-paho-mqtt'),
            'jq': package_version('jq'),
            'node': output_of('node', '--version').lstrip('v'),
            **{'mqtt.js' if name == 'mqtt' else name: version
               for name, version in npm_versions.items()},
        },
    }


def to_sentence(machine, options, is_busy):
    versions = ', '.join(f'{name} {version}' for name, version in machine['versions'].items()
                         if version)
    return (f"On {machine['processors']} × {machine['processor']}, {machine['memory_gib']} GiB, "
            f"Linux {machine['kernel']}, {machine['system']}, {machine['date']}; {versions}; "
            f"TLS {options['tls']}. Medians of {options['rounds']} rounds"
            + (f", with other work on the machine (load {machine['load_before']} before)."
               if is_busy else '.'))
