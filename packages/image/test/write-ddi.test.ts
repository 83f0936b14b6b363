// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { toHex } from '@vouchsafe/base';
import { memorySource, readBytes, sliceSource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import {
  type FileTree,
  findFatEntry,
  type GptPartition,
  openFat,
  openFatFile,
  partitionPlace,
  partitionSource,
  partitionTypeUuid,
  requireGpt,
} from '@vouchsafe/disk';
import { type DdiPartition, type RootHashes, writeDdi } from '@vouchsafe/image';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import { needsTool, needsVectors, tempDir, vectorPath } from '@vouchsafe/testing';
import { readHeader } from '@vouchsafe/verity';
import { codeOfRejected } from './support.ts';

const SEED = '48c56959-5579-5709-85af-f5393936a4d8';
const TIMESTAMP = 1700000000;

const type = (name: string): string => {
  const uuid = partitionTypeUuid(name);
  assert.ok(uuid, name);
  return uuid;
};
const owned = { uid: 0, gid: 0, mtimeSeconds: TIMESTAMP } as const;
const text = (content: string) => memorySource(new TextEncoder().encode(content));

function smallTree(): FileTree {
  return [
    { path: '', kind: 'directory', mode: 0o755, ...owned },
    { path: 'etc', kind: 'directory', mode: 0o755, ...owned },
    { path: 'etc/os-release', kind: 'file', mode: 0o644, ...owned, content: text('ID=testos\nVERSION_ID=7\n') },
    { path: 'blob', kind: 'file', mode: 0o600, ...owned, content: memorySource(new Uint8Array(300_000).fill(7)) },
  ];
}

const verity = (role: 'data' | 'hash' | 'signature', matchKey = 'root') => ({ role, matchKey });

function rootPartitions(content: DdiPartition['content']): DdiPartition[] {
  return [
    { name: 'root', typeUuid: type('root-x86-64'), verity: verity('data'), content },
    { name: 'hash', typeUuid: type('root-x86-64-verity'), verity: verity('hash') },
  ];
}

const request = (path: string, partitions: readonly DdiPartition[]) => {
  return { partitions, seedUuid: SEED, timestampSeconds: TIMESTAMP, path };
};
const refused = async (t: TestContext, partitions: readonly DdiPartition[]): Promise<string> =>
  codeOfRejected(writeDdi(request(join(tempDir(t), 'disk.raw'), partitions)));

for (const name of ['img-sig', 'img-nosig', 'img-arm64', 'img-4k', 'foo.sysext', 'bar.confext']) {
  test(`${name}: the whole image of systemd-repart, from its file system`, needsVectors('image/ddi'), async (t) => {
    const theirs = new Uint8Array(readFileSync(vectorPath('image/ddi', `${name}.trixie.raw`)));
    const disk = memorySource(theirs, name);
    const table = requireGpt(disk);
    const header = readHeader(partitionSource(disk, table, table.partitions[1] as GptPartition), 0);
    const dataBytes = header.dataBlocks * header.dataBlockSize;
    const roles = ['data', 'hash', 'signature'] as const;
    const partitions = table.partitions.map((partition, i): DdiPartition => {
      // Its partitions are larger than the file system and the tree; the tree covers the file system alone.
      const { sizeBytes } = partitionPlace(table, partition);
      const source = sliceSource(partitionSource(disk, table, partition), 0, i === 0 ? dataBytes : 0);
      return {
        name: partition.label,
        typeUuid: partition.typeUuid,
        minBytes: sizeBytes,
        verity: verity(roles[i] ?? 'data'),
        content: i === 0 ? { kind: 'blocks', source } : undefined,
      };
    });
    const path = join(tempDir(t), 'disk.raw');
    const signer = await openKeyFileSigner({
      keyPath: vectorPath('image/uki/keys/verity.key'),
      certificatePath: vectorPath('image/uki/keys/verity.crt'),
    });
    await writeDdi({ ...request(path, partitions), sectorSize: table.sectorSize, signer });
    const ours = readFileSync(path);
    const at = ours.findIndex((octet, i) => octet !== theirs[i]);
    assert.deepEqual([at, ours.length], [-1, theirs.length]);
  });
}

test('a disk for two versions: slots, swap, var and an ESP that knows the root hash', async (t) => {
  const folder = tempDir(t);
  const asked: string[] = [];
  const members = async (rootHashes: RootHashes) => {
    const rootHash = toHex(rootHashes.get('root') ?? new Uint8Array(0));
    asked.push(rootHash);
    return [{ path: 'loader/entries/a.conf', content: text(`options roothash=${rootHash}\n`) }];
  };
  const partitions: DdiPartition[] = [
    {
      name: 'esp',
      typeUuid: type('esp'),
      maxBytes: 40 * 1024 * 1024,
      content: { kind: 'vfat', members, label: 'ESP' },
    },
    ...rootPartitions({ kind: 'erofs', tree: smallTree() }).map((p) => ({
      ...p,
      label: `os_1.0`,
      growthBytes: 1 << 20,
    })),
    { name: 'slot', typeUuid: type('root-x86-64'), label: '_empty', minBytes: 2 << 20 },
    { name: 'swap', typeUuid: type('swap'), minBytes: 1 << 20, content: { kind: 'swap' } },
    { name: 'var', typeUuid: type('var'), minBytes: 1 << 20, paddingBytes: 1 << 20 },
  ];
  const [one, two] = [join(folder, 'one.raw'), join(folder, 'two.raw')];
  const { rootHashes, table, sizeBytes } = await writeDdi(request(one, partitions));
  const rootHash = rootHashes.get('root') as Uint8Array;
  assert.deepEqual(asked, ['00'.repeat(32), toHex(rootHash)]);
  await writeDdi(request(two, partitions));
  assert.ok(readFileSync(one).equals(readFileSync(two)));
  assert.equal(sizeBytes, readFileSync(one).length);
  using disk = FileSource.open(one);
  assert.deepEqual(requireGpt(disk), table);
  const uuids = table.partitions.slice(1, 3).map(({ uuid }) => uuid.replaceAll('-', ''));
  assert.deepEqual(uuids, [toHex(rootHash.subarray(0, 16)), toHex(rootHash.subarray(16))]);
  const [esp, root, hash] = table.partitions.map((partition) => partitionSource(disk, table, partition));
  assert.ok(esp && root && hash);
  assert.equal(esp.size, 40 * 1024 * 1024);
  const volume = openFat(esp);
  const file = openFatFile(volume, findFatEntry(volume, 'loader/entries/a.conf'));
  assert.equal(Buffer.from(readBytes(file, 0, file.size)).toString(), `options roothash=${toHex(rootHash)}\n`);
  // Room to grow for the data; and for the tree that it may then need.
  assert.ok(root.size >= 300_000 + (1 << 20) && hash.size >= (root.size / 4096) * 32);
});

test(
  'sgdisk, sfdisk and veritysetup take it',
  needsTool('sgdisk', 'sfdisk', 'veritysetup', 'fsck.erofs'),
  async (t) => {
    const folder = tempDir(t);
    const path = join(folder, 'disk.raw');
    const { table, rootHashes } = await writeDdi(request(path, rootPartitions({ kind: 'erofs', tree: smallTree() })));
    assert.match(execFileSync('sgdisk', ['-v', path], { encoding: 'utf8' }), /No problems found/);
    assert.equal(spawnSync('sfdisk', ['--verify', path]).status, 0);
    using disk = FileSource.open(path);
    const files = table.partitions.map((partition, i) => {
      const source = partitionSource(disk, table, partition);
      const file = join(folder, `part${i}`);
      writeFileSync(file, readBytes(source, 0, source.size));
      return file;
    });
    execFileSync('veritysetup', ['verify', ...files, toHex(rootHashes.get('root') as Uint8Array)]);
    execFileSync('fsck.erofs', [files[0] as string]);
  },
);

test('definitions that make no image leave none', async (t) => {
  const content = { kind: 'blocks', source: text('x') } as const;
  const [data, hash] = rootPartitions(content) as [DdiPartition, DdiPartition];
  assert.equal(await refused(t, [data]), 'definition_invalid');
  assert.equal(await refused(t, [hash]), 'definition_invalid');
  assert.equal(await refused(t, [data, hash, hash]), 'definition_invalid');
  assert.equal(await refused(t, [{ ...data, content: undefined }, hash]), 'definition_invalid');
  const signature = { name: 'sig', typeUuid: type('root-x86-64-verity-sig'), verity: verity('signature') };
  assert.equal(await refused(t, [data, hash, signature]), 'definition_invalid');
  assert.equal(await refused(t, [{ ...data, verity: undefined, maxBytes: 100 }]), 'definition_invalid');
  const esp = { name: 'esp', typeUuid: type('esp'), minBytes: 1 << 20, maxBytes: 1 << 20 };
  assert.equal(await refused(t, [{ ...esp, content: { kind: 'vfat', members: [] } }]), 'options_invalid');
});
