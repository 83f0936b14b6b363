// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { toHex } from '@vouchsafe/base';
import { InPlaceFile } from '@vouchsafe/bytes/node';
import { type GptTable, partitionPlace, readGpt, writeGpt } from '@vouchsafe/disk';
import { type DiskVerdict, type ImageFinding, verifyDisk, type WrittenDdi, writeDdi } from '@vouchsafe/image';
import { certificateLists } from '@vouchsafe/pe';
import { type Certificate, decodeCertificates } from '@vouchsafe/pki';
import { needsVectors, tempDir, vectorPath } from '@vouchsafe/testing';
import {
  type DiskChoice,
  directory,
  file,
  makeDisk,
  opened,
  otherCertificate,
  rootPartitions,
  rootTree,
  SEED,
  TIMESTAMP,
  testSigner,
  typeUuid,
} from './made-disk.ts';
import { codeOfRejected } from './support.ts';

const NO_OWNER = '00000000-0000-0000-0000-000000000000';

async function verify(
  t: TestContext,
  path: string,
  trusted: readonly Certificate[],
  name = 'disk',
): Promise<DiskVerdict> {
  const db =
    trusted.length === 0
      ? undefined
      : certificateLists(
          trusted.map(({ bytes }) => bytes),
          NO_OWNER,
        );
  return verifyDisk(opened(t, path), { rootHashSigners: trusted, db, name });
}

const codes = (findings: readonly ImageFinding[], severity: string): string[] => [
  ...new Set(findings.filter((finding) => finding.severity === severity).map(({ code }) => code)),
];

interface Made {
  readonly path: string;
  readonly written: WrittenDdi;
  readonly trusted: readonly Certificate[];
}

async function made(t: TestContext, choice: DiskChoice = {}): Promise<Made> {
  const path = join(tempDir(t), 'disk.raw');
  const { written } = await makeDisk(path, choice);
  return { path, written, trusted: [(await testSigner()).certificate] };
}

/** Turns the bits of an octet of a partition. */
function flip(path: string, table: GptTable, index: number, offset: number): void {
  const at = partitionPlace(table, table.partitions[index] as GptTable['partitions'][0]).offsetBytes + offset;
  const fd = openSync(path, 'r+');
  const octet = new Uint8Array(1);
  readSync(fd, octet, 0, 1, at);
  writeSync(fd, Uint8Array.of((octet[0] as number) ^ 0xff), 0, 1, at);
  closeSync(fd);
}

function rewriteTable(path: string, table: GptTable): void {
  const disk = InPlaceFile.open(path);
  writeGpt(disk, table);
  disk.flush();
  disk.close();
}

const [ESP, ROOT, HASH, SIGNATURE] = [0, 1, 2, 3] as const;

test('a disk with everything in order', async (t) => {
  const { path, written, trusted } = await made(t);
  const verdict = await verify(t, path, trusted);
  assert.deepEqual([verdict.isGood, codes(verdict.findings, 'error')], [true, []]);
  const rootHash = toHex(written.rootHashes.get('root') as Uint8Array);
  assert.equal(verdict.roots.length, 1);
  assert.deepEqual([verdict.roots[0]?.rootHash, verdict.roots[0]?.what], [rootHash, 'root']);
  assert.equal(verdict.roots[0]?.signedBy, trusted[0]?.subject.text);
  assert.deepEqual(
    verdict.bootFiles.map(({ path: at, kind, rootHashes, allowedBy }) => [at, kind, rootHashes, allowedBy]),
    [['1:/EFI/BOOT/BOOTX64.EFI', 'uki', [rootHash], trusted[0]?.subject.text]],
  );
  assert.deepEqual(verdict.uncovered, [{ number: 1, label: 'esp', type: 'esp' }]);
  // Without a key the same holds, and that nobody was compared with is said.
  const unkeyed = await verify(t, path, []);
  assert.ok(unkeyed.isGood && codes(unkeyed.findings, 'warning').includes('root_hash_signer_unknown'));
});

test('a changed data block', async (t) => {
  const { path, written, trusted } = await made(t);
  flip(path, written.table, ROOT, 300_000);
  const { isGood, findings, roots } = await verify(t, path, trusted);
  assert.deepEqual([isGood, codes(findings, 'error'), roots], [false, ['verity_data_corrupt'], []]);
  assert.equal(findings[0]?.where.block, Math.floor(300_000 / 4096));
});

test('a changed tree', async (t) => {
  const { path, written, trusted } = await made(t);
  flip(path, written.table, HASH, 8192 + 32);
  const { findings } = await verify(t, path, trusted);
  assert.deepEqual(codes(findings, 'error'), ['verity_hash_corrupt', 'verity_unjudged']);
});

