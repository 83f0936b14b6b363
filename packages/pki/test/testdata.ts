// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export function testdataPath(path: string): string {
  return fileURLToPath(new URL(`../testdata/${path}`, import.meta.url));
}

/** A file of this package's testdata. */
export function readTestdata(path: string): Uint8Array {
  return Uint8Array.from(readFileSync(testdataPath(path)));
}
