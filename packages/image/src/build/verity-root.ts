// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { parseHex } from '@vouchsafe/base';
import { OutputFile } from '@vouchsafe/bytes/node';
import {
  architecturePartitionType,
  type FileTree,
  fileSystemUuidFromPartition,
  partitionUuidFromSeed,
  planErofsImage,
} from '@vouchsafe/disk';
import { formatFiles } from '@vouchsafe/verity/node';

/** A root file system with its hash tree, as files. */
export interface VerityRoot {
  readonly dataPath: string;
  readonly hashPath: string;
  readonly rootHash: Uint8Array;
}

/**
 * Writes the tree as EROFS, and its hash tree. UUIDs and the salt follow from the seed as systemd-repart derives them, so
 * that the same tree and seed give the same root hash.
 * @throws {DiskError} @throws {VerityError} @throws {BytesError}
 */
export async function makeVerityRoot(
  tree: FileTree,
  seedUuid: string,
  timestampSeconds: number,
  folder: string,
): Promise<VerityRoot> {
  const dataPath = join(folder, 'root.erofs');
  const hashPath = join(folder, 'root.verity');
  const uuid = fileSystemUuidFromPartition(
    partitionUuidFromSeed(seedUuid, architecturePartitionType('root', 'x86-64')),
  );
  using data = OutputFile.create(dataPath, { force: true });
  planErofsImage({ tree, uuid, timestampSeconds }).write(data);
  data.commit();
  const { rootHash } = await formatFiles({
    dataPath,
    hashPath,
    hashType: 1,
    algorithm: 'sha256',
    dataBlockSize: 4096,
    hashBlockSize: 4096,
    seed: parseHex(seedUuid.replaceAll('-', '')),
    hashOffset: 0,
    hasSuperblock: true,
    force: true,
  });
  return { dataPath, hashPath, rootHash };
}