test('a changed top of the tree is a tree of another root hash', async (t) => {
  const { path, written, trusted } = await made(t);
  flip(path, written.table, HASH, 4096);
  const { findings } = await verify(t, path, trusted);
  const expected = ['data_uuid', 'hash_uuid', 'root_hash_signature', 'boot_root_hash'];
  for (const code of expected) assert.ok(codes(findings, 'error').includes(code), code);
});

test('a changed superblock', async (t) => {
  const { path, written, trusted } = await made(t);
  flip(path, written.table, HASH, 0);
  const { findings } = await verify(t, path, trusted);
  assert.deepEqual(codes(findings, 'error'), ['partition_unreadable', 'signature_without_tree', 'boot_root_hash']);
  assert.deepEqual(codes(findings, 'warning').includes('partition_unprotected'), true);
});

test('partition UUIDs that are not those of the root hash', async (t) => {
  const { path, written, trusted } = await made(t);
  const { table } = written;
  const partitions = table.partitions.map((p, i) =>
    i === ROOT || i === HASH ? { ...p, uuid: `${i}${SEED.slice(1)}` } : p,
  );
  rewriteTable(path, { ...table, partitions });
  assert.deepEqual(codes((await verify(t, path, trusted)).findings, 'error'), ['data_uuid', 'hash_uuid']);
});

test('a signature that is changed, of another root hash, by somebody else, or away', async (t) => {
  const { path, written, trusted } = await made(t);
  assert.deepEqual(
    codes((await verify(t, path, [otherCertificate()])).findings, 'error').includes('root_hash_signature'),
    true,
  );
  const other = join(tempDir(t), 'other.raw');
  const { written: another } = await makeDisk(other, { tree: rootTree('8') });
  const place = partitionPlace(written.table, written.table.partitions[SIGNATURE] as GptTable['partitions'][0]);
  const bytes = readFileSync(path);
  const theirs = partitionPlace(another.table, another.table.partitions[SIGNATURE] as GptTable['partitions'][0]);
  bytes.set(readFileSync(other).subarray(theirs.offsetBytes, theirs.offsetBytes + theirs.sizeBytes), place.offsetBytes);
  writeFileSync(path, bytes);
  assert.deepEqual(codes((await verify(t, path, trusted)).findings, 'error'), ['root_hash_signature']);
  bytes.fill(0, place.offsetBytes, place.offsetBytes + place.sizeBytes);
  writeFileSync(path, bytes);
  assert.deepEqual(codes((await verify(t, path, trusted)).findings, 'error'), [
    'partition_unreadable',
    'root_hash_unsigned',
    'signature_without_tree',
  ]);
});

test('a UKI for another root hash', async (t) => {
  const { path, trusted } = await made(t, { cmdlineHash: '12'.repeat(32) });
  const { findings } = await verify(t, path, trusted);
  assert.deepEqual(codes(findings, 'error'), ['boot_root_hash']);
  assert.ok(codes(findings, 'warning').includes('root_hash_unused'));
});

test('a UKI that is changed, or not signed', async (t) => {
  const { path, written, trusted } = await made(t);
  const bytes = readFileSync(path);
  const { offsetBytes } = partitionPlace(written.table, written.table.partitions[ESP] as GptTable['partitions'][0]);
  bytes[bytes.indexOf('quiet roothash', offsetBytes)] = 0x51;
  writeFileSync(path, bytes);
  assert.deepEqual(codes((await verify(t, path, trusted)).findings, 'error'), ['digest_mismatch']);
  assert.deepEqual(codes((await verify(t, path, [])).findings, 'error'), ['digest_mismatch']);
  const unsigned = await made(t, { isUkiSigned: false });
  assert.deepEqual(codes((await verify(t, unsigned.path, trusted)).findings, 'error'), ['unsigned']);
  assert.deepEqual(codes((await verify(t, unsigned.path, [])).findings, 'error'), []);
});

test('a damaged backup of the table, a damaged volume, octets that no tree covers', async (t) => {
  const { path, written, trusted } = await made(t, { growthBytes: 1 << 20 });
  const bytes = readFileSync(path);
  const changed = Uint8Array.from(bytes);
  changed[bytes.length - 500] = (changed[bytes.length - 500] as number) ^ 1;
  writeFileSync(path, changed);
  assert.deepEqual(codes((await verify(t, path, trusted)).findings, 'error'), ['header_crc']);
  writeFileSync(path, bytes);
  const root = partitionPlace(written.table, written.table.partitions[ROOT] as GptTable['partitions'][0]);
  flip(path, written.table, ROOT, root.sizeBytes - 1);
  const verdict = await verify(t, path, trusted);
  assert.deepEqual([verdict.isGood, codes(verdict.findings, 'warning').includes('data_uncovered')], [true, true]);
  writeFileSync(path, bytes);
  // The second copy of the FAT.
  flip(path, written.table, ESP, 512 * 32 + 0x10000 * 6);
  assert.notDeepEqual((await verify(t, path, trusted)).findings, []);
});

