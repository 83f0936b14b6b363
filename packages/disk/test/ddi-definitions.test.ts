// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { memorySource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import {
  architecturePartitionType,
  attributeNames,
  type DefinitionFile,
  definitionUuids,
  EMPTY_SLOT_LABEL,
  emptySlot,
  encodeSwapArea,
  imageSpecifiers,
  layoutDefinitions,
  type PartitionDefinition,
  parseDefinitionFile,
  parseReleaseFile,
  partitionPlace,
  partitionTypeUuid,
  readSwapArea,
  requireGpt,
  type SizedDefinition,
} from '@vouchsafe/disk';
import { needsTool, needsVectors, tempDir, vectorPath } from '@vouchsafe/testing';
import { SEED, withCode } from './support.ts';

const CONTEXT = { architecture: 'x86-64', specifiers: {} } as const;
const parse = (lines: string, context: Parameters<typeof parseDefinitionFile>[2] = CONTEXT): DefinitionFile =>
  parseDefinitionFile(`[Partition]\n${lines}`, 'test.conf', context);

function layout(...definitions: (Partial<SizedDefinition> & { readonly type: string })[]) {
  const sized = definitions.map(({ type, ...definition }, i) => {
    return { name: `p${i}`, typeUuid: partitionTypeUuid(type) ?? type, contentBytes: 0, ...definition };
  });
  return layoutDefinitions({ definitions: sized, seedUuid: SEED, sectorSize: 512 });
}

/** Label, place and attributes of each. */
const shown = (table: ReturnType<typeof layout>) =>
  table.partitions.map((p) => {
    const { offsetBytes, sizeBytes } = partitionPlace(table, p);
    return { label: p.label, uuid: p.uuid, offsetBytes, sizeBytes, attributes: attributeNames(p.attributes) };
  });

test('sizes: content, room to grow, bounds', () => {
  const sizes = (definition: Partial<SizedDefinition>) =>
    shown(layout({ type: 'var', ...definition })).map(({ sizeBytes }) => sizeBytes);
  assert.deepEqual(sizes({ contentBytes: 1 }), [4096]);
  assert.deepEqual(sizes({ contentBytes: 4097, growthBytes: 4096 }), [12288]);
  assert.deepEqual(sizes({ contentBytes: 4096, minBytes: 8193 }), [12288]);
  assert.deepEqual(sizes({ contentBytes: 4096, maxBytes: 8191 }), [4096]);
  const refused = withCode('definition_invalid');
  assert.throws(() => sizes({ contentBytes: 4097, maxBytes: 8191 }), refused);
  assert.throws(() => sizes({}), refused);
  assert.throws(() => sizes({ contentBytes: -1 }), refused);
  assert.throws(() => sizes({ contentBytes: Number.NaN }), refused);
  assert.throws(() => sizes({ contentBytes: 1, growthBytes: 2 ** 60 }), refused);
});

test('padding stands behind a partition, behind the last one too', () => {
  const table = layout({ type: 'swap', minBytes: 65536, paddingBytes: 5000 }, { type: 'var', minBytes: 4096 });
  assert.deepEqual(
    shown(table).map(({ offsetBytes }) => offsetBytes),
    [20480, 20480 + 65536 + 8192],
  );
  const plain = layout({ type: 'var', minBytes: 4096 });
  const padded = layout({ type: 'var', minBytes: 4096, paddingBytes: 8192 });
  assert.equal((padded.sectors - plain.sectors) * 512, 8192);
});

test('labels by type, numbered where one is taken', () => {
  const of = (...definitions: Parameters<typeof layout>) => shown(layout(...definitions)).map(({ label }) => label);
  const root = { type: 'root-x86-64', minBytes: 4096 };
  assert.deepEqual(of(root, root, root), ['root-x86-64', 'root-x86-64-2', 'root-x86-64-3']);
  assert.deepEqual(of({ ...root, label: 'os_1' }, root), ['os_1', 'root-x86-64']);
  assert.deepEqual(of(root, { ...root, label: 'root-x86-64' }), ['root-x86-64-2', 'root-x86-64']);
});

test('an empty slot is as its sibling, and empty', () => {
  const data: PartitionDefinition = {
    name: 'root',
    typeUuid: architecturePartitionType('root', 'arm64'),
    label: 'os_1.0',
    verity: { role: 'data', matchKey: 'root' },
  };
  const slot = emptySlot(data, 12288);
  assert.deepEqual(
    [slot.label, slot.minBytes, slot.maxBytes, slot.verity],
    [EMPTY_SLOT_LABEL, 12288, 12288, undefined],
  );
  assert.deepEqual(attributeNames(slot.attributes ?? 0n), ['readOnly']);
});

