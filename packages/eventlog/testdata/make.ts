// SPDX-License-Identifier: Apache-2.0
// Makes the files of this folder: `node packages/eventlog/testdata/make.ts`. Every octet comes from test/support.ts.
import { mkdirSync, writeFileSync } from 'node:fs';
import { concatBytes, toHex, utf8 } from '@vouchsafe/base';
import { tpmDigest } from '@vouchsafe/tpm';
import { cbor, json, RECORDS, tlvLog } from '../test/made-cel.ts';
import { container, LAUNCH, launchEvent } from '../test/made-launch.ts';
import { BOOT, record } from '../test/made-userspace.ts';
import { agileLog, imaEntry, imaNgData, locality, type MadeEvent, SEPARATORS } from '../test/support.ts';

const wide = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'utf16le'));
const u32 = (n: number): Uint8Array => Uint8Array.of(n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff, n >>> 24);
const u64 = (n: number): Uint8Array => concatBytes(u32(n), u32(0));

const name = wide('SecureBoot');
const variable = concatBytes(new Uint8Array(16).fill(0x61), u64(10), u64(1), name, Uint8Array.of(1));
const image = concatBytes(u64(0x1000), u64(0x200), u64(0), u64(4), Uint8Array.of(0x7f, 0xff, 4, 0));
const tag = concatBytes(u32(0x8f3b22ec), u32(13), utf8('Linux initrd\0'));

const events: MadeEvent[] = [
  locality(3),
  { pcr: 0, type: 'EV_S_CRTM_VERSION', data: wide('1.0\0') },
  { pcr: 7, type: 'EV_EFI_VARIABLE_DRIVER_CONFIG', data: variable },
  ...SEPARATORS,
  { pcr: 4, type: 'EV_EFI_BOOT_SERVICES_APPLICATION', data: image, measured: utf8('the loader') },
  { pcr: 11, type: 'EV_IPL', data: wide('.linux\0'), measured: utf8('.linux\0') },
  { pcr: 9, type: 'EV_EVENT_TAG', data: tag, measured: utf8('the initrd') },
];

/** A TCG_PCR_EVENT of a SHA-1 log. */
const sha1Event = (pcr: number, type: number, data: Uint8Array): Uint8Array =>
  concatBytes(u32(pcr), u32(type), tpmDigest('sha1', data), u32(data.length), data);

const imaName = utf8('/init');
const entries = [
  imaEntry('ima-ng', imaNgData('boot_aggregate')),
  imaEntry('ima-sig', concatBytes(imaNgData('/bin/sh'), u32(2), Uint8Array.of(3, 2))),
  imaEntry('ima', concatBytes(new Uint8Array(20).fill(7), u32(imaName.length), imaName)),
  imaEntry('ima-ng', imaNgData('/open-for-writing'), new Uint8Array(20)),
];

for (const folder of ['tcg', 'ima', 'userspace', 'cel', 'drtm']) mkdirSync(new URL(folder, import.meta.url), { recursive: true });
writeFileSync(new URL('tcg/agile.bin', import.meta.url), agileLog(events, ['sha1', 'sha256']));
const sha1Log = concatBytes(sha1Event(0, 8, utf8('1.0')), sha1Event(4, 4, new Uint8Array(4)), sha1Event(4, 0x8000_0007, utf8('boot')));
writeFileSync(new URL('tcg/sha1.bin', import.meta.url), sha1Log);
writeFileSync(new URL('ima/templates.bin', import.meta.url), concatBytes(...entries));
const line = (path: string): string => {
  const data = imaNgData(path);
  return `10 ${toHex(tpmDigest('sha1', data))} ima-ng sha256:${'01'.repeat(32)} ${path}\n`;
};
writeFileSync(new URL('ima/templates.txt', import.meta.url), line('boot_aggregate') + line('/bin/a b'));
writeFileSync(new URL('userspace/measure.json-seq', import.meta.url), concatBytes(...BOOT.map(record)));
writeFileSync(new URL('cel/log.json', import.meta.url), json(RECORDS));
writeFileSync(new URL('cel/log.cbor', import.meta.url), cbor(RECORDS));
writeFileSync(new URL('cel/log.tlv', import.meta.url), tlvLog(RECORDS));
writeFileSync(new URL('drtm/launch.bin', import.meta.url), agileLog(LAUNCH));
const txt = [launchEvent(17, 'EVTYPE_HASH_START', 'sinit'), launchEvent(18, 'EVTYPE_MLE_HASH', 'mle')];
writeFileSync(new URL('drtm/container.bin', import.meta.url), container(txt));
