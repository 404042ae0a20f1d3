#!/usr/bin/env node
// SPDX-FileCopyrightText: The Penstock authors
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Writes Node-RED's folder: a flow of three nodes (MQTT in, function, file) that restructures
// readings by vendor ID, with its credentials and settings. Without the editor, which costs memory.
'use strict';

const fs = require('fs');
const path = require('path');

const env = process.env;
const folder = process.argv[2];
const qos = Number(env.BENCH_QOS);

const restructure = `
const data = {};
for (const reading of msg.payload.r) {
  const fields = data[reading._vid] || (data[reading._vid] = {});
  for (const name in reading) {
    if (name[0] !== '_' && reading[name] !== null) fields[name] = reading[name];
  }
}
const time = new Date(msg.payload.t * 1000).toISOString().replace(/\\.000Z$/, '+00:00');
msg.payload = { time, data };
return msg;
`;

const flow = [
  { id: 'tab', type: 'tab', label: 'Readings' },
  { id: 'tls', type: 'tls-config', ca: env.BENCH_CAFILE, cert: '', key: '',
    verifyservercert: true },
  { id: 'broker', type: 'mqtt-broker', broker: '127.0.0.1', port: env.BENCH_PORT, tls: 'tls',
    usetls: true, clientid: env.BENCH_CLIENT, protocolVersion: '5', keepalive: '60',
    cleansession: qos === 0, sessionExpiry: qos === 0 ? '' : '3600', autoConnect: true },
  { id: 'in', type: 'mqtt in', z: 'tab', x: 100, y: 100, topic: env.BENCH_TOPIC, qos: String(qos),
    datatype: 'json', broker: 'broker', rh: 0, inputs: 0, wires: [['restructure']] },
  { id: 'restructure', type: 'function', z: 'tab', x: 300, y: 100, func: restructure, outputs: 1,
    wires: [['file']] },
  { id: 'file', type: 'file', z: 'tab', x: 500, y: 100, filename: env.BENCH_OUTPUT,
    filenameType: 'str', appendNewline: true, createDir: false, overwriteFile: 'false',
    encoding: 'none', wires: [[]] },
];

const settings = {
  flowFile: 'flows.json',
  credentialSecret: false,
  httpAdminRoot: false,
  httpNodeRoot: false,
  telemetry: { enabled: false, updateNotification: false },
  logging: { console: { level: 'warn', metrics: false, audit: false } },
};

fs.mkdirSync(folder, { recursive: true });
fs.writeFileSync(path.join(folder, 'flows.json'), JSON.stringify(flow));
fs.writeFileSync(path.join(folder, 'flows_cred.json'),
  JSON.stringify({ broker: { user: env.BENCH_USERNAME, password: env.BENCH_PASSWORD } }));
fs.writeFileSync(path.join(folder, 'settings.js'),
  `module.exports = ${JSON.stringify(settings)};\n`);
