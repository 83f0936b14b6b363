// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, isVouchsafeError, parseHex } from '@vouchsafe/base';
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import {
  EMPTY_SLOT_LABEL,
  type GptPartition,
  type GptTable,
  partitionSource,
  partitionTypeName,
  partitionUuidsFromRootHash,
} from '@vouchsafe/disk';
import {
  decodeVeritySigPartition,
  readHeader,
  rootHashOfTree,
  treeLayout,
  VerityError,
  type VerityHeader,
  type VeritySigPartition,
} from '@vouchsafe/verity';

/** A hash partition, with the partitions that go with it. */
export interface VeritySet {
  readonly what: 'root' | 'usr';
  /** systemd's name. */
  readonly architecture: string;
  readonly hash: GptPartition;
  readonly header: VerityHeader;
  /** What the top of the tree has; one block of it was read. */
  readonly rootHash: Uint8Array;
  /** The partition whose UUID is the beginning of the root hash; or else the only other one of the type. */
  readonly data: GptPartition | undefined;
  readonly signature: GptPartition | undefined;
  readonly signed: VeritySigPartition | undefined;
}

/** A hash or signature partition that says nothing, and why. */
export interface VerityProblem {
  readonly partition: GptPartition;
  readonly code: string;
  readonly message: string;
}

export interface VeritySets {
  readonly sets: readonly VeritySet[];
  readonly problems: readonly VerityProblem[];
}

const PLACE = { offset: 0, hasSuperblock: true } as const;
/** Signature partitions with more are not read. systemd 257, src/shared/dissect-image.c. */
const MAX_SIGNATURE_BYTES = 4 * 1024 * 1024;
/** Slots of one kind; a table can have 32768 partitions. */
const MAX_SETS = 64;

interface Typed {
  readonly partition: GptPartition;
  readonly what: 'root' | 'usr';
  readonly architecture: string;
  readonly role: 'data' | 'hash' | 'signature';
}

/**
 * Which partitions belong together, by what is in them: the top of each tree gives a root hash, its halves are the UUIDs of
 * data and hash partition, and a signature partition names it. Empty slots are passed over.
 * @throws {BytesError}
 */
export function findVeritySets(disk: ByteSource, table: GptTable): VeritySets {
  const typed = table.partitions.filter(({ label }) => label !== EMPTY_SLOT_LABEL).flatMap(typedPartition);
  const problems: VerityProblem[] = [];
  const attempt = <T>(partition: GptPartition, read: (source: ByteSource) => T): T | undefined => {
    try {
      return read(partitionSource(disk, table, partition));
    } catch (error) {
      if (!isVouchsafeError(error)) throw error;
      problems.push({ partition, code: error.code, message: error.message });
      return undefined;
    }
  };
  const signatures = typed.flatMap((one) => {
    if (one.role !== 'signature') return [];
    const signed = attempt(one.partition, readSignature);
    return signed === undefined ? [] : [{ ...one, signed }];
  });
  const sets: VeritySet[] = [];
  const trees = typed.filter(({ role }) => role === 'hash');
  // Said of each, so that nobody takes what was not looked at for checked.
  for (const { partition } of trees.slice(MAX_SETS)) {
    problems.push({ partition, code: 'limit', message: `only ${MAX_SETS} hash trees of a disk are looked at` });
  }
  for (const one of trees.slice(0, MAX_SETS)) {
    const others = typed.filter(
      ({ what, architecture, role }) => role === 'data' && what === one.what && architecture === one.architecture,
    );
    const set = attempt(one.partition, (hash): VeritySet | undefined => {
      const header = readHeader(hash, 0);
      const sole = others.length === 1 ? others[0]?.partition : undefined;
      const rootHash = rootHashOf(disk, table, one.partition, sole, header);
      const signature = signatures.find(
        ({ signed, what }) => what === one.what && bytesEqual(signed.rootHash, rootHash),
      );
      return {
        what: one.what,
        architecture: one.architecture,
        hash: one.partition,
        header,
        rootHash,
        data: dataFor(rootHash, others) ?? sole,
        signature: signature?.partition ?? soleSignature(signatures, one),
        signed: signature?.signed ?? signedBySole(signatures, one),
      };
    });
    if (set !== undefined) sets.push(set);
  }
  return { sets, problems };
}

/**
 * What the top of the tree has. Over a single block there is no tree, and the block says nothing about itself: there the
 * UUIDs of both partitions say it, where they can.
 */
function rootHashOf(
  disk: ByteSource,
  table: GptTable,
  hash: GptPartition,
  data: GptPartition | undefined,
  header: VerityHeader,
): Uint8Array {
  const { levels, cells } = treeLayout(header, PLACE);
  if (levels.length === 0 && data !== undefined && cells.digestBytes === 32) {
    return parseHex(`${data.uuid}${hash.uuid}`.replaceAll('-', ''));
  }
  const hashSource = partitionSource(disk, table, hash);
  const dataSource = data === undefined ? hashSource : partitionSource(disk, table, data);
  return rootHashOfTree({ data: dataSource, hash: hashSource, parameters: header, place: PLACE });
}

function typedPartition(partition: GptPartition): Typed[] {
  const name = partitionTypeName(partition.typeUuid) ?? '';
  const match = /^(root|usr)-(.+?)(-verity)?(-sig)?$/.exec(name);
  if (match === null) return [];
  const role = match[4] !== undefined ? 'signature' : match[3] !== undefined ? 'hash' : 'data';
  return [{ partition, what: match[1] as 'root' | 'usr', architecture: match[2] as string, role }];
}

function dataFor(rootHash: Uint8Array, others: readonly Typed[]): GptPartition | undefined {
  if (rootHash.length < 32) return undefined;
  const { data } = partitionUuidsFromRootHash(rootHash);
  return others.find(({ partition }) => partition.uuid === data)?.partition;
}

type Signed = Typed & { readonly signed: VeritySigPartition };

/** The only signature of a kind belongs to the only tree, even where it names another root hash; which is then to be said. */
function soleSignature(signatures: readonly Signed[], { what }: Typed): GptPartition | undefined {
  const same = signatures.filter((signature) => signature.what === what);
  return same.length === 1 ? same[0]?.partition : undefined;
}

function signedBySole(signatures: readonly Signed[], one: Typed): VeritySigPartition | undefined {
  const sole = soleSignature(signatures, one);
  return signatures.find(({ partition }) => partition === sole)?.signed;
}

function readSignature(source: ByteSource): VeritySigPartition {
  if (source.size > MAX_SIGNATURE_BYTES) {
    throw new VerityError(
      'signature_malformed',
      `${source.label}: expected at most 4 MiB, found ${source.size} octets`,
    );
  }
  return decodeVeritySigPartition(readBytes(source, 0, source.size));
}
