// SPDX-License-Identifier: Apache-2.0
// IMA lists as Linux writes them: security/integrity/ima/ima_fs.c, ima_template_lib.c.
import { concatBytes, utf8 } from '@vouchsafe/base';
import { encode, u32le } from '@vouchsafe/codec';
import type { FileList } from '@vouchsafe/manifest';
import type { PcrValue } from '@vouchsafe/tpm';
import { GOOD } from './scene.ts';
import { hash, type MadeEvent, pcrsAfter } from './support.ts';

export interface MadeEntry {
  readonly template: 'ima-ng' | 'ima-sig' | 'ima-buf';
  readonly data: Uint8Array;
  readonly isViolation?: boolean;
}

const u32 = (value: number): Uint8Array => encode(u32le, value);
const sized = (bytes: Uint8Array): Uint8Array => concatBytes(u32(bytes.length), bytes);
const digestField = (digest: Uint8Array): Uint8Array => concatBytes(utf8('sha256:\0'), digest);

/** A file with this content was used. */
export function file(path: string | Uint8Array, content: string): MadeEntry {
  return fileDigest(path, hash('sha256', utf8(content)));
}

export function fileDigest(path: string | Uint8Array, digest: Uint8Array): MadeEntry {
  const name = typeof path === 'string' ? utf8(path) : path;
  return {
    template: 'ima-ng',
    data: concatBytes(sized(digestField(digest)), sized(concatBytes(name, Uint8Array.of(0)))),
  };
}

/** A file with a signature in security.ima, in the template that logs it. */
export function signedFile(path: string, content: string, signature: Uint8Array): MadeEntry {
  const { data } = file(path, content);
  return { template: 'ima-sig', data: concatBytes(data, sized(signature)) };
}

export const violation = (path: string): MadeEntry => ({
  template: 'ima-ng',
  data: concatBytes(sized(digestField(new Uint8Array(32))), sized(utf8(`${path}\0`))),
  isViolation: true,
});

export function buffer(name: string, text: string, measured = text): MadeEntry {
  const data = concatBytes(
    sized(digestField(hash('sha256', utf8(measured)))),
    sized(utf8(`${name}\0`)),
    sized(utf8(text)),
  );
  return { template: 'ima-buf', data };
}

/** What every list begins with: the digest over PCR 0 to 9 of a boot. */
export function aggregate(boot: readonly MadeEvent[] = GOOD): MadeEntry {
  const values = pcrsAfter(boot).filter(({ pcr }) => pcr < 10);
  return fileDigest('boot_aggregate', hash('sha256', ...values.map(({ value }) => value)));
}

/** The binary list. */
export function listOf(entries: readonly MadeEntry[]): Uint8Array {
  return concatBytes(
    ...entries.map(({ template, data, isViolation }) =>
      concatBytes(u32(10), isViolation ? new Uint8Array(20) : hash('sha1', data), sized(utf8(template)), sized(data)),
    ),
  );
}

/** PCR 10 after the entries. */
export function pcr10After(entries: readonly MadeEntry[]): Uint8Array {
  return entries.reduce<Uint8Array>(
    (value, { data, isViolation }) =>
      hash('sha256', value, isViolation ? new Uint8Array(32).fill(0xff) : hash('sha256', data)),
    new Uint8Array(32),
  );
}

/** Values with another PCR 10. */
export function withPcr(values: readonly PcrValue[], pcr: number, value: Uint8Array): PcrValue[] {
  return values.map((one) => (one.pcr === pcr ? { ...one, value } : one));
}

const CONTENT = { '/usr/bin/agent': 'the agent', '/usr/lib/libc.so.6': 'the C library', '/usr/share/data': 'data' };

/** The files of the made image. */
export const FILES: FileList = {
  of: 'root',
  files: Object.entries(CONTENT).map(([path, content]) => ({
    ...{ path, sizeBytes: content.length, isExecutable: path !== '/usr/share/data' },
    sha256: Buffer.from(hash('sha256', utf8(content))).toString('hex'),
  })),
};

/** A machine that did what the image does. */
export const USED: readonly MadeEntry[] = [
  aggregate(),
  file('/usr/lib/libc.so.6', 'the C library'),
  file('/usr/bin/agent', 'the agent'),
];
