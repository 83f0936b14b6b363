// SPDX-License-Identifier: Apache-2.0
import { parseHex } from '@vouchsafe/base';
import type { Bank } from '@vouchsafe/manifest';
import { parseBase64 } from '@vouchsafe/pki';
import { MeasureError } from '../error.ts';
import { BANKS, malformed, type PcrSignature } from './pcr-signature.ts';

/** Characters of the largest text; 256 signatures of 4096 bits in each of four banks have under 1 MiB. */
const MAX_CHARACTERS = 1024 * 1024;
const MAX_ENTRIES_PER_BANK = 256;
const MAX_PCR = 23;
/** Octets of a signature by the largest RSA key that is taken, 16384 bits. */
const MAX_SIGNATURE_BYTES = 2048;
const KEYS = ['pcrs', 'pkfp', 'pol', 'sig'];

/**
 * The entries of a `.pcrsig`, bank by bank as they stand. Strict: a key that is repeated, missing or unknown, an escape, a
 * number written another way, anything that two readers could take for two things is an error. Who signed, and what, is for
 * `checkPcrSignatures` to say.
 * @throws {MeasureError} 'pcrsig_malformed'; 'pcrsig_unsupported' for a policy reference (systemd 262).
 */
export function parsePcrSignatures(text: string, label = '.pcrsig'): PcrSignature[] {
  const value = parseJson(text, label);
  if (!isObject(value)) throw malformed(label, 'an object of banks', describe(value));
  const signatures = Object.entries(value).flatMap(([name, entries]) => {
    const bank = BANKS.find((known) => known === name);
    if (bank === undefined) throw malformed(label, `banks of ${BANKS.join(', ')}`, describe(name));
    if (!Array.isArray(entries) || entries.length > MAX_ENTRIES_PER_BANK) {
      const found = Array.isArray(entries) ? `${entries.length}` : describe(entries);
      throw malformed(`${label}: ${bank}`, `a list of up to ${MAX_ENTRIES_PER_BANK} signatures`, found);
    }
    return entries.map((entry: unknown, i) => entryOf(entry, bank, `${label}: ${bank}[${i}]`));
  });
  requireOneSpelling(text, value, label);
  return signatures;
}

function parseJson(text: string, label: string): unknown {
  if (text.length > MAX_CHARACTERS) {
    throw malformed(label, `at most ${MAX_CHARACTERS} characters`, `${text.length}`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw malformed(label, 'JSON', `${text.length} characters that are not`, cause);
  }
}

/**
 * What was read must be what stands there, but for white space, which no string in here can hold: so a repeated key, of which
 * readers take the first or the last as they please, shows, and so do escapes.
 */
function requireOneSpelling(text: string, value: object, label: string): void {
  if (text.replaceAll(/[ \t\r\n]+/g, '') !== JSON.stringify(value)) {
    throw malformed(label, 'each key once, no escapes, plain numbers', 'another spelling');
  }
}

function entryOf(entry: unknown, bank: Bank, label: string): PcrSignature {
  if (!isObject(entry)) throw malformed(label, 'an object', describe(entry));
  if (Object.hasOwn(entry, 'ref')) {
    const message = `${label}: expected a signature without a policy reference (ref, systemd 262), which is not supported`;
    throw new MeasureError('pcrsig_unsupported', message);
  }
  const keys = Object.keys(entry).toSorted();
  if (keys.join() !== KEYS.join()) throw malformed(label, `the keys ${KEYS.join(', ')}`, describe(keys.join(', ')));
  const { pcrs, pkfp, pol, sig } = entry;
  return {
    bank,
    pcrs: pcrsOf(pcrs, label),
    keyFingerprint: digestOf(pkfp, `${label}.pkfp`),
    policy: digestOf(pol, `${label}.pol`),
    signature: signatureOf(sig, `${label}.sig`),
  };
}

/** Ascending, so that a list has one form. */
function pcrsOf(value: unknown, label: string): number[] {
  const pcrs: unknown[] = Array.isArray(value) ? value : [];
  const isSound = pcrs.every((pcr, i): pcr is number => {
    const before = pcrs[i - 1] ?? -1;
    return typeof pcr === 'number' && Number.isInteger(pcr) && pcr <= MAX_PCR && pcr > (before as number);
  });
  if (!isSound || pcrs.length === 0) {
    throw malformed(`${label}.pcrs`, `PCRs from 0 to ${MAX_PCR} in ascending order`, describe(value));
  }
  return pcrs as number[];
}

function digestOf(value: unknown, label: string): Uint8Array {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) {
    throw malformed(label, '64 lower-case hexadecimal digits', describe(value));
  }
  return parseHex(value);
}

function signatureOf(value: unknown, label: string): Uint8Array {
  const expected = `base64 of 1 to ${MAX_SIGNATURE_BYTES} octets`;
  if (typeof value !== 'string' || value === '') throw malformed(label, expected, describe(value));
  let octets: Uint8Array;
  try {
    octets = parseBase64(value);
  } catch (cause) {
    throw malformed(label, expected, describe(value), cause);
  }
  if (octets.length > MAX_SIGNATURE_BYTES) throw malformed(label, expected, `${octets.length} octets`);
  return octets;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80));
  return Array.isArray(value) ? `a list of ${value.length}` : value === null ? 'null' : typeof value;
}
