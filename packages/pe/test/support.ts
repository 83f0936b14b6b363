// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { type ByteSource, MemorySink, memorySource } from '@vouchsafe/bytes';
import { openPe, type PeFile } from '@vouchsafe/pe';
import { type Certificate, decodeCertificates, type Signer } from '@vouchsafe/pki';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import { vectorPath } from '@vouchsafe/testing';

/** The longest file that a test writes. */
const MAX_OUTPUT_BYTES = 32 * 1024 * 1024;

export function imagePath(...parts: string[]): string {
  return vectorPath('image', ...parts);
}

/** A plain array: tests must not depend on what Buffer adds. */
export function readImage(...parts: string[]): Uint8Array {
  return new Uint8Array(readFileSync(imagePath(...parts)));
}

export function imageSource(...parts: string[]): ByteSource {
  return memorySource(readImage(...parts), parts.at(-1));
}

export function openImage(...parts: string[]): PeFile {
  return openPe(imageSource(...parts));
}

export function openBytes(bytes: Uint8Array): PeFile {
  return openPe(memorySource(bytes));
}

/** What the function writes. */
export async function written(write: (sink: MemorySink) => Promise<unknown>): Promise<Uint8Array> {
  const sink = new MemorySink(MAX_OUTPUT_BYTES);
  await write(sink);
  return sink.bytes();
}

/** A key of the vectors with its certificate: PK, KEK, db, verity. */
export function testSigner(name: string): Promise<Signer> {
  const keys = imagePath('uki', 'keys');
  return openKeyFileSigner({ keyPath: `${keys}/${name}.key`, certificatePath: `${keys}/${name}.crt` });
}

export function testCertificate(name: string): Certificate {
  const [certificate] = decodeCertificates(readImage('uki', 'keys', `${name}.crt`));
  if (certificate === undefined) throw new Error(`no certificate in ${name}.crt`);
  return certificate;
}