test('a root without a tree, and a disk with nothing', async (t) => {
  const path = join(tempDir(t), 'disk.raw');
  const [root] = rootPartitions(rootTree());
  const write = (partitions: Parameters<typeof writeDdi>[0]['partitions']) =>
    writeDdi({ partitions, seedUuid: SEED, timestampSeconds: TIMESTAMP, path, force: true });
  await write([{ ...root, name: 'root', typeUuid: typeUuid('root-x86-64'), verity: undefined }]);
  assert.deepEqual(codes((await verify(t, path, [])).findings, 'warning'), [
    'partition_unprotected',
    'nothing_promised',
  ]);
  await write([{ name: 'root', typeUuid: typeUuid('root-x86-64'), label: '_empty', minBytes: 4096 }]);
  assert.deepEqual(codes((await verify(t, path, [])).findings, 'warning'), ['nothing_promised']);
});

test('more hash trees than are looked at are said to be', async (t) => {
  const path = join(tempDir(t), 'disk.raw');
  const partitions = Array.from({ length: 70 }, (_, i) => {
    return { name: `hash ${i}`, typeUuid: typeUuid('root-x86-64-verity'), minBytes: 4096 };
  });
  await writeDdi({ partitions, seedUuid: SEED, timestampSeconds: TIMESTAMP, path });
  const { isGood, findings } = await verify(t, path, []);
  const unread = findings.filter(({ code }) => code === 'partition_unreadable').map(({ actual }) => actual);
  assert.deepEqual([isGood, unread.length, unread.filter((actual) => actual === 'limit').length], [false, 70, 6]);
});

test('an extension is checked as one', async (t) => {
  const path = join(tempDir(t), 'foo.raw');
  const release = 'usr/lib/extension-release.d';
  const folders = ['', 'usr', 'usr/lib', release].map(directory);
  const tree = [...folders, file(`${release}/extension-release.foo`, 'ID=testos\nVERSION_ID=7\n')];
  const { signer, certificate } = await testSigner();
  await writeDdi({ partitions: rootPartitions(tree), seedUuid: SEED, timestampSeconds: TIMESTAMP, signer, path });
  assert.deepEqual((await verify(t, path, [certificate], 'foo')).findings, []);
  const renamed = await verify(t, path, [certificate], 'bar');
  assert.deepEqual(codes(renamed.findings, 'error'), ['extension_release_name']);
});

test('several threads hash parts of one file, and come to the same', async (t) => {
  const folder = tempDir(t);
  const tree = [...rootTree(), file('more', 'x'.repeat(3_000_000))];
  const { signer } = await testSigner();
  const [one, two] = [join(folder, 'one.raw'), join(folder, 'two.raw')];
  for (const [threads, path] of [
    [1, one],
    [2, two],
  ] as const) {
    await writeDdi({
      partitions: rootPartitions(tree),
      seedUuid: SEED,
      timestampSeconds: TIMESTAMP,
      signer,
      path,
      threads,
    });
  }
  assert.ok(readFileSync(one).equals(readFileSync(two)));
  const good = await verifyDisk(opened(t, two), { rootHashSigners: [], name: 'two', threads: 2 });
  assert.equal(good.isGood, true);
  const { table } = readGpt(opened(t, two));
  flip(two, table as GptTable, 0, 2_000_000);
  const bad = await verifyDisk(opened(t, two), { rootHashSigners: [], name: 'two', threads: 2 });
  assert.deepEqual(codes(bad.findings, 'error'), ['verity_data_corrupt']);
});

test('what is no disk', async (t) => {
  const path = join(tempDir(t), 'x');
  writeFileSync(path, new Uint8Array(100_000));
  assert.equal(await codeOfRejected(verify(t, path, [])), 'gpt_missing');
});

for (const name of ['img-sig', 'img-arm64', 'img-4k']) {
  test(`${name} of systemd-repart is good`, needsVectors('image/ddi'), async (t) => {
    const trusted = decodeCertificates(readFileSync(vectorPath('image/uki/keys/verity.crt')));
    const path = vectorPath('image/ddi', `${name}.trixie.raw`);
    const verdict = await verify(t, path, name === 'img-sig' ? trusted : []);
    assert.deepEqual([verdict.isGood, codes(verdict.findings, 'error'), verdict.roots.length], [true, [], 1]);
  });
}
