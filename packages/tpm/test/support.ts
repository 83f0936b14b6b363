// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { parseUtf8 } from '@vouchsafe/base';
import { parsePem } from '@vouchsafe/pki';
import { isTpmHash, type PcrSelection, type PcrValue, TPM_HASH, type TpmHash } from '@vouchsafe/tpm';

/** A file of testdata/. */
export function testdata(path: string): Uint8Array {
  return Uint8Array.from(readFileSync(new URL(`../testdata/${path}`, import.meta.url)));
}

/** The SubjectPublicKeyInfo of a PEM file. */
export function spkiOfPem(pem: Uint8Array): Uint8Array {
  const [block] = parsePem(parseUtf8(pem));
  if (block === undefined) throw new Error('expected a PEM block');
  return block.bytes;
}

const hashByNumber = (value: number): TpmHash => {
  const [name] = Object.entries(TPM_HASH).find(([, number]) => number === value) ?? [];
  if (!isTpmHash(name)) throw new Error(`expected a hash, found ${value}`);
  return name;
};

/**
 * What `tpm2_quote -o` writes by default: the C structures of tpm2-tss as they lie in memory, little-endian here. A
 * TPML_PCR_SELECTION (count, 16 of 8 octets), then a count of TPML_DIGEST (count, 8 of 66 octets).
 */
export function parsePcrFile(file: Uint8Array): { selection: PcrSelection[]; values: PcrValue[] } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const selection: PcrSelection[] = [];
  for (let i = 0; i < view.getUint32(0, true); i++) {
    const at = 4 + 8 * i;
    const pcrs: number[] = [];
    for (let pcr = 0; pcr < 8 * view.getUint8(at + 2); pcr++) {
      if ((view.getUint8(at + 3 + (pcr >> 3)) >> (pcr & 7)) & 1) pcrs.push(pcr);
    }
    selection.push({ bank: hashByNumber(view.getUint16(at, true)), pcrs });
  }
  const digests: Uint8Array[] = [];
  for (let list = 0; list < view.getUint32(132, true); list++) {
    const at = 136 + 532 * list;
    for (let i = 0; i < view.getUint32(at, true); i++) {
      const start = at + 4 + 66 * i;
      digests.push(file.subarray(start + 2, start + 2 + view.getUint16(start, true)));
    }
  }
  const values = selection.flatMap(({ bank, pcrs }) => pcrs.map((pcr) => ({ bank, pcr })));
  return { selection, values: values.map((place, i) => ({ ...place, value: digests[i] ?? new Uint8Array() })) };
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