test('a definition file', () => {
  const file = parse(
    [
      '# comment',
      'Type=root',
      'Label = os_%A',
      'Format=erofs',
      'CopyFiles=/tree:/',
      'CopyFiles=/more',
      'MakeDirectories=/proc',
      'SizeMinBytes=1.5K',
      'SizeMaxBytes=\\',
      '  ; a comment inside',
      '  2G',
      'Verity=data',
      'VerityMatchKey=root',
      'Minimize=best',
    ].join('\n'),
    {
      architecture: 'arm64',
      specifiers: imageSpecifiers(parseReleaseFile('IMAGE_VERSION="7.1"\nID=testos\n', 'os-release'), 'arm64'),
    },
  );
  assert.equal(file.typeUuid, architecturePartitionType('root', 'arm64'));
  assert.equal(file.label, 'os_7.1');
  assert.deepEqual(file.copyFiles, [
    { from: '/tree', to: '/' },
    { from: '/more', to: '/more' },
  ]);
  assert.deepEqual([file.minBytes, file.maxBytes], [1536, 2 * 1024 ** 3]);
  assert.deepEqual(file.makeDirectories, ['/proc']);
  assert.deepEqual(file.verity, { role: 'data', matchKey: 'root' });
  assert.deepEqual(attributeNames(file.attributes ?? 0n), ['readOnly']);
});

test('attributes: by the type, by Flags=, by their own settings', () => {
  const of = (lines: string) => attributeNames(parse(lines).attributes ?? 0n);
  assert.deepEqual(of('Type=var'), ['growFileSystem']);
  assert.deepEqual(of('Type=swap'), []);
  assert.deepEqual(of('Type=root-verity-sig'), []);
  assert.deepEqual(of('Type=root-verity'), ['readOnly']);
  assert.deepEqual(of('Type=root\nFlags=0'), []);
  assert.deepEqual(of('Type=root\nReadOnly=yes'), ['readOnly']);
  assert.deepEqual(of('Type=root\nReadOnly=yes\nGrowFileSystem=yes'), ['growFileSystem', 'readOnly']);
  assert.deepEqual(of('Type=home\nNoAuto=on\nFlags=0x1000000000000000'), ['readOnly', 'noAuto']);
});

const REFUSED: Readonly<Record<string, string>> = {
  'no type': 'Label=x',
  'an unknown type': 'Type=rooot',
  'an architecture that is none': 'Type=root-x87',
  'a setting that is not done here': 'Type=root\nEncrypt=tpm2',
  'a misspelt setting': 'Type=root\nSizeMinByte=4K',
  'twice the same setting': 'Type=root\nType=usr',
  'a file system that is not made here': 'Type=root\nFormat=ext4',
  'a size that is none': 'Type=root\nSizeMinBytes=4KB',
  'a size of 2^64': 'Type=root\nSizeMinBytes=18446744073709551616',
  'files without a file system': 'Type=root\nCopyFiles=/a',
  'a path that climbs': 'Type=root\nFormat=erofs\nCopyFiles=/a/../b',
  'a relative path': 'Type=root\nFormat=erofs\nCopyFiles=a',
  'options of CopyFiles': 'Type=root\nFormat=erofs\nCopyFiles=/a:/b:fsverity=copy',
  'blocks and files': 'Type=root\nFormat=erofs\nCopyBlocks=/a',
  'a hash with content': 'Type=root-verity\nVerity=hash\nVerityMatchKey=x\nCopyBlocks=/a',
  'verity without a key': 'Type=root\nVerity=data',
  'other blocks': 'Type=root\nVerityDataBlockSizeBytes=1024',
  'an unknown specifier': 'Type=root\nLabel=%H',
  'flags of 65 bits': 'Type=root\nFlags=0x1ffffffffffffffff',
  'padding that contradicts itself': 'Type=root\nPaddingMinBytes=8K\nPaddingMaxBytes=4K',
  'no assignment': 'Type=root\nnothing',
  'another section': 'Type=root\n[Other]\nA=1',
};
for (const [what, lines] of Object.entries(REFUSED)) {
  test(`refused: ${what}`, () => assert.throws(() => parse(lines), withCode('definition_invalid')));
}

test('refused: no section, an assignment before it, a text of a million lines', () => {
  const refused = withCode('definition_invalid');
  assert.throws(() => parseDefinitionFile('', 'a', CONTEXT), refused);
  assert.throws(() => parseDefinitionFile('Type=root\n[Partition]', 'a', CONTEXT), refused);
  assert.throws(() => parseDefinitionFile(`[Partition]\n${'A=1\n'.repeat(1e6)}`, 'a', CONTEXT), refused);
});

