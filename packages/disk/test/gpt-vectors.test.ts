// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { concatBytes, parseHex } from '@vouchsafe/base';
import { memorySource, readBytes } from '@vouchsafe/bytes';
import {
  attributeNames,
  diskUuidFromSeed,
  encodeGpt,
  fatVolumeIdFromUuid,
  fileSystemUuidFromPartition,
  layoutGpt,
  partitionPlace,
  partitionSource,
  partitionTypeName,
  partitionTypeUuid,
  partitionUuidFromSeed,
  partitionUuidsFromRootHash,
  readGpt,
  requireGpt,
} from '@vouchsafe/disk';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import { readTestdata, SEED } from './support.ts';

const IMAGES = ['bar.confext', 'foo.sysext', 'img-4k', 'img-arm64', 'img-nosig', 'img-sig'];

/** What systemd-repart printed about a partition. */
interface RepartPartition {
  readonly type: string;
  readonly label: string;
  readonly uuid: string;
  readonly offset: number;
  readonly raw_size: number;
  readonly roothash?: string;
}

const image = (name: string): Uint8Array => new Uint8Array(readFileSync(vectorPath('image/ddi', `${name}.trixie.raw`)));
const printed = (name: string): RepartPartition[] =>
  JSON.parse(readFileSync(vectorPath('image/ddi', `${name}.trixie.json`), 'utf8'));

for (const name of IMAGES) {
  test(`${name}: read, compared with what systemd-repart said, and written again`, needsVectors('image/ddi'), () => {
    const bytes = image(name);
    const disk = memorySource(bytes, name);
    const { table, findings, copy } = readGpt(disk);
    assert.deepEqual([findings, copy], [[], 'primary']);
    assert.ok(table);
    const found = table.partitions.map((partition) => ({
      type: partitionTypeName(partition.typeUuid),
      label: partition.label,
      uuid: partition.uuid,
      ...partitionPlace(table, partition),
    }));
    const expected = printed(name).map(({ type, label, uuid, offset, raw_size }) => {
      return { type, label, uuid, offsetBytes: offset, sizeBytes: raw_size };
    });
    assert.deepEqual(found, expected);
    const { primary, backup, backupOffsetBytes } = encodeGpt(table);
    assert.deepEqual(primary, bytes.slice(0, primary.length));
    assert.deepEqual(backup, bytes.slice(backupOffsetBytes));
  });

  test(`${name}: laid out from the sizes alone, and every UUID derived`, needsVectors('image/ddi'), () => {
    const bytes = image(name);
    const original = requireGpt(memorySource(bytes, name));
    const partitions = printed(name).map(({ type, raw_size, roothash = '' }) => {
      const typeUuid = partitionTypeUuid(type) ?? '';
      const { data, hash } = partitionUuidsFromRootHash(parseHex(roothash));
      const isSignature = type.endsWith('-sig');
      const uuid = isSignature ? partitionUuidFromSeed(SEED, typeUuid) : type.endsWith('-verity') ? hash : data;
      // systemd-repart 257 marks data and hash read-only, and not the signature.
      const attributes = isSignature ? 0n : 1n << 60n;
      return { typeUuid, uuid, label: type, attributes, sizeBytes: raw_size };
    });
    const { sectorSize } = original;
    const table = layoutGpt({ sectorSize, diskUuid: diskUuidFromSeed(SEED), partitions });
    assert.deepEqual(table, original);
    const { primary, backup } = encodeGpt(table);
    assert.deepEqual(primary, bytes.slice(0, primary.length));
    assert.deepEqual(backup, bytes.slice(-backup.length));
  });
}

test('a table of systemd-repart with sectors of 4096, without its partitions', () => {
  const [head, tail] = [readTestdata('gpt/img-4k.head'), readTestdata('gpt/img-4k.tail')];
  const bytes = concatBytes(head, new Uint8Array(1150976 - head.length - tail.length), tail);
  const table = requireGpt(memorySource(bytes, 'img-4k'));
  assert.equal(table.sectorSize, 4096);
  assert.deepEqual(
    table.partitions.map(({ label }) => label),
    ['root-x86-64', 'root-x86-64-verity'],
  );
  assert.deepEqual(
    table.partitions.map(({ attributes }) => attributeNames(attributes)),
    [['readOnly'], ['readOnly']],
  );
  const { primary, backup } = encodeGpt(table);
  assert.deepEqual(concatBytes(primary, backup), concatBytes(head, tail));
});

test('UUIDs that systemd-repart derived', () => {
  const type = (name: string): string => partitionTypeUuid(name) ?? '';
  assert.equal(diskUuidFromSeed(SEED), 'bd21aac6-0338-4a33-85d9-d14ccf6c5ea1');
  assert.equal(partitionUuidFromSeed(SEED, type('root-x86-64-verity-sig')), '6b4a9fb4-b37d-4a18-b22e-73a4227c8d65');
  const esp = partitionUuidFromSeed(SEED, type('esp'));
  assert.equal(esp, 'a7e95858-3470-4c80-a4be-0a470e35ba0c');
  assert.notEqual(partitionUuidFromSeed(SEED, type('esp'), 1), esp);
  // The volume id in the FAT on that partition.
  assert.equal(fatVolumeIdFromUuid(fileSystemUuidFromPartition(esp)), 0x4ec5cf6b);
});

test('a partition is a source of its own', needsVectors('image/ddi'), () => {
  const disk = memorySource(image('img-sig'));
  const table = requireGpt(disk);
  const [root, hash, signature] = table.partitions.map((partition) => partitionSource(disk, table, partition));
  assert.ok(root && hash && signature);
  assert.equal(new DataView(readBytes(root, 1024, 4).buffer).getUint32(0, true), 0xe0f5e1e2);
  assert.equal(String.fromCharCode(...readBytes(hash, 0, 6)), 'verity');
  assert.equal(String.fromCharCode(...readBytes(signature, 0, 12)), '{"rootHash":');
});
