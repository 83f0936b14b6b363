// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { ascii, concatBytes, utf8 } from '@vouchsafe/base';
import { MemorySink, memorySource } from '@vouchsafe/bytes';
import {
  commonPartitionType,
  encodeSwapArea,
  layoutGpt,
  partitionTypeUuid,
  planErofsImage,
  writeGpt,
} from '@vouchsafe/disk';
import { describeArtefact } from '@vouchsafe/image';
import type { FuzzTarget } from '@vouchsafe/testing';
import { encodeSuperblock } from '@vouchsafe/verity';

const SEED = '48c56959-5579-5709-85af-f5393936a4d8';

function erofs(): Uint8Array {
  const sink = new MemorySink(1 << 20);
  const attributes = { uid: 0, gid: 0, mtimeSeconds: 0 } as const;
  const content = memorySource(utf8('ID=x\nVERSION_ID=1\n'));
  const tree = [
    { path: '', kind: 'directory', mode: 0o755, ...attributes },
    { path: 'etc', kind: 'directory', mode: 0o755, ...attributes },
    { path: 'etc/os-release', kind: 'file', mode: 0o644, ...attributes, content },
  ] as const;
  planErofsImage({ tree, uuid: SEED, timestampSeconds: 0 }).write(sink);
  return sink.bytes();
}

function disk(): Uint8Array {
  const sink = new MemorySink(1 << 20);
  const types = ['root-x86-64', 'root-x86-64-verity', 'root-x86-64-verity-sig'];
  const partitions = [...types.map((name) => partitionTypeUuid(name) ?? ''), commonPartitionType('esp')].map(
    (typeUuid, i) => ({ typeUuid, uuid: `${i}${SEED.slice(1)}`, label: `p${i}`, sizeBytes: 8192 }),
  );
  const table = layoutGpt({ sectorSize: 512, diskUuid: SEED, partitions });
  writeGpt(sink, table);
  const at = (i: number): number => Number(table.partitions[i]?.firstLba ?? 0n) * 512;
  sink.write(at(0), erofs().subarray(0, 8192));
  sink.write(at(1), superblock());
  sink.write(at(2), utf8(`{"rootHash":"${'00'.repeat(32)}","signature":"MAA="}`));
  return sink.bytes();
}

function superblock(): Uint8Array {
  const salt = new Uint8Array(0);
  const parameters = {
    hashType: 1,
    algorithm: 'sha256',
    dataBlockSize: 4096,
    hashBlockSize: 4096,
    dataBlocks: 2,
  } as const;
  return encodeSuperblock({ ...parameters, salt, uuid: SEED });
}

const program = (): Uint8Array => readFileSync(new URL('../../pe/testdata/made.efi', import.meta.url));

/** Bytes as any artefact: it has a description that is plain data, or the error has a code. */
export const target: FuzzTarget = {
  name: 'image-inspect',
  seeds: () => [
    disk(),
    erofs(),
    superblock(),
    program(),
    encodeSwapArea(65536, SEED),
    concatBytes(ascii('070701'), ascii('0'.repeat(104))),
    concatBytes(new Uint8Array(4), Uint8Array.of(3, 0, 0, 0), new Uint8Array(24), ascii('Spec ID Event03\0')),
    utf8(`{"rootHash":"${'00'.repeat(32)}","signature":"MAA="}`),
    utf8('{"format":{"name":"vouchsafe-manifest","major":1,"minor":0},"boots":[]}'),
    utf8('-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n'),
  ],
  run(bytes) {
    JSON.stringify(describeArtefact(memorySource(bytes), { allDigests: false }), (_key, value) =>
      typeof value === 'bigint' ? String(value) : value,
    );
  },
};
