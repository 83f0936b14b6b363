// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { concatBytes, utf8 } from '@vouchsafe/base';
import { encode, u16le, u32le } from '@vouchsafe/codec';
import type { TcgEventType } from '@vouchsafe/eventlog';
import { TCG_EVENT_TYPES } from '@vouchsafe/eventlog';
import { vectorPath } from '@vouchsafe/testing';
import { type PcrValue, TPM_HASH, type TpmHash, tpmDigest, tpmHashSize, type VerifiedQuote } from '@vouchsafe/tpm';

/** A file of the shared vectors; `.b64` files decoded. */
export function readVector(...parts: string[]): Uint8Array {
  const path = vectorPath(...parts);
  if (path.endsWith('.b64')) return Uint8Array.from(Buffer.from(readFileSync(path, 'latin1'), 'base64'));
  return Uint8Array.from(readFileSync(path));
}

export function readJson(...parts: string[]): unknown {
  return JSON.parse(readFileSync(vectorPath(...parts), 'utf8'));
}

/** The code of what `run` throws; fails where it throws nothing or something without a code. */
export function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
  throw new Error('expected an error, found a value');
}

const u32 = (value: number): Uint8Array => encode(u32le, value);
const u16 = (value: number): Uint8Array => encode(u16le, value);
const sized = (bytes: Uint8Array): Uint8Array => concatBytes(u32(bytes.length), bytes);

/** An event to build a log of. */
export interface MadeEvent {
  readonly pcr: number;
  readonly type: TcgEventType | number;
  readonly data: Uint8Array;
  /** What the digests are of; the data unless given. */
  readonly measured?: Uint8Array;
  /** The digests themselves, where they are not of anything. */
  readonly digest?: Uint8Array;
}

const typeNumber = (type: TcgEventType | number): number => (typeof type === 'number' ? type : TCG_EVENT_TYPES[type]);

/** A header of a crypto agile log, written by hand and not by the declarations under test. */
export function specIdEvent(banks: readonly (readonly [number, number])[], signature = 'Spec ID Event03'): Uint8Array {
  const data = concatBytes(
    utf8(`${signature}\0`),
    u32(0),
    Uint8Array.of(0, 2, 0, 2),
    u32(banks.length),
    ...banks.flatMap(([algorithm, size]) => [u16(algorithm), u16(size)]),
    Uint8Array.of(0),
  );
  return concatBytes(u32(0), u32(3), new Uint8Array(20), sized(data));
}

function digestsOf(event: MadeEvent, banks: readonly TpmHash[]): Uint8Array {
  const digests = banks.map((bank) => {
    const isZero = event.type === 'EV_NO_ACTION' && event.digest === undefined;
    const zeros = new Uint8Array(tpmHashSize(bank));
    const digest = isZero ? zeros : (event.digest ?? tpmDigest(bank, event.measured ?? event.data));
    return concatBytes(u16(TPM_HASH[bank]), digest);
  });
  return concatBytes(u32(banks.length), ...digests);
}

/** One TCG_PCR_EVENT2. */
export function agileEvent(event: MadeEvent, banks: readonly TpmHash[]): Uint8Array {
  const head = concatBytes(u32(event.pcr), u32(typeNumber(event.type)));
  return concatBytes(head, digestsOf(event, banks), sized(event.data));
}

/** A crypto agile log. */
export function agileLog(events: readonly MadeEvent[], banks: readonly TpmHash[] = ['sha256']): Uint8Array {
  const header = specIdEvent(banks.map((bank) => [TPM_HASH[bank], tpmHashSize(bank)]));
  return concatBytes(header, ...events.map((event) => agileEvent(event, banks)));
}

export const separator = (pcr: number): MadeEvent => ({ pcr, type: 'EV_SEPARATOR', data: new Uint8Array(4) });

/** PCR 0 to 7 with a separator each. */
export const SEPARATORS: readonly MadeEvent[] = [0, 1, 2, 3, 4, 5, 6, 7].map(separator);

export const locality = (value: number, pcr = 0): MadeEvent => ({
  pcr,
  type: 'EV_NO_ACTION',
  data: concatBytes(utf8('StartupLocality\0'), Uint8Array.of(value)),
});

/** One IMA entry with a template digest of SHA-1. */
export function imaEntry(name: string, data: Uint8Array, digest = tpmDigest('sha1', data)): Uint8Array {
  return concatBytes(u32(10), digest, sized(utf8(name)), name === 'ima' ? data : sized(data));
}

/** Template data of ima-ng. */
export function imaNgData(path: Uint8Array | string, fileDigest = new Uint8Array(32).fill(1)): Uint8Array {
  const name = typeof path === 'string' ? utf8(`${path}\0`) : path;
  return concatBytes(sized(concatBytes(utf8('sha256:\0'), fileDigest)), sized(name));
}

/** PCR values as if a quote over them had been verified; how that is done is tested in packages/tpm. */
export function quoted(pcrs: readonly PcrValue[]): VerifiedQuote {
  return { pcrs } as Partial<VerifiedQuote> as VerifiedQuote;
}
