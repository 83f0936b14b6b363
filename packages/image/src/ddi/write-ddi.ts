// SPDX-License-Identifier: Apache-2.0
import { dirname } from 'node:path';
import { type LongWork, parseHex } from '@vouchsafe/base';
import { FileSource, OutputFile } from '@vouchsafe/bytes/node';
import {
  type BytePlace,
  definitionUuids,
  type GptTable,
  layoutDefinitions,
  partitionBytes,
  partitionPlace,
  type SectorSize,
  type SizedDefinition,
  withRootHashes,
  writeGpt,
} from '@vouchsafe/disk';
import { fingerprintOf, type Signer } from '@vouchsafe/pki';
import { encodeVeritySigPartition, signRootHash, uuidFromSeed } from '@vouchsafe/verity';
import { formatOpenFiles } from '@vouchsafe/verity/node';
import type { DdiPartition, RootHashes } from './content.ts';
import { type PlannedContent, planContent } from './plan-content.ts';
import { hashTreeBytes, invalid, type VerityGroup, verityGroups, verityParameters } from './verity-groups.ts';

export interface DdiRequest {
  readonly partitions: readonly DdiPartition[];
  /** All UUIDs and the salt are derived from it, as systemd-repart derives them. */
  readonly seedUuid: string;
  readonly sectorSize?: SectorSize;
  /** Given to every file system, in seconds since 1970. */
  readonly timestampSeconds: number;
  /** Signs root hashes; needed where there is a signature partition. */
  readonly signer?: Signer | undefined;
  /** Of the whole disk; as small as it can be unless given. */
  readonly sizeBytes?: number | undefined;
  readonly path: string;
  readonly force?: boolean;
  /** Threads to hash and compress with; as the machine and the size suggest unless given. */
  readonly threads?: number | undefined;
  /** Looks at the disk before it has its name; what it throws leaves nothing behind, and what was there as it was. */
  readonly check?: ((disk: FileSource, table: GptTable) => Promise<void>) | undefined;
}

export interface WrittenDdi {
  readonly table: GptTable;
  readonly sizeBytes: number;
  readonly rootHashes: RootHashes;
}

/** Octets that systemd-repart gives a signature partition. systemd 257, src/repart/repart.c, VERITY_SIG_SIZE. */
const SIGNATURE_BYTES = 16 * 1024;

/**
 * Writes a discoverable disk image: file systems, hash trees over them, signatures of their root hashes, and a table whose
 * UUIDs follow from these. The same request gives the same octets. The file appears when it is whole.
 * @throws {DiskError} 'definition_invalid' and what the formats refuse. @throws {VerityError} @throws {PkiError} of the
 * signer. @throws {BytesError}
 */
export async function writeDdi(request: DdiRequest, work: LongWork = {}): Promise<WrittenDdi> {
  const { partitions, seedUuid, sectorSize = 512, timestampSeconds, signer } = request;
  const seed = parseHex(seedUuid.replaceAll('-', ''));
  const groups = verityGroups(partitions);
  const unsigned = groups.find(({ signature }) => signature !== undefined);
  if (unsigned !== undefined && signer === undefined) {
    const { name } = partitions[unsigned.signature as number] as DdiPartition;
    throw invalid(name, 'expected a key for the signature of the root hash; name one, or leave the partition out');
  }
  const uuids = definitionUuids(partitions, seedUuid);
  const plans: (PlannedContent | undefined)[] = [];
  using files = new DisposableStack();
  const common = { sectorSize, timestampSeconds, files, spoolFolder: dirname(request.path), work };
  for (const [i, partition] of partitions.entries()) {
    const context = { ...common, threads: request.threads, partitionUuid: uuids[i] as string };
    const keys = groups.map(({ matchKey }) => matchKey);
    plans.push(await planContent(partition, context, keys));
  }
  const definitions = sized(partitions, plans, groups, seed);
  const table = layoutDefinitions({ definitions, seedUuid, sectorSize, sizeBytes: request.sizeBytes });
  const places = table.partitions.map((partition) => partitionPlace(table, partition));
  using disk = OutputFile.create(request.path, { force: request.force ?? false });
  // All of its size at once, so that every part of it can be read back.
  writeGpt(disk, table);
  const rootHashes = new Map<string, Uint8Array>();
  const writeContents = async (needsRootHashes: boolean): Promise<void> => {
    for (const [i, plan] of plans.entries()) {
      const { offsetBytes, sizeBytes } = places[i] as BytePlace;
      if (plan?.needsRootHashes !== needsRootHashes) continue;
      work.signal?.throwIfAborted();
      await plan.write(disk, offsetBytes, sizeBytes, rootHashes);
    }
  };
  await writeContents(false);
  const named = await whileFlushing(disk, async () => {
    for (const group of groups) {
      const dataBytes = (plans[group.data] as PlannedContent).sizeBytes;
      const rootHash = await writeTree(disk, table, places, group, { dataBytes, seed, threads: request.threads }, work);
      rootHashes.set(group.matchKey, rootHash);
      if (group.signature === undefined || signer === undefined) continue;
      const { offsetBytes, sizeBytes } = places[group.signature] as BytePlace;
      disk.write(offsetBytes, await encodeSignature(rootHash, signer, sizeBytes));
    }
    await writeContents(true);
    const whole = withRootHashes(table, partitions, rootHashes);
    writeGpt(disk, whole);
    return whole;
  });
  const { check } = request;
  if (check !== undefined) {
    const size = table.sectors * sectorSize;
    using whole = FileSource.over({ fd: disk.fd, label: request.path, size, extents: [{ start: 0, end: size }] });
    await whileFlushing(disk, () => check(whole, named));
  }
  disk.commit();
  return { table: named, sizeBytes: table.sectors * sectorSize, rootHashes };
}

