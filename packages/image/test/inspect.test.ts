// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { crc32, gzipSync, zstdCompressSync } from 'node:zlib';
import { concatBytes, toHex, utf8 } from '@vouchsafe/base';
import { MemorySink, memorySource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { digest } from '@vouchsafe/crypto';
import { encodeSwapArea, planErofsImage, writeCpio } from '@vouchsafe/disk';
import { type ArtefactDescription, describeArtefact, recogniseArtefact } from '@vouchsafe/image';
import { needsVectors, tempDir, vectorPath } from '@vouchsafe/testing';
import { file, madeProgram, makeDisk, opened, rootTree, SEED, TIMESTAMP } from './made-disk.ts';
import { codeOf } from './support.ts';

const SOME = { allDigests: false };
const kindOf = (bytes: Uint8Array): string => recogniseArtefact(memorySource(bytes));

function cpio(): Uint8Array {
  const sink = new MemorySink(1 << 20);
  writeCpio(sink, [{ path: 'init', mode: 0o100755, content: memorySource(utf8('#!/bin/sh\n'.repeat(500))) }]);
  return sink.bytes();
}

test('a disk, whole', async (t) => {
  const path = join(tempDir(t), 'disk.raw');
  const { rootHash, written } = await makeDisk(path);
  const d = describeArtefact(opened(t, path), SOME);
  assert.ok(d.kind === 'disk');
  assert.deepEqual([d.diskUuid, d.findings, d.sha256], [written.table.diskUuid, [], undefined]);
  assert.deepEqual(
    d.partitions.map(({ number, type, content }) => [number, type, 'kind' in content && content.kind]),
    [
      [1, 'esp', 'fat'],
      [2, 'root-x86-64', 'erofs'],
      [3, 'root-x86-64-verity', 'verity-hash'],
      [4, 'root-x86-64-verity-sig', 'verity-signature'],
    ],
  );
  assert.deepEqual(d.verity, [{ rootHash: toHex(rootHash), data: 2, hash: 3, signature: 4 }]);
  const [esp, root] = d.partitions.map(({ content }) => content as ArtefactDescription);
  assert.ok(esp?.kind === 'fat' && root?.kind === 'erofs');
  const uki = esp.files.find((entry) => entry.path === 'EFI/BOOT/BOOTX64.EFI')?.content;
  assert.ok(uki !== undefined && 'pe' in uki && uki.pe.kind === 'uki');
  const cmdline = uki.pe.sections.find(({ name }) => name === '.cmdline');
  assert.equal(cmdline?.text, `quiet roothash=${toHex(rootHash)}`);
  assert.deepEqual(root.osRelease, { ID: 'testos', VERSION_ID: '7' });
});

test('digests of everything when they are asked for', async (t) => {
  const path = join(tempDir(t), 'disk.raw');
  await makeDisk(path);
  const d = describeArtefact(opened(t, path), { allDigests: true });
  assert.equal(d.sha256, toHex(digest('sha256', readFileSync(path))));
  const pe = describeArtefact(madeProgram(), { allDigests: true });
  assert.ok(pe.kind === 'pe' && /^[0-9a-f]{64}$/.test(pe.authenticode?.measuredByFirmware ?? ''));
});

test('kinds by their content', () => {
  const archive = cpio();
  assert.equal(kindOf(archive), 'initrd');
  assert.equal(kindOf(gzipSync(archive)), 'initrd');
  assert.equal(kindOf(zstdCompressSync(archive)), 'initrd');
  assert.equal(kindOf(gzipSync(utf8('something else'))), 'compressed');
  assert.equal(kindOf(encodeSwapArea(65536, SEED)), 'swap');
  assert.equal(kindOf(new Uint8Array(10_000)), 'empty');
  assert.equal(kindOf(new Uint8Array(0)), 'empty');
  assert.equal(kindOf(utf8('hello')), 'unknown');
  assert.equal(kindOf(utf8('hsqs')), 'squashfs');
  assert.equal(kindOf(utf8('MZ')), 'unknown');
  assert.equal(kindOf(utf8('-----BEGIN PRIVATE KEY-----\nx')), 'pem');
  assert.equal(kindOf(concatBytes(Uint8Array.of(1, 2), utf8('-----BEGIN CERTIFICATE-----'))), 'unknown');
  const erofs = new MemorySink(1 << 20);
  planErofsImage({ tree: rootTree(), uuid: SEED, timestampSeconds: TIMESTAMP }).write(erofs);
  assert.equal(kindOf(erofs.bytes()), 'erofs');
  assert.equal(kindOf(erofs.bytes().subarray(0, 1028)), 'erofs');
  assert.equal(kindOf(erofs.bytes().subarray(0, 1027)), 'unknown');
});

test('an initrd of several archives, the last one compressed', () => {
  const archive = cpio();
  const d = describeArtefact(memorySource(concatBytes(archive, new Uint8Array(512), gzipSync(archive))), SOME);
  assert.ok(d.kind === 'initrd');
  assert.deepEqual(
    d.segments.map(({ offsetBytes, compression, members }) => [offsetBytes, compression, members]),
    [
      [0, undefined, 1],
      [archive.length + 512, 'gzip', undefined],
    ],
  );
  const broken = concatBytes(archive, utf8('garbage'));
  assert.equal(
    codeOf(() => describeArtefact(memorySource(broken), SOME)),
    'cpio_malformed',
  );
});

test('nothing of a private key is shown, not even its digest', () => {
  const d = describeArtefact(
    memorySource(utf8('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n')),
    SOME,
  );
  assert.deepEqual([d.kind, d.sha256, JSON.stringify(d).includes('AAAA')], ['pem', undefined, false]);
});

test('what is cut off or out of place is said of the partition, not instead of the disk', async (t) => {
  const path = join(tempDir(t), 'disk.raw');
  const { written } = await makeDisk(path, { tree: [...rootTree(), file('x', 'y')] });
  const bytes = readFileSync(path);
  // The magic number of the root stays, what follows does not.
  const root = written.table.partitions[1] as (typeof written.table.partitions)[0];
  bytes.fill(0xff, Number(root.firstLba) * 512 + 1032, Number(root.firstLba) * 512 + 1152);
  const d = describeArtefact(memorySource(bytes), SOME);
  assert.ok(d.kind === 'disk');
  const content = d.partitions[1]?.content;
  assert.ok(content !== undefined && 'error' in content && content.error.code.startsWith('erofs_'));
  // Only the end is missing: the backup's place.
  const cut = describeArtefact(memorySource(bytes.subarray(0, bytes.length - 512)), SOME);
  assert.ok(cut.kind === 'disk' && cut.findings.length > 0);
});

const KINDS: readonly (readonly [path: string, kind: string])[] = [
  ['image/uki/keys/db.crt', 'certificates'],
  ['image/uki/keys/db.key', 'pem'],
  ['image/efivars/db.auth', 'signed-variable'],
  ['image/efivars/db.esl', 'signature-lists'],
  ['image/efivars/OVMF_VARS_4M.ms.bookworm.fd', 'variable-store'],
  ['image/boot/uki-257.13-signed.efi', 'pe'],
  ['image/boot/in/initrd.cpio.gz', 'initrd'],
  ['image/boot/direct-stub252/binary_bios_measurements', 'event-log'],
  ['image/verity/v01.hash', 'verity-hash'],
  ['boot/ima/det-a.ima_binary', 'ima-log'],
];
for (const [path, kind] of KINDS) {
  test(`${path} is a ${kind}`, needsVectors(path.split('/').slice(0, -1).join('/')), (t) => {
    const d = describeArtefact(opened(t, vectorPath(path)), SOME);
    assert.equal(d.kind, kind);
    assert.equal(JSON.stringify(d).length > 2, true);
  });
}

test('logs by their content: systemd’s, canonical in each encoding, of a dynamic launch', (t) => {
  const kinds: readonly (readonly [name: string, kind: string, format: string])[] = [
    ['userspace/measure.json-seq', 'userspace-log', 'json-seq'],
    ['cel/log.json', 'canonical-log', 'json'],
    ['cel/log.cbor', 'canonical-log', 'cbor'],
    ['cel/log.tlv', 'canonical-log', 'tlv'],
    ['drtm/container.bin', 'launch-log', 'txt_container'],
    ['tcg/agile.bin', 'event-log', 'agile'],
  ];
  for (const [name, kind, format] of kinds) {
    const path = fileURLToPath(new URL(`../../eventlog/testdata/${name}`, import.meta.url));
    const d = describeArtefact(opened(t, path), SOME);
    assert.ok('pcrs' in d && 'events' in d, name);
    assert.deepEqual([d.kind, d.format, d.events > 0], [kind, format, true], name);
    assert.ok(Object.keys(d.pcrs ?? {}).length > 0, name);
  }
  for (const text of ['{"recnum": 1}', '[1, 2]', '\u001e[]', '\u00a5\u0001'])
    assert.equal(
      describeArtefact(memorySource(Uint8Array.from(Buffer.from(text, 'latin1'))), SOME).kind,
      'unknown',
      text,
    );
});

test('every vector has a kind, or an error with a code', needsVectors('image'), () => {
  for (const name of readdirSync(vectorPath('image'), { recursive: true, encoding: 'utf8' })) {
    const path = vectorPath('image', name);
    if (!statSync(path).isFile()) continue;
    using source = FileSource.open(path);
    try {
      describeArtefact(source, SOME);
    } catch (error) {
      assert.match(String((error as { code?: unknown }).code), /^[a-z0-9_]+$/, path);
    }
  }
});

test('a table that lies: 2^31 entries, places beyond the end, a partition over everything', async (t) => {
  const path = join(tempDir(t), 'disk.raw');
  await makeDisk(path);
  const good = readFileSync(path);
  /** Both copies say it, and their checksums are right. */
  const lying = (change: (header: DataView) => void): Uint8Array => {
    const bytes = Uint8Array.from(good);
    for (const at of [512, bytes.length - 512]) {
      const header = new DataView(bytes.buffer, at, 92);
      change(header);
      header.setUint32(16, 0, true);
      header.setUint32(16, crc32(bytes.subarray(at, at + 92)), true);
    }
    return bytes;
  };
  const lies: readonly ((header: DataView) => void)[] = [
    (header) => header.setUint32(80, 2 ** 31, true),
    (header) => header.setUint32(84, 2 ** 31, true),
    (header) => header.setBigUint64(72, 2n ** 63n, true),
    (header) => header.setBigUint64(32, 2n ** 64n - 1n, true),
  ];
  for (const [i, lie] of lies.entries()) {
    const disk = memorySource(lying(lie), `lie ${i}`);
    let codes: readonly string[];
    try {
      const d = describeArtefact(disk, SOME);
      codes = d.kind === 'disk' ? d.findings.map(({ code }) => code) : [];
    } catch (error) {
      codes = [String((error as { code?: unknown }).code)];
    }
    assert.ok(codes.length > 0, `lie ${i}`);
    assert.match(codes[0] ?? '', /^[a-z_]+$/);
  }
  // An entry that reaches beyond the end, in a table whose checksums are right.
  const bytes = Uint8Array.from(good);
  const entries = [1024, bytes.length - 33 * 512];
  for (const at of entries) new DataView(bytes.buffer).setBigUint64(at + 128 + 40, 2n ** 62n, true);
  for (const [i, at] of [512, bytes.length - 512].entries()) {
    const header = new DataView(bytes.buffer, at, 92);
    const from = entries[i] as number;
    header.setUint32(88, crc32(bytes.subarray(from, from + 128 * 128)), true);
    header.setUint32(16, 0, true);
    header.setUint32(16, crc32(bytes.subarray(at, at + 92)), true);
  }
  const d = describeArtefact(memorySource(bytes, 'beyond'), SOME);
  assert.ok(d.kind === 'disk' && d.findings.some(({ code }) => code === 'partition_range'));
  const content = d.partitions[1]?.content;
  assert.ok(content !== undefined && 'error' in content && content.error.code === 'partition_range');
});
