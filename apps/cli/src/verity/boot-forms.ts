// SPDX-License-Identifier: Apache-2.0
// The forms in which a boot is told of a verity root, and what each can say.
import { partitionUuidsFromRootHash } from '@vouchsafe/disk';
import {
  ccObstacle,
  dmModObstacle,
  formatCcRootfsVerity,
  formatDmModCreate,
  formatDmTable,
  formatKataParameters,
  formatLoadPinDigests,
  formatRoothash,
  formatUsrhash,
  kataObstacle,
  type SystemdDescription,
  systemdObstacle,
  type VerityDescription,
} from '@vouchsafe/verity';

export const FORMS = ['systemd', 'usr', 'cc', 'kata', 'dm-mod', 'dmsetup', 'loadpin'] as const;
export type Form = (typeof FORMS)[number];

/** The text, or why there is none that would work. */
export type FormOutput = { readonly text: string } | { readonly obstacle: string };

/** A device that nobody has named is found by the root hash. */
export function bootForm(form: Form, d: SystemdDescription, name: string): FormOutput {
  return FORM_OUTPUTS[form](d, name);
}

type Output = (d: SystemdDescription, name: string) => FormOutput;

const FORM_OUTPUTS: Readonly<Record<Form, Output>> = {
  systemd: (d) => unless(systemdObstacle(d), () => formatRoothash(d)),
  usr: (d) => unless(systemdObstacle(d), () => formatUsrhash(d)),
  cc: (d) => unless(ccObstacle(d), () => formatCcRootfsVerity(d)),
  kata: (d) => unless(kataObstacle(d), () => formatKataParameters(d)),
  'dm-mod': (d, name) => unless(dmModObstacle(d), () => withDevices(d, (known) => formatDmModCreate(known, name))),
  dmsetup: (d) => withDevices(d, (known) => formatDmTable(withPaths(known))),
  loadpin: ({ rootHash }) => ({ text: formatLoadPinDigests([rootHash]) }),
};

function unless(obstacle: string | undefined, output: () => string | FormOutput): FormOutput {
  if (obstacle !== undefined) return { obstacle };
  const made = output();
  return typeof made === 'string' ? { text: made } : made;
}

/** With the partitions whose UUIDs Discoverable Partitions derive from the root hash, where none are named. */
function withDevices(d: SystemdDescription, format: (d: VerityDescription) => string): FormOutput {
  const derived = derivedDevices(d.rootHash);
  const dataDevice = d.dataDevice ?? derived?.data;
  const hashDevice = d.hashDevice ?? derived?.hash;
  if (dataDevice === undefined || hashDevice === undefined) {
    return { obstacle: 'this root hash is too short to derive partitions from; name --data-device and --hash-device' };
  }
  return { text: format({ ...d, dataDevice, hashDevice }) };
}

/** PARTUUID=… of data and hash partition; undefined for a root hash that is too short for two UUIDs. */
export function derivedDevices(rootHash: Uint8Array): { readonly data: string; readonly hash: string } | undefined {
  if (rootHash.length < 32) return undefined;
  const { data, hash } = partitionUuidsFromRootHash(rootHash);
  return { data: `PARTUUID=${data}`, hash: `PARTUUID=${hash}` };
}

/** After the boot the kernel looks names up as paths only: Linux, drivers/md/dm-table.c, dm_get_device. */
function withPaths(d: VerityDescription): VerityDescription {
  const { dataDevice, hashDevice, parity } = d;
  return {
    ...d,
    dataDevice: devicePath(dataDevice),
    hashDevice: devicePath(hashDevice),
    parity: parity && { ...parity, device: devicePath(parity.device) },
  };
}

/** PARTUUID=… as the link that udev makes for it, in lower case as blkid has it; other names as they are. */
export function devicePath(name: string): string {
  const [, uuid] = /^PARTUUID=([0-9a-f-]+)$/i.exec(name) ?? [];
  return uuid === undefined ? name : `/dev/disk/by-partuuid/${uuid.toLowerCase()}`;
}
