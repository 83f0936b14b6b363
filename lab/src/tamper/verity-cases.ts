// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { type ByteSource, MemorySink, readBytes } from '@vouchsafe/bytes';
import { partitionUuidsFromRootHash } from '@vouchsafe/disk';
import { formatVerity, treeLayout } from '@vouchsafe/verity';
import { LabError } from '../error.ts';
import { type DiskEdit, flipped } from './disk-edit.ts';
import { initOffset, unreadFiles } from './find-on-disk.ts';
import type { TamperCase } from './tamper-case.ts';

const PLACE = { offset: 0, hasSuperblock: true } as const;
/** Salt of the superblock. cryptsetup lib/verity/verity.c, struct verity_sb. */
const SALT_OFFSET = 88;
/** Hash trees are a 128th of what they cover. */
const MAX_TREE_BYTES = 256 * 1024 * 1024;

/** dm-verity reports a block when it is read; what is read first decides who then gives up. */
const NOT_READ = { kind: 'refused', by: ['refused_by_kernel', 'refused_by_initrd'] } as const;

/** What is done to data, tree and root hash. */
export const VERITY_CASES = {
  'data-block': {
    summary: 'one bit of the first program, in the data of the root',
    expected: { on: NOT_READ, off: NOT_READ },
    change: (edit) => {
      const { data } = edit.verity;
      edit.flip(data, initOffset(edit.partition(data)));
    },
  },
  'hash-block': {
    summary: 'one bit of the topmost block of the hash tree',
    expected: { on: NOT_READ, off: NOT_READ },
    change: (edit) => edit.flip(edit.verity.hash, topOfTree(edit)),
  },
  superblock: {
    summary: 'one bit of the salt, in the superblock before the tree',
    expected: { on: NOT_READ, off: NOT_READ },
    change: (edit) => edit.flip(edit.verity.hash, SALT_OFFSET),
  },
  'root-hash': {
    summary: 'one digit of the root hash on the command line, in the UKI',
    expected: { on: { kind: 'refused', by: ['refused_by_firmware'] }, off: NOT_READ },
    change: async (edit) => {
      const { rootHash } = edit;
      await replaceRootHash(edit, (rootHash.startsWith('0') ? '1' : '0') + rootHash.slice(1));
    },
  },
  'new-root': {
    summary:
      'one bit of the data, a new tree over it, its root hash on the command line and in the partition table: all of it fits together',
    expected: {
      on: { kind: 'refused', by: ['refused_by_firmware'] },
      off: {
        kind: 'visible',
        reasons: ['section_changed', 'command_line_replaced', 'program_started', 'partition_table_changed'],
      },
    },
    change: async (edit) => {
      const { data, hash, header } = edit.verity;
      // The first KiB of EROFS is left to boot loaders: the change itself does no harm.
      const source = edit.partition(data);
      const changed = withOctet(source, 0, flipped(source, 0));
      const tree = new MemorySink(MAX_TREE_BYTES, 'hash tree');
      const { uuid, ...parameters } = header;
      const rootHash = await formatVerity({ data: changed, parameters, place: PLACE, hash: tree, uuid });
      edit.flip(data, 0);
      edit.patch(hash, 0, tree.bytes());
      await replaceRootHash(edit, toHex(rootHash));
      // The initrd finds the partitions by them.
      const uuids = partitionUuidsFromRootHash(rootHash);
      edit.changeTable((table) => ({
        ...table,
        partitions: table.partitions.map((partition) => {
          if (partition.index === data.index) return { ...partition, uuid: uuids.data };
          return partition.index === hash.index ? { ...partition, uuid: uuids.hash } : partition;
        }),
      }));
    },
  },
  'online-data': {
    summary: 'data under the running system: a file that it has not read yet, and the first program, which it has',
    // The file cannot be read; the program is in memory as it was when it was checked.
    expected: { on: { kind: 'orders', statuses: [1, 0] }, off: { kind: 'orders', statuses: [1, 0] } },
    online: (edit) => {
      const { data } = edit.verity;
      const image = edit.partition(data);
      const [unread] = unreadFiles(image, edit.path);
      return {
        change: () => {
          edit.flip(data, unread.offset);
          edit.flip(data, initOffset(image));
        },
        orders: [`cat ${unread.path} >/dev/null`, 'cat /sbin/init >/dev/null'],
      };
    },
  },
  'online-hash': {
    summary: 'the topmost block of the hash tree under the running system, which has checked it and keeps it',
    // Reading goes on by the blocks that are in memory; the next boot refuses, as with hash-block.
    expected: { on: { kind: 'orders', statuses: [0] }, off: { kind: 'orders', statuses: [0] } },
    online: (edit) => {
      const { data, hash } = edit.verity;
      // Another than that of online-data, where there is one: the cases can share a boot.
      const files = unreadFiles(edit.partition(data), edit.path);
      const unread = files.at(-1) ?? files[0];
      return {
        change: () => edit.flip(hash, topOfTree(edit)),
        orders: [`cat ${unread.path} >/dev/null`],
      };
    },
  },
} as const satisfies Record<string, TamperCase>;

function topOfTree(edit: DiskEdit): number {
  const { header } = edit.verity;
  const { levels, start } = treeLayout(header, PLACE);
  if (levels.length === 0)
    throw new LabError('tamper_unfit', `${edit.path}: expected a hash tree, found a root of one block`);
  return start;
}

/** All places: the section, and with it the UKI's own signature and policies, no longer fit. */
async function replaceRootHash(edit: DiskEdit, rootHash: string): Promise<void> {
  const old = edit.rootHash;
  await edit.changeUki((uki) => {
    const at = Buffer.from(uki).indexOf(old, 'latin1');
    if (at < 0) throw new LabError('tamper_unfit', `${edit.path}: expected the root hash in the UKI, found none`);
    uki.set(Buffer.from(rootHash, 'latin1'), at);
    return undefined;
  });
}

/** A source with some octets in place of others. */
function withOctet(source: ByteSource, offset: number, octets: Uint8Array): ByteSource {
  return {
    size: source.size,
    label: source.label,
    read: (at, target) => {
      target.set(readBytes(source, at, target.length));
      for (const [i, octet] of octets.entries()) {
        const place = offset + i - at;
        if (place >= 0 && place < target.length) target[place] = octet;
      }
    },
  };
}
