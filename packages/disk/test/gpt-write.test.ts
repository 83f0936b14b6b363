// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { memorySource } from '@vouchsafe/bytes';
import {
  architecturePartitionType,
  attributeNames,
  commonPartitionType,
  encodeAttributes,
  encodeGpt,
  type GptLayoutRequest,
  type GptTable,
  layoutGpt,
  PARTITION_ARCHITECTURES,
  partitionPlace,
  partitionTypeName,
  partitionTypeUuid,
  partitionUuidFromSeed,
  partitionUuidsFromRootHash,
  readGpt,
  requireGpt,
  writeGpt,
} from '@vouchsafe/disk';
import { needsTool, tempDir } from '@vouchsafe/testing';
import fc from 'fast-check';
import { SEED, SparseBytes, withCode, writeFile } from './support.ts';

const ESP = commonPartitionType('esp');
const uuidOf = (n: number): string => partitionUuidFromSeed(SEED, ESP, n);

function request(overrides: Partial<GptLayoutRequest> = {}): GptLayoutRequest {
  const partition = (n: number, sizeBytes: number) => ({
    typeUuid: ESP,
    uuid: uuidOf(n),
    label: `part ${n}`,
    sizeBytes,
  });
  return { sectorSize: 512, diskUuid: SEED, partitions: [partition(1, 100_000), partition(2, 4096)], ...overrides };
}

/** Octets of the whole disk, with nothing in the partitions. */
function disk(table: GptTable): SparseBytes {
  const bytes = new SparseBytes();
  writeGpt(bytes, table);
  return bytes;
}

test('the first partition is at octet 20480, all begin and end at the grain, and the disk is as small as can be', () => {
  const table = layoutGpt(request());
  const places = table.partitions.map((partition) => partitionPlace(table, partition));
  assert.deepEqual(places, [
    { offsetBytes: 20480, sizeBytes: 102400 },
    { offsetBytes: 122880, sizeBytes: 4096 },
  ]);
  assert.equal(table.sectors * 512, 126976 + 20480);
});

test('offsets, a start and a size that are asked for', () => {
  const [first, second] = request().partitions;
  assert.ok(first && second);
  const sizeBytes = 4 * 1024 * 1024;
  const partitions = [first, { ...second, offsetBytes: 2 * 1024 * 1024 + 512 }];
  const table = layoutGpt(request({ partitions, sizeBytes, startBytes: 1024 * 1024 }));
  const offsets = table.partitions.map((partition) => partitionPlace(table, partition).offsetBytes);
  assert.deepEqual(offsets, [1024 * 1024, 2 * 1024 * 1024 + 512]);
  assert.equal(disk(table).size, sizeBytes);
  assert.throws(() => layoutGpt(request({ sizeBytes: 126976 + 16896 - 512 })), withCode('no_space'));
  assert.equal(layoutGpt(request({ sizeBytes: 126976 + 16896 })).sectors, 281);
});

const label = fc.string({ maxLength: 36, unit: 'binary' }).filter((text) => text.length <= 36 && !text.includes('\0'));
const layout = fc.record({
  sectorSize: fc.constantFrom(512 as const, 4096 as const),
  entryCount: fc.integer({ min: 4, max: 300 }),
  partitions: fc.array(
    fc.record({ label, sizeBytes: fc.integer({ min: 1, max: 2 ** 40 }), attributes: fc.bigInt(0n, 2n ** 64n - 1n) }),
    { maxLength: 4 },
  ),
});

test('what is written is read the same, and without a finding but for reserved bits', () => {
  fc.assert(
    fc.property(layout, ({ sectorSize, entryCount, partitions }) => {
      const table = layoutGpt({
        sectorSize,
        diskUuid: SEED,
        entryCount,
        partitions: partitions.map((partition, n) => ({ ...partition, typeUuid: ESP, uuid: uuidOf(n) })),
      });
      const report = readGpt(disk(table));
      assert.deepEqual(report.table, table);
      assert.deepEqual(
        report.findings.filter(({ code }) => code !== 'attribute_unknown'),
        [],
      );
    }),
    { numRuns: 60 },
  );
});

for (const [what, sectorSize, entryCount] of [
  ['sectors of 512', 512, 128],
  ['few entries', 512, 4],
  ['many entries', 512, 1000],
] as const) {
  test(`sgdisk and sfdisk find nothing wrong: ${what}`, needsTool('sgdisk', 'sfdisk'), (t) => {
    const table = layoutGpt(request({ sectorSize, entryCount, sizeBytes: 8 * 1024 * 1024 }));
    const path = writeFile(join(tempDir(t), 'disk.img'), (sink) => writeGpt(sink, table));
    const sgdisk = execFileSync('sgdisk', ['-v', path], { encoding: 'utf8' });
    assert.match(sgdisk, /No problems found/);
    const sfdisk = spawnSync('sfdisk', ['--verify', path], { encoding: 'utf8' });
    assert.equal(sfdisk.status, 0, sfdisk.stderr);
    assert.match(sfdisk.stdout + sfdisk.stderr, /No errors detected/);
    const dump = JSON.parse(execFileSync('sfdisk', ['--json', path], { encoding: 'utf8' }));
    assert.equal(dump.partitiontable.id.toLowerCase(), SEED);
    assert.deepEqual(
      dump.partitiontable.partitions.map(({ start, size, name }: Record<string, unknown>) => [start, size, name]),
      [
        [Number(table.partitions[0]?.firstLba), 200, 'part 1'],
        [Number(table.partitions[1]?.firstLba), 8, 'part 2'],
      ],
    );
  });
}

