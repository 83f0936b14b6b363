// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex, utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import type { GptTable } from '@vouchsafe/disk';
import { makeInitrd, makeUki, makeVerityRoot, VIRTUAL_MACHINE_MODULES, writeDiskImage } from '@vouchsafe/image';
import { decodeVariableStore, enrolSecureBoot, type VariableStore } from '@vouchsafe/pe';
import { FIRMWARE_VARIABLES } from './boot.ts';
import { debianCloudKernel } from './debian-kernel.ts';
import { guestRoot } from './guest-root.ts';
import { makeSecureBootKeys, type SecureBootKeySet } from './secure-boot-keys.ts';

export const STUB = '/usr/lib/systemd/boot/efi/linuxx64.efi.stub';
/** Of all that the lab makes, so that the same inputs give the same image. */
const SEED = '0f6a8c3e-5d1b-4a52-9f43-2c1d7e8b9a60';
const TIMESTAMP_SECONDS = 1_700_000_000;

/** An image with its keys enrolled, ready to boot. */
export interface LabImage {
  readonly disk: string;
  readonly uki: Uint8Array;
  readonly table: GptTable;
  readonly rootHash: Uint8Array;
  /** A variable store with the keys enrolled. */
  readonly firmwareVariables: string;
  readonly keys: SecureBootKeySet;
  /** Where on the disk the root's data begins, in octets. */
  readonly rootOffset: number;
}

/**
 * Builds the lab's image: Debian's kernel and stub, an initrd of ours, a verity root that reports, a signed UKI, a disk.
 * @param nonce hexadecimal; it goes on the command line, and the guest quotes with it.
 */
export async function buildLabImage(folder: string, nonce: string): Promise<LabImage> {
  const kernel = debianCloudKernel();
  const keys = await makeSecureBootKeys();
  const initrd = makeInitrd({
    modulesRoot: kernel.modulesRoot,
    modules: VIRTUAL_MACHINE_MODULES,
    systemRoot: '/',
    busybox: '/bin/busybox',
    dmsetup: '/sbin/dmsetup',
  });
  const root = await makeVerityRoot(guestRoot(), SEED, TIMESTAMP_SECONDS, folder);
  const cmdline = `console=ttyS0 panic=-1 quiet roothash=${toHex(root.rootHash)} vouchsafe.nonce=${nonce}`;
  const uki = await makeUki(
    memorySource(readFileSync(STUB), STUB),
    {
      linux: memorySource(readFileSync(kernel.image), kernel.image),
      initrds: [memorySource(initrd, 'initrd')],
      cmdline: utf8(cmdline),
      osrel: utf8('ID=vouchsafe-lab\nVERSION_ID=1\nPRETTY_NAME="Vouchsafe lab"\n'),
      uname: utf8(kernel.version),
    },
    keys.db.signer,
  );
  const disk = join(folder, 'disk.img');
  const table = writeLabDisk(disk, uki, root);
  const firmwareVariables = join(folder, 'variables.fd');
  writeFileSync(firmwareVariables, enrolSecureBoot(readFileSync(FIRMWARE_VARIABLES), keys.lists));
  const [, data] = table.partitions;
  return {
    disk,
    uki,
    table,
    rootHash: root.rootHash,
    firmwareVariables,
    keys,
    rootOffset: Number(data?.firstLba) * table.sectorSize,
  };
}

/** The disk around a UKI, which may be another than the one that was built. */
export function writeLabDisk(
  path: string,
  uki: Uint8Array,
  root: { readonly dataPath: string; readonly hashPath: string; readonly rootHash: Uint8Array },
): GptTable {
  return writeDiskImage({
    esp: [{ path: 'EFI/BOOT/BOOTX64.EFI', content: memorySource(uki, 'UKI') }],
    root,
    seedUuid: SEED,
    timestampSeconds: TIMESTAMP_SECONDS,
    path,
    force: true,
  });
}

/** The variables that a store holds. */
export function readVariableStore(path: string): VariableStore {
  return decodeVariableStore(readFileSync(path));
}
