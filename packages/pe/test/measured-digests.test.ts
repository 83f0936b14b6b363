// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileSource } from '@vouchsafe/bytes/node';
import { digestMeasuredByFirmware, openPe } from '@vouchsafe/pe';
import { startMeasuredDigests } from '@vouchsafe/pe/node';
import { needsVectors, tempDir, vectorPath } from '@vouchsafe/testing';

const ALGORITHMS = ['sha1', 'sha256', 'sha384', 'sha512'] as const;

type Digests = ReturnType<NonNullable<ReturnType<typeof startMeasuredDigests>>['take']>;

/** Takes them once the thread has begun, however long a busy machine needs to start one. */
async function whenBegun(source: FileSource): Promise<Digests> {
  for (let attempt = 1; attempt <= 10; attempt++) {
    const started = startMeasuredDigests(source, ALGORITHMS);
    await sleep(400 * attempt);
    const digests = started?.take();
    if (digests !== undefined) return digests;
  }
  return undefined;
}

test('another thread computes the same digests', needsVectors('image', 'boot'), async () => {
  using source = FileSource.open(vectorPath('image', 'boot', 'uki-252.39.efi'));
  const digests = await whenBegun(source);
  const pe = openPe(source);
  for (const algorithm of ALGORITHMS) {
    assert.deepEqual(digests?.get(algorithm), digestMeasuredByFirmware(pe, algorithm));
  }
});

test('what is no PE file is left to the caller', (t) => {
  const path = join(tempDir(t), 'odd');
  writeFileSync(path, 'not a PE file');
  using source = FileSource.open(path);
  assert.equal(startMeasuredDigests(source, ['sha256'])?.take(), undefined);
});