test('what sgdisk and sfdisk write is read without a finding', needsTool('sgdisk', 'sfdisk'), (t) => {
  const dir = tempDir(t);
  for (const make of [
    (path: string) => execFileSync('sgdisk', ['-o', '-n', '1:0:+1M', '-t', '1:8304', '-c', '1:röot', path]),
    (path: string) => execFileSync('sfdisk', [path], { input: 'label: gpt\nsize=2048, type=U, name="esp"\n' }),
  ]) {
    const path = writeFile(join(dir, 'disk.img'), (sink) => sink.write(8 * 1024 * 1024 - 1, new Uint8Array(1)));
    make(path);
    const bytes = new Uint8Array(execFileSync('cat', [path], { maxBuffer: 2 ** 24 }));
    const { table, findings } = readGpt(memorySource(bytes));
    assert.deepEqual(findings, []);
    assert.match(table?.partitions[0]?.label ?? '', /röot|esp/);
  }
});

test('a table that UEFI does not allow is not written', () => {
  const table = layoutGpt(request({ sizeBytes: 1024 * 1024 }));
  const [first, second] = table.partitions;
  assert.ok(first && second);
  const cases: [DiskErrorCodeOf, Partial<GptTable>][] = [
    ['options_invalid', { sectorSize: 1024 as 512 }],
    ['options_invalid', { sectors: 1.5 }],
    ['options_invalid', { diskUuid: 'disk' }],
    ['limit', { entryCount: 0 }],
    ['limit', { entryCount: 32769 }],
    ['options_invalid', { firstUsableLba: 33n }],
    ['options_invalid', { lastUsableLba: BigInt(table.sectors - 33) }],
    ['options_invalid', { partitions: [first, { ...second, index: 0 }] }],
    ['options_invalid', { partitions: [{ ...first, index: 128 }] }],
    ['options_invalid', { partitions: [first, { ...second, uuid: first.uuid.toUpperCase() }] }],
    ['options_invalid', { partitions: [first, { ...second, firstLba: first.lastLba }] }],
    ['options_invalid', { partitions: [{ ...first, typeUuid: '00000000-0000-0000-0000-000000000000' }] }],
    ['name_invalid', { partitions: [{ ...first, label: 'x'.repeat(37) }] }],
    ['partition_range', { partitions: [{ ...first, firstLba: 33n }] }],
    ['partition_range', { partitions: [{ ...first, lastLba: table.lastUsableLba + 1n }] }],
    ['partition_range', { partitions: [{ ...first, lastLba: first.firstLba - 1n }] }],
    ['partition_range', { partitions: [{ ...first, lastLba: 2n ** 63n }] }],
  ];
  for (const [code, change] of cases) assert.throws(() => encodeGpt({ ...table, ...change }), withCode(code));
  // Each bound itself is good.
  encodeGpt({ ...table, firstUsableLba: 34n, lastUsableLba: BigInt(table.sectors - 34) });
  encodeGpt({ ...table, partitions: [{ ...first, firstLba: 34n, label: 'x'.repeat(36) }] });
});

type DiskErrorCodeOf = Parameters<typeof withCode>[0];

test('what a layout refuses', () => {
  assert.throws(() => layoutGpt(request({ grainBytes: 256 })), withCode('options_invalid'));
  assert.throws(() => layoutGpt(request({ grainBytes: 6000 })), withCode('options_invalid'));
  assert.throws(() => layoutGpt(request({ entryCount: 1 })), withCode('limit'));
  const [first] = request().partitions;
  assert.ok(first);
  for (const bad of [{ sizeBytes: 0 }, { sizeBytes: Number.NaN }, { offsetBytes: 20481 }, { offsetBytes: -512 }]) {
    assert.throws(() => layoutGpt(request({ partitions: [{ ...first, ...bad }] })), withCode('options_invalid'));
  }
  assert.throws(() => partitionUuidsFromRootHash(new Uint8Array(31)), withCode('options_invalid'));
});

test('type UUIDs of every architecture, by name and back', () => {
  const all = PARTITION_ARCHITECTURES.flatMap((architecture) =>
    (['root', 'root-verity', 'root-verity-sig', 'usr', 'usr-verity', 'usr-verity-sig'] as const).map((role) =>
      architecturePartitionType(role, architecture),
    ),
  );
  assert.equal(new Set(all).size, 48);
  for (const uuid of all) assert.equal(partitionTypeUuid(partitionTypeName(uuid) ?? ''), uuid);
  assert.equal(partitionTypeName(architecturePartitionType('usr-verity-sig', 'ppc64-le')), 'usr-ppc64-le-verity-sig');
  assert.equal(partitionTypeUuid('root'), undefined);
});

test('attribute bits by name', () => {
  assert.equal(encodeAttributes(['readOnly', 'noAuto', 'growFileSystem']), 0x9800000000000000n);
  assert.deepEqual(attributeNames(0x9800000000000005n), [
    'requiredPartition',
    'legacyBiosBootable',
    'growFileSystem',
    'readOnly',
    'noAuto',
  ]);
});

test('a table that the strict reader takes is the one that was written', () => {
  const table = layoutGpt(request());
  assert.deepEqual(requireGpt(disk(table), 512), table);
});
