#!/usr/bin/env node
// SPDX-FileCopyrightText: The Penstock authors
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Readings restructured by vendor ID, as a script on mqtt.js does it.
'use strict';

const fs = require('fs');
const mqtt = require('mqtt');

const env = process.env;
const qos = Number(env.BENCH_QOS);
const output = fs.createWriteStream(env.BENCH_OUTPUT, { flags: 'a' });

function restructure(payload) {
  const message = JSON.parse(payload);
  const data = {};
  for (const reading of message.r) {
    const fields = data[reading._vid] || (data[reading._vid] = {});
    for (const name in reading) {
      if (name[0] !== '_' && reading[name] !== null) fields[name] = reading[name];
    }
  }
  const time = new Date(message.t * 1000).toISOString().replace(/\.000Z$/, '+00:00');
  return JSON.stringify({ time, data });
}

const client = mqtt.connect(`mqtts://127.0.0.1:${env.BENCH_PORT}`, {
  protocolVersion: 5,
  clientId: env.BENCH_CLIENT,
  username: env.BENCH_USERNAME,
  password: env.BENCH_PASSWORD,
  ca: fs.readFileSync(env.BENCH_CAFILE),
  clean: qos === 0,
  properties: qos === 0 ? {} : { sessionExpiryInterval: 3600 },
});

client.on('connect', () => client.subscribe(env.BENCH_TOPIC, { qos }));
client.on('message', (topic, payload) => output.write(restructure(payload) + '\n'));
client.on('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