/** What is written so far goes to the device while something else is done; the disk is not given up before both have ended. */
async function whileFlushing<T>(disk: OutputFile, run: () => Promise<T>): Promise<T> {
  const [flushed, done] = await Promise.allSettled([disk.startFlush(), run()]);
  if (done.status === 'rejected') throw done.reason;
  if (flushed.status === 'rejected') throw flushed.reason;
  return done.value;
}

/** Each definition with the size of its content; a tree is as large as all that its data may grow to needs. */
function sized(
  partitions: readonly DdiPartition[],
  plans: readonly (PlannedContent | undefined)[],
  groups: readonly VerityGroup[],
  seed: Uint8Array,
): readonly SizedDefinition[] {
  const sizes = plans.map((plan) => plan?.sizeBytes ?? 0);
  for (const { data, hash, signature } of groups) {
    const whole = partitionBytes({ ...(partitions[data] as DdiPartition), contentBytes: sizes[data] as number });
    sizes[hash] = hashTreeBytes(whole, seed);
    if (signature !== undefined) sizes[signature] = SIGNATURE_BYTES;
  }
  const wholeSize = (i: number): number =>
    partitionBytes({ ...(partitions[i] as DdiPartition), contentBytes: sizes[i] as number });
  return partitions.map((partition, i) => {
    const { slotOf } = partition;
    return { ...partition, contentBytes: slotOf === undefined ? (sizes[i] as number) : wholeSize(slotOf) };
  });
}

interface TreeChoice {
  readonly dataBytes: number;
  readonly seed: Uint8Array;
  readonly threads: number | undefined;
}

async function writeTree(
  disk: OutputFile,
  table: GptTable,
  places: readonly BytePlace[],
  { data, hash }: VerityGroup,
  { dataBytes, seed, threads }: TreeChoice,
  work: LongWork,
): Promise<Uint8Array> {
  const size = table.sectors * table.sectorSize;
  // What was written is read back from the same descriptor: the file has no name yet.
  using whole = FileSource.over({ fd: disk.fd, label: disk.label, size, extents: [{ start: 0, end: size }] });
  const part = ({ offsetBytes, sizeBytes }: BytePlace) => whole.part(offsetBytes, sizeBytes);
  return formatOpenFiles(
    {
      data: part(places[data] as BytePlace),
      hash: part(places[hash] as BytePlace),
      parameters: verityParameters(dataBytes, seed),
      place: { offset: 0, hasSuperblock: true },
      uuid: uuidFromSeed(seed),
      threads,
    },
    work,
  );
}

async function encodeSignature(rootHash: Uint8Array, signer: Signer, sizeBytes: number): Promise<Uint8Array> {
  const signature = await signRootHash(rootHash, signer);
  const { certificate } = signer;
  const certificateFingerprint = certificate === undefined ? undefined : fingerprintOf(certificate);
  return encodeVeritySigPartition({ rootHash, certificateFingerprint, signature }, sizeBytes);
}
