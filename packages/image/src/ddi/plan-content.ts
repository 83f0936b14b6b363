// SPDX-License-Identifier: Apache-2.0
import type { ByteSink } from '@vouchsafe/bytes';
import {
  copySource,
  encodeSwapArea,
  fatVolumeIdFromUuid,
  fileSystemUuidFromPartition,
  planErofsImage,
  planFat32,
  type SectorSize,
} from '@vouchsafe/disk';
import type { DdiPartition, FatMembers, RootHashes } from './content.ts';

export interface ContentContext {
  readonly sectorSize: SectorSize;
  readonly timestampSeconds: number;
  /** Of the partition, as it is derived from the seed; the file system's follows from it. */
  readonly partitionUuid: string;
}

/** A content whose size is known; making it reads nothing but names and sizes. */
export interface PlannedContent {
  readonly sizeBytes: number;
  /** Whether it can be written only when the root hashes are known. */
  readonly needsRootHashes: boolean;
  /** @param partitionBytes what the partition was given. @throws {DiskError} @throws {BytesError} */
  write(sink: ByteSink, offset: number, partitionBytes: number, rootHashes: RootHashes): Promise<void>;
}

/** Stands for a root hash while nothing but its length matters. */
const UNKNOWN_ROOT_HASH = new Uint8Array(32);

/**
 * @param matchKeys of all root hashes that the image will have.
 * @throws {DiskError} when the content cannot be what it is to be.
 */
export async function planContent(
  partition: DdiPartition,
  context: ContentContext,
  matchKeys: readonly string[],
): Promise<PlannedContent | undefined> {
  const { content, minBytes = 0 } = partition;
  const uuid = fileSystemUuidFromPartition(context.partitionUuid);
  switch (content?.kind) {
    case undefined:
      return undefined;
    case 'erofs': {
      const plan = planErofsImage({ tree: content.tree, uuid, timestampSeconds: context.timestampSeconds });
      return { sizeBytes: plan.sizeBytes, needsRootHashes: false, write: async (sink, at) => plan.write(sink, at) };
    }
    case 'blocks':
      return {
        sizeBytes: content.source.size,
        needsRootHashes: false,
        write: async (sink, at) => copySource(content.source, sink, at),
      };
    case 'swap':
      return {
        sizeBytes: minBytes,
        needsRootHashes: false,
        write: async (sink, at, size) => sink.write(at, encodeSwapArea(size, uuid)),
      };
    case 'vfat':
      return planVolume(partition, content, context, matchKeys);
  }
}

/** A volume fills its partition: all of what it is given, down to the largest size where that is below the usual one. */
async function planVolume(
  partition: DdiPartition,
  content: { readonly members: FatMembers; readonly label?: string },
  { sectorSize, timestampSeconds, partitionUuid }: ContentContext,
  matchKeys: readonly string[],
): Promise<PlannedContent> {
  const common = {
    sectorSize,
    timestampSeconds,
    volumeId: fatVolumeIdFromUuid(fileSystemUuidFromPartition(partitionUuid)),
    ...(content.label === undefined ? {} : { label: content.label }),
  };
  const { members } = content;
  const membersFor = async (hashes: RootHashes) => (typeof members === 'function' ? members(hashes) : members);
  const { minBytes, maxBytes, growthBytes = 0 } = partition;
  let sizeBytes: number;
  if (minBytes !== undefined && minBytes === maxBytes) sizeBytes = minBytes;
  else {
    const unknown = new Map(matchKeys.map((key) => [key, UNKNOWN_ROOT_HASH]));
    const least = planFat32({ ...common, members: await membersFor(unknown) }).sizeBytes;
    sizeBytes = Math.max(minBytes ?? 0, Math.min(least, (maxBytes ?? least) - growthBytes));
  }
  return {
    sizeBytes,
    needsRootHashes: typeof members === 'function',
    write: async (sink, at, size, rootHashes) =>
      planFat32({ ...common, members: await membersFor(rootHashes), sizeBytes: size }).write(sink, at),
  };
}