test('the definitions of the vectors give the table of systemd-repart', needsVectors('image/ddi'), () => {
  const files = ['00-esp', '10-root', '11-root-verity', '12-root-verity-sig'].map((name) =>
    parseDefinitionFile(readFileSync(vectorPath('image/ddi', 'repart.d', `${name}.conf`), 'utf8'), name, CONTEXT),
  );
  assert.deepEqual(
    files.map(({ verity, format }) => verity?.role ?? format),
    ['vfat', 'data', 'hash', 'signature'],
  );
  const vector = requireGpt(memorySource(readFileSync(vectorPath('image/ddi', 'img-sig.trixie.raw'))));
  const definitions = files.slice(1).map((file, i) => {
    const partition = vector.partitions[i];
    assert.ok(partition);
    return { ...file, contentBytes: partitionPlace(vector, partition).sizeBytes };
  });
  const table = layoutDefinitions({ definitions, seedUuid: SEED, sectorSize: 512 });
  const withoutUuid = (t: typeof table) => t.partitions.map(({ uuid: _, ...partition }) => partition);
  assert.deepEqual(withoutUuid(table), withoutUuid(vector));
  assert.equal(table.diskUuid, vector.diskUuid);
});

const REPART_FILES = {
  '00-esp.conf': 'Type=esp\nSizeMinBytes=1M\nSizeMaxBytes=1M',
  '10-root.conf': 'Type=root\nLabel=os_1.0\nSizeMinBytes=100K\nSizeMaxBytes=100K',
  '15-root.conf': 'Type=root\nSizeMinBytes=100K\nSizeMaxBytes=100K',
  '20-root.conf': 'Type=root\nSizeMinBytes=100K\nSizeMaxBytes=100K',
  '25-usr.conf': 'Type=usr-arm64\nSizeMinBytes=9999\nSizeMaxBytes=20K\nReadOnly=yes',
  '26-usr.conf': 'Type=usr-verity\nSizeMinBytes=8K\nSizeMaxBytes=8K',
  '30-swap.conf': 'Type=swap\nSizeMinBytes=64K\nSizeMaxBytes=64K\nPaddingMinBytes=20K\nPaddingMaxBytes=20K',
  '40-var.conf': 'Type=var\nSizeMinBytes=64K\nSizeMaxBytes=64K\nUUID=0de879ff-284b-5dfa-061a-8b6533dfe3d2',
};

test('systemd-repart makes the same table of the same files', needsTool('systemd-repart'), (t) => {
  const folder = tempDir(t);
  const path = join(folder, 'disk.raw');
  const definitions = Object.entries(REPART_FILES).map(([name, lines]) => {
    const text = `[Partition]\n${lines}\n`;
    writeFileSync(join(folder, name), text);
    return { ...parseDefinitionFile(text, name, CONTEXT), contentBytes: 0 };
  });
  const args = ['--empty=create', '--size=8M', `--seed=${SEED}`, '--dry-run=no', `--definitions=${folder}`, path];
  execFileSync('systemd-repart', args, { stdio: 'ignore' });
  using disk = FileSource.open(path);
  const theirs = requireGpt(disk);
  const bounded = definitions.map((definition, i) => {
    // 252 gives what is free to the partition without a single size; so it is put to the size that it got.
    const partition = theirs.partitions[i];
    return { ...definition, minBytes: partition === undefined ? 0 : partitionPlace(theirs, partition).sizeBytes };
  });
  const ours = layoutDefinitions({ definitions: bounded, seedUuid: SEED, sectorSize: 512, startBytes: 1024 * 1024 });
  assert.deepEqual(ours.partitions, theirs.partitions);
  assert.equal(ours.diskUuid, theirs.diskUuid);
  assert.deepEqual(
    definitionUuids(definitions, SEED),
    theirs.partitions.map(({ uuid }) => uuid),
  );
});

test('a swap area: read back, too small', () => {
  const bytes = encodeSwapArea(65536, SEED, 'swap');
  const header = readSwapArea(memorySource(bytes));
  assert.deepEqual([header?.uuid, header?.lastPage, header?.label], [SEED, 15, 'swap']);
  assert.throws(() => encodeSwapArea(9 * 4096, SEED), withCode('options_invalid'));
  assert.equal(readSwapArea(memorySource(new Uint8Array(4096))), undefined);
  assert.equal(readSwapArea(memorySource(bytes.subarray(0, 4095))), undefined);
});

test('swaplabel reads a swap area', needsTool('swaplabel'), (t) => {
  const path = join(tempDir(t), 'swap');
  const area = new Uint8Array(65536);
  area.set(encodeSwapArea(area.length, SEED, 'swap'));
  writeFileSync(path, area);
  assert.match(execFileSync('swaplabel', [path], { encoding: 'utf8' }), new RegExp(`LABEL: swap\nUUID: {2}${SEED}`));
});
