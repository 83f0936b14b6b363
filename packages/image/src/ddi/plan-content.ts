// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
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
import { SpoolFile, writeErofsWithThreads } from '@vouchsafe/disk/node';
import type { DdiPartition, RootHashes, VfatContent } from './content.ts';

export interface ContentContext {
  readonly sectorSize: SectorSize;
  readonly timestampSeconds: number;
  /** Of the partition, as it is derived from the seed; the file system's follows from it. */
  readonly partitionUuid: string;
  /** Where what is compressed waits until its place is known; it is closed by `files`. */
  readonly spoolFolder: string;
  readonly files: DisposableStack;
  readonly threads: number | undefined;
  readonly work: LongWork;
}

/** A content whose size is known; making it reads nothing but names and sizes, unless it is compressed. */
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
      const { signal } = context.work;
      const request = { tree: content.tree, uuid, timestampSeconds: context.timestampSeconds, signal };
      if (content.compression === 'lz4') return compressed(request, context);
      const plan = planErofsImage(request);
      const { sizeBytes } = plan;
      return {
        sizeBytes,
        needsRootHashes: false,
        write: async (sink, at) => plan.write(tellingSink(sink, at, sizeBytes, context.work), at),
      };
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

/** How large it is shows only when it is there. */
async function compressed(
  request: Parameters<typeof planErofsImage>[0],
  { spoolFolder, files, threads, work }: ContentContext,
): Promise<PlannedContent> {
  const spool = files.use(SpoolFile.create('EROFS', spoolFolder));
  const { sizeBytes } = await writeErofsWithThreads({ ...request, compression: 'lz4' }, spool, 0, { threads, ...work });
  return {
    sizeBytes,
    needsRootHashes: false,
    write: async (sink, at) => copySource(spool.source(), sink, at),
  };
}

const TELL_BYTES = 8 * 1024 * 1024;

/** Tells how far a file system is that is written in one go, in which nobody can be waited for. */
function tellingSink(sink: ByteSink, start: number, total: number, { onProgress }: LongWork): ByteSink {
  if (onProgress === undefined) return sink;
  let told = 0;
  return {
    label: sink.label,
    write: (offset, bytes) => {
      sink.write(offset, bytes);
      const done = Math.min(total, offset + bytes.length - start);
      if (done - told < TELL_BYTES) return;
      told = done;
      void onProgress({ phase: 'writing files', done, total });
    },
  };
}

/** A volume fills its partition: all of what it is given, down to the largest size where that is below the usual one. */
async function planVolume(
  partition: DdiPartition,
  content: VfatContent,
  { sectorSize, timestampSeconds, partitionUuid }: ContentContext,
  matchKeys: readonly string[],
): Promise<PlannedContent> {
  const common = {
    sectorSize,
    timestampSeconds,
    volumeId: fatVolumeIdFromUuid(fileSystemUuidFromPartition(partitionUuid)),
    ...(content.label === undefined ? {} : { label: content.label }),
  };
  const { members, plannedMembers } = content;
  const membersFor = async (hashes: RootHashes) => (typeof members === 'function' ? members(hashes) : members);
  const { minBytes, maxBytes, growthBytes = 0 } = partition;
  let sizeBytes: number;
  if (minBytes !== undefined && minBytes === maxBytes) sizeBytes = minBytes;
  else {
    const unknown = new Map(matchKeys.map((key) => [key, UNKNOWN_ROOT_HASH]));
    const planned = await (plannedMembers === undefined ? membersFor(unknown) : plannedMembers());
    const least = planFat32({ ...common, members: planned }).sizeBytes;
    sizeBytes = Math.max(minBytes ?? 0, Math.min(least, (maxBytes ?? least) - growthBytes));
  }
  return {
    sizeBytes,
    needsRootHashes: typeof members === 'function',
    write: async (sink, at, size, rootHashes) =>
      planFat32({ ...common, members: await membersFor(rootHashes), sizeBytes: size }).write(sink, at),
  };
}
