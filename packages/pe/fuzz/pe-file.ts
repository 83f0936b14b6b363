// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { concatBytes, toHex, utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import {
  certificateLists,
  checkLayout,
  checkSecureBoot,
  checkUkiFile,
  describeUki,
  digestCoveredBySignature,
  openPe,
  parseSbatLevel,
  readSbat,
  readShimSbatLevels,
  readSignatures,
  stubVersionOf,
} from '@vouchsafe/pe';
import { decodeCertificates } from '@vouchsafe/pki';
import type { FuzzTarget } from '@vouchsafe/testing';
import { madeBytes } from '../test/made-pe.ts';

const readTestdata = (name: string): Uint8Array =>
  Uint8Array.from(readFileSync(new URL(`../testdata/${name}`, import.meta.url)));

const OWNER = '55c96959-7948-4709-85a5-aff5393936a4';
const TRUSTED = decodeCertificates(readTestdata('signer.pem')).map(({ bytes }) => bytes);
const CONTEXT = {
  secureBoot: {
    db: certificateLists(TRUSTED, OWNER),
    dbx: [{ type: 'sha256', signatures: [{ owner: OWNER, data: new Uint8Array(32) }] }],
  },
  sbatLevel: parseSbatLevel('sbat,1\n'),
} as const;

/** With a section that has its name, .sbatlevel, in the string table at the end, as a shim has it. */
const SHIM = shim();

/** What sbsign and osslsigncode have signed, with the key that is trusted here. */
const SIGNED = ['made.sbsign.efi', 'made.osslsigncode.efi'].map(readTestdata);
const SIGNED_DIGESTS = SIGNED.map((bytes) => toHex(digestCoveredBySignature(openPe(memorySource(bytes)), 'sha256')));

/** Bytes as a PE file: everything that reads one; and what firmware would start is what was signed, and nothing else. */
export const target: FuzzTarget = {
  name: 'pe-file',
  seeds: () => [madeBytes(), madeBytes({ format: 'pe32', bssBytes: 100 }), ...SIGNED, SHIM],
  run(bytes) {
    // What cannot be loaded is a finding there, so only the source's own errors may come out.
    checkUkiFile(memorySource(bytes), CONTEXT);
    const pe = openPe(memorySource(bytes));
    const hashed = digestCoveredBySignature(pe, 'sha256');
    if (hashed.length !== 32) throw new Error('a digest of another length');
    const { isAllowed } = checkSecureBoot(pe, CONTEXT.secureBoot);
    if (isAllowed && !SIGNED_DIGESTS.includes(toHex(hashed))) throw new Error('allowed, and not what was signed');
    checkLayout(pe);
    stubVersionOf(pe);
    readSignatures(pe);
    const { sections } = describeUki(pe);
    if (sections.length !== pe.sections.length) throw new Error('sections that are not described');
    readSbat(pe);
  },
};

function shim(): Uint8Array {
  const level = 'sbat,1,2025021800\nshim,4\n\0';
  const offsets = String.fromCharCode(0, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0);
  const made = madeBytes({ sdmagic: offsets + level });
  const bytes = concatBytes(made, Uint8Array.of(15, 0, 0, 0), utf8('.sbatlevel\0'));
  bytes.set(utf8('/4\0\0\0\0\0\0'), Buffer.from(bytes).indexOf('.sdmagic'));
  new DataView(bytes.buffer).setUint32(0x40 + 4 + 8, made.length, true);
  if (readShimSbatLevels(openPe(memorySource(bytes))) === undefined) throw new Error('the seed is no shim');
  return bytes;
}
