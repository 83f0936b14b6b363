// SPDX-License-Identifier: Apache-2.0
import { memorySource } from '@vouchsafe/bytes';
import {
  certificateLists,
  checkLayout,
  checkUkiFile,
  describeUki,
  digestCoveredBySignature,
  openPe,
  parseSbatLevel,
  readSbat,
  readSignatures,
  stubVersionOf,
} from '@vouchsafe/pe';
import type { FuzzTarget } from '@vouchsafe/testing';
import { madeBytes } from '../test/made-pe.ts';

const CONTEXT = {
  secureBoot: {
    db: certificateLists([new Uint8Array(8)], '55c96959-7948-4709-85a5-aff5393936a4'),
    dbx: [
      { type: 'sha256', signatures: [{ owner: '55c96959-7948-4709-85a5-aff5393936a4', data: new Uint8Array(32) }] },
    ],
  },
  sbatLevel: parseSbatLevel('sbat,1\n'),
};

/** Bytes as a PE file: everything that reads one. */
export const target: FuzzTarget = {
  name: 'pe-file',
  seeds: () => [madeBytes(), madeBytes({ format: 'pe32', bssBytes: 100 }), signedSeed()],
  run(bytes) {
    // What cannot be loaded is a finding there, so only the source's own errors may come out.
    checkUkiFile(memorySource(bytes), CONTEXT);
    const pe = openPe(memorySource(bytes));
    const hashed = digestCoveredBySignature(pe, 'sha256');
    if (hashed.length !== 32) throw new Error('a digest of another length');
    checkLayout(pe);
    stubVersionOf(pe);
    readSignatures(pe);
    const { sections } = describeUki(pe);
    if (sections.length !== pe.sections.length) throw new Error('sections that are not described');
    readSbat(pe);
  },
};

/** A file with a certificate table whose one entry is no signature; mutation makes others. */
function signedSeed(): Uint8Array {
  const made = madeBytes();
  const table = Uint8Array.of(
    24,
    0,
    0,
    0,
    0,
    2,
    2,
    0,
    0x30,
    14,
    6,
    9,
    0x2a,
    0x86,
    0x48,
    0x86,
    0xf7,
    13,
    1,
    7,
    2,
    0xa0,
    1,
    0,
  );
  const bytes = new Uint8Array(made.length + table.length);
  bytes.set(made);
  bytes.set(table, made.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0x40 + 24 + 112 + 32, made.length, true);
  view.setUint32(0x40 + 24 + 112 + 36, table.length, true);
  return bytes;
}
