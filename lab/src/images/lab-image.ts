// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { architecturePartitionType, commonPartitionType, type FatMember, type GptTable } from '@vouchsafe/disk';
import {
  type DdiPartition,
  makeInitrd,
  makeVerityRoot,
  type VerityRoot,
  VIRTUAL_MACHINE_MODULES,
  writeDdi,
} from '@vouchsafe/image';
import { decodeVariableStore, type VariableStore } from '@vouchsafe/pe';
import { FIRMWARE_VARIABLES } from '../machine/firmware.ts';
import { debianCloudKernel } from './debian-packages.ts';
import { guestRoot } from './guest-root.ts';
import { buildLabUki, type LabUkiInputs } from './lab-uki.ts';
import { runVouchsafe } from './vouchsafe-command.ts';

/** Of all that the lab makes, so that the same inputs give the same image. */
const SEED = '0f6a8c3e-5d1b-4a52-9f43-2c1d7e8b9a60';
const TIMESTAMP_SECONDS = 1_700_000_000;

/** An image with its keys enrolled, ready to boot. */
export interface LabImage {
  readonly disk: string;
  /** The UKI as a file of its own, and what it is made of. */
  readonly ukiPath: string;
  readonly uki: Uint8Array;
  readonly ukiInputs: LabUkiInputs;
  readonly table: GptTable;
  readonly root: VerityRoot;
  /** A variable store with the keys enrolled. */
  readonly firmwareVariables: string;
  /** The folder that `keys generate` has made. */
  readonly keys: string;
  /** Where on the disk the root's data begins, in octets. */
  readonly rootOffset: number;
}

/**
 * Builds the lab's image, with the commands that users have: keys, a variable store with them, Debian's kernel and stub
 * with an initrd of ours as a signed UKI; and a verity root that reports, on a disk.
 * @param nonce hexadecimal; it goes on the command line, and the guest quotes with it.
 */
export async function buildLabImage(folder: string, nonce: string): Promise<LabImage> {
  const kernel = debianCloudKernel();
  const keys = join(folder, 'keys');
  const firmwareVariables = join(folder, 'variables.fd');
  runVouchsafe('keys', 'generate', keys);
  runVouchsafe('keys', 'enroll', keys, '--vars', FIRMWARE_VARIABLES, '-o', firmwareVariables);
  const initrd = join(folder, 'initrd.img');
  const archive = await makeInitrd({
    modulesRoot: kernel.modulesRoot,
    modules: [...VIRTUAL_MACHINE_MODULES, 'virtio_net'],
    systemRoot: '/',
    busybox: '/bin/busybox',
    dmsetup: '/sbin/dmsetup',
    // The guest's own init does it, and looks at each of them.
    extendsPhases: false,
  });
  writeFileSync(initrd, archive);
  const root = await makeVerityRoot(guestRoot(), SEED, TIMESTAMP_SECONDS, folder);
  const ukiInputs = {
    linux: kernel.image,
    initrd,
    cmdline: `console=ttyS0 panic=-1 quiet roothash=${toHex(root.rootHash)} vouchsafe.nonce=${nonce}`,
    uname: kernel.version,
    keys,
  };
  const ukiPath = join(folder, 'lab.efi');
  buildLabUki(ukiPath, ukiInputs, keys);
  const uki = Uint8Array.from(readFileSync(ukiPath));
  const disk = join(folder, 'disk.img');
  const table = await writeLabDisk(disk, uki, root);
  const [, data] = table.partitions;
  const rootOffset = Number(data?.firstLba) * table.sectorSize;
  return { disk, ukiPath, uki, ukiInputs, table, root, firmwareVariables, keys, rootOffset };
}

/** The disk around a UKI, which may be another than the one that was built. */
export async function writeLabDisk(path: string, uki: Uint8Array, root: VerityRoot): Promise<GptTable> {
  return await writeLabDiskWith(path, [{ path: 'EFI/BOOT/BOOTX64.EFI', content: memorySource(uki, 'UKI') }], root);
}

/** The disk around any ESP. */
export async function writeLabDiskWith(path: string, esp: readonly FatMember[], root: VerityRoot): Promise<GptTable> {
  using source = FileSource.open(root.dataPath);
  const type = (role: 'root' | 'root-verity') => architecturePartitionType(role, 'x86-64');
  const verity = (role: 'data' | 'hash') => ({ role, matchKey: 'root' }) as const;
  const partitions: DdiPartition[] = [
    { name: 'esp', typeUuid: commonPartitionType('esp'), content: { kind: 'vfat', members: esp, label: 'ESP' } },
    { name: 'root', typeUuid: type('root'), verity: verity('data'), content: { kind: 'blocks', source } },
    { name: 'hash', typeUuid: type('root-verity'), verity: verity('hash') },
  ];
  const written = await writeDdi({
    partitions,
    seedUuid: SEED,
    timestampSeconds: TIMESTAMP_SECONDS,
    path,
    force: true,
  });
  return written.table;
}

/** The variables that a store holds. */
export function readVariableStore(path: string): VariableStore {
  return decodeVariableStore(readFileSync(path));
}
