#!/usr/bin/env python3
# SPDX-FileCopyrightText: The Penstock authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Payloads of a data logger, one a line: a sample with other digits each time, never longer or
shorter. The first number with ten digits behind "boot_time" is where bench-load and bench-source
put their stamp.

    bench/end-to-end/corpus.py [COUNT]
"""

import random
import re
import sys

COUNT = 256
STAMP_FIELD = 'boot_time'
SAMPLE = (
    '{"t":1625576100,"r":[{"_d":"logger","_vid":"strato-1","boot_time":1625563315,'
    '"cpu_load":0.06,"memory_usage":17.2},{"_d":"logger_strato","_vid":"strato-1",'
    '"cpu_temp":60.148,"disk_usage":45.8},{"_d":"diesel_sensor","_vid":"gamicos-1",'
    '"analog":5.814655303955078,"level":0.5670797228813171,'
    '"genset_fuel_level_percent":56.378482855283295,"genset_fuel_volume":2477.2705366611485},'
    '{"_d":"dse855","_vid":"dse-1","E":86744200,"P":15983,"P_L1":4823,"P_L2":4720,"P_L3":6440,'
    '"S":17293,"S_L1":5314,"S_L2":5109,"S_L3":6901,"V_L1":229.5,"V_L2":231,'
    '"V_L3":229.70000000000002,"alarm_status":0,"freq":50,"fuel_used":null,"oil_pressure":406,'
    '"power_factor":0.92,"power_factor_L1":0.9,"power_factor_L2":0.92,"power_factor_L3":0.93,'
    '"runtime":14316904,"temp_coolant":78,"temp_oil":null,"time_to_maintenance":null,'
    '"utilization_L1":null,"utilization_L2":null,"utilization_L3":null}],"m":{"snap_rev":670,'
    '"config_id":"c5b2543","reading_duration":0.9248790740966797,"reading_offset":0}}')
ROUND_SECONDS = 60


def make_payloads(count=COUNT):
    """The same ones each time."""
    chance = random.Random(1)
    start = int(re.search(r'"t":(\d+)', SAMPLE).group(1))

    def vary(match):
        whole, fraction = match.group(2), match.group(3) or ''
        # neither a zero in front nor one behind, nor a whole number of one digit: it is a state
        if len(whole) > 1:
            whole = whole[0] + ''.join(chance.choice('0123456789') for _ in whole[1:])
        if fraction:
            digits = [chance.choice('0123456789') for _ in fraction[1:]]
            fraction = '.' + ''.join(digits[:-1]) + chance.choice('123456789')
        return f'{match.group(1)}{whole}{fraction}'

    for number in range(count):
        payload = re.sub(r'("(?!boot_time|t")\w+":)(\d+)(\.\d+)?', vary, SAMPLE)
        yield payload.replace(f'"t":{start}', f'"t":{start + number * ROUND_SECONDS}', 1)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    sys.stdout.writelines(payload + '\n' for payload in make_payloads(count))


if __name__ == '__main__':
    main()
