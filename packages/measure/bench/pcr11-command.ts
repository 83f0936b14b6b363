// SPDX-License-Identifier: Apache-2.0
// What `systemd-measure calculate` does, as a process of its own: node pcr11-command.ts UKI BANK…
import { toHex } from '@vouchsafe/base';
import { FileSource } from '@vouchsafe/bytes/node';
import type { Bank } from '@vouchsafe/manifest';
import { predictPcr11 } from '@vouchsafe/measure';
import { openPe } from '@vouchsafe/pe';

const [path = '', ...banks] = process.argv.slice(2);
using source = FileSource.open(path);
const values = predictPcr11(openPe(source), { banks: banks as Bank[] });
for (const { bank, phase, value } of values) process.stdout.write(`${bank}:${phase}=${toHex(value)}\n`);
