#!/usr/bin/python3
# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files of the container image against the tree that they speak of.

No engine builds an image here. What is looked at is what grows stale meanwhile: paths, names of
variables, ports, durations; and the image's own scripts are run.
"""

import fnmatch
import http.server
import os
import re
import subprocess
import sys
import tempfile
import threading

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..', '..'))
FOLDER = os.path.join(ROOT, 'packaging', 'container')
MONITORING_PORT = '9473'


def read(name, folder=FOLDER):
    with open(os.path.join(folder, name), encoding='utf-8') as file:
        return file.read()


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


# --- What goes into a build ---

def is_ignored(path):
    """By the rules of a .dockerignore: the last pattern that matches it or a folder above wins."""
    ignored = False
    parts = path.split('/')
    heads = ['/'.join(parts[:i + 1]) for i in range(len(parts))]
    for line in read('Dockerfile.dockerignore').splitlines():
        if not line or line.startswith('#'):
            continue
        pattern = line.lstrip('!').lstrip('/').replace('**/', '')
        names = parts if '**/' in line else [head for head in heads
                                             if head.count('/') == pattern.count('/')]
        if any(fnmatch.fnmatchcase(name, pattern) for name in names):
            ignored = not line.startswith('!')
    return ignored


def check_build():
    dockerfile = read('Dockerfile')
    copied = re.findall(r'^COPY (?!--)(\S+)', dockerfile, re.MULTILINE)
    named = re.findall(r'packaging/container/[\w-]+', dockerfile)
    meson = read('meson.build', ROOT)
    rooms = [room + '/meson.build'
             for room in re.findall(r"^subdir\('(\w+)'\)", meson, re.MULTILINE)]
    expect(len(copied) == 2 and len(named) > 3 and len(rooms) > 5, (copied, named, rooms))
    for path in copied + named + rooms + ['LICENSE', 'meson.build', 'meson_options.txt']:
        expect(os.path.exists(os.path.join(ROOT, path)), f'{path} is not there')
        expect(path == '.' or not is_ignored(path), f'{path} is kept out of the build')
    for path in ('.git/config', 'build/build.ninja', 'packaging/container/secrets/ammp-password',
                 'tests/meson.build', 'sources/.git'):
        expect(is_ignored(path), f'{path} is not kept out of the build')
    options = re.findall(r'-D([a-z]\w*)=', dockerfile)
    known = re.findall(r"^option\('([\w-]+)'", read('meson_options.txt', ROOT), re.MULTILINE)
    for option in options:
        expect(option in known + ['b_pie', 'werror'], f'meson has no option {option}')
    expect('build_packages=(' in read('tools/lib/common.sh', ROOT),
           'the list of packages has moved')


def check_plugins_complete():
    with tempfile.TemporaryDirectory() as scratch:
        for path in ('sources/mqtt', 'sinks/file', 'image/usr/lib/any/penstock/plugins'):
            os.makedirs(os.path.join(scratch, path))
        for path in ('sources/mqtt/README.md', 'sinks/file/README.md',
                     'image/usr/lib/any/penstock/plugins/source-mqtt.so'):
            with open(os.path.join(scratch, path), 'w', encoding='utf-8'):
                pass
        command = [os.path.join(FOLDER, 'check-plugins'), scratch, scratch + '/image']
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        expect(run.returncode == 1 and 'sink-file was not built' in run.stderr
               and 'source-mqtt' not in run.stderr, run)
        os.rename(scratch + '/sinks', scratch + '/drains')
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        expect(run.returncode == 0, run)


# --- What runs ---

def check_names():
    compose, keyfile, readme = read('compose.yaml'), read('ammp.pipeline'), read('README.md')
    known = set(re.findall(r'\$\{env:(\w+)', keyfile))
    given = set(re.findall(r'^ +(AMMP_\w+):', compose, re.MULTILINE))
    expect(given and given <= known, f'{given - known}: not in the keyfile')
    for name in known:
        expect(f'`{name}`' in readme, f'{name} is not in the README')
    for path in re.findall(r'^ +file: (\S+)', compose, re.MULTILINE):
        expect(path.startswith('./secrets/') or os.path.exists(os.path.join(FOLDER, path)),
               f'{path} is not there')
    version = re.search(r"  version: '([^']+)'", read('meson.build', ROOT)).group(1)
    expect(f'ARG VERSION={version}\n' in read('Dockerfile')
           and f'image: penstock:{version}\n' in compose, f'this is version {version}')
    drain = int(re.search(r'AMMP_DRAIN_TIMEOUT: (\d+)s', compose).group(1))
    grace = int(re.search(r'stop_grace_period: (\d+)s', compose).group(1))
    expect(drain + 5 < grace, 'the container is killed while it drains')


def check_port():
    for name, what in (('Dockerfile', f'PENSTOCK_LISTEN=0.0.0.0:{MONITORING_PORT}'),
                       ('Dockerfile', f'EXPOSE {MONITORING_PORT}'),
                       ('compose.yaml', f'- "{MONITORING_PORT}"'),
                       ('prometheus.yml', f'penstock:{MONITORING_PORT}'),
                       ('../prometheus/prometheus.yml', f':{MONITORING_PORT}'),
                       ('../../docs/monitoring.md', f'PENSTOCK_LISTEN=0.0.0.0:{MONITORING_PORT}')):
        expect(what in read(name), f'{name} does not say {what}')
    own, other = (read(name).split('global:')[1].splitlines()[:-1]
                  for name in ('prometheus.yml', '../prometheus/prometheus.yml'))
    expect(own == other, 'the two prometheus.yml differ in more than the address')


def check_keyfile():
    keyfile = os.path.join(FOLDER, 'ammp.pipeline')
    for arguments in (['check', '--no-environment'], ['test']):
        run = subprocess.run([os.environ['PENSTOCK_COMMAND'], *arguments, keyfile],
                             capture_output=True, text=True, check=False)
        expect(run.returncode == 0 and 'warning:' not in run.stdout, run)


class Health(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(self.status if self.path == '/healthz' else 404)
        self.end_headers()

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


def ask(listen):
    environment = {**os.environ, 'PENSTOCK_LISTEN': listen}
    return subprocess.run([os.path.join(FOLDER, 'healthy')], env=environment, check=False,
                          stderr=subprocess.DEVNULL).returncode


def check_health():
    server = http.server.HTTPServer(('127.0.0.1', 0), Health)
    port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.02})
    thread.start()
    try:
        expect(ask(f'0.0.0.0:{port}') == 0, '200 is not healthy')
        expect(ask(f'127.0.0.1:{port}') == 0, '200 is not healthy')
        Health.status = 503
        expect(ask(f'0.0.0.0:{port}') == 1, '503 is healthy')
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    expect(ask(f'0.0.0.0:{port}') == 1, 'nobody there is healthy')
    expect(ask('') == 0, 'not to listen is unhealthy')


CHECKS = {'what goes into a build is there': check_build,
          'a plugin that was not built is missed': check_plugins_complete,
          'variables, files and durations fit together': check_names,
          'one port': check_port,
          'the keyfile is good': check_keyfile,
          'the health check tells the living from the dead': check_health}


def main():
    failed = 0
    print(f'TAP version 13\n1..{len(CHECKS)}')
    for number, (name, function) in enumerate(CHECKS.items(), 1):
        try:
            function()
            print(f'ok {number} - {name}', flush=True)
        except AssertionError as error:
            failed += 1
            print(f'not ok {number} - {name}\n# {error}', flush=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
