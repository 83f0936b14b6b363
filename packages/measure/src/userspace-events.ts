// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import { hmac } from '@vouchsafe/crypto';
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import { MeasureError } from './error.ts';
import { eventOf } from './event.ts';

/** What identifies a machine's system and its volumes; empty before systemd 253. */
const SYSTEM_PCR = 15;

/**
 * PCR 15, for a machine whose identity is known before: systemd-pcrmachine's measurement. systemd 253,
 * src/boot/pcrphase.c: "machine-id:" and the 32 digits.
 * @throws {MeasureError} 'options_invalid' for anything but 32 lower-case hexadecimal digits.
 */
export function predictMachineId(banks: readonly Bank[], machineId: string): PredictedEvent {
  if (!/^[0-9a-f]{32}$/.test(machineId)) {
    const message = `expected a machine id of 32 lower-case hexadecimal digits, found '${machineId.slice(0, 64)}'`;
    throw new MeasureError('options_invalid', message);
  }
  const text = { pcr: SYSTEM_PCR, description: 'the machine id', origin: { artefact: '/etc/machine-id' } };
  return eventOf(banks, text, utf8(`machine-id:${machineId}`));
}

/** A file system as libblkid names it; what it does not have is left out. */
export interface FileSystemIdentity {
  /** Where it is mounted. */
  readonly path: string;
  /** 'erofs', 'ext4'. */
  readonly type?: string;
  readonly uuid?: string;
  readonly label?: string;
  readonly partitionUuid?: string;
  readonly partitionType?: string;
  readonly partitionName?: string;
}

/** PCR 15: systemd-pcrfs's measurement of a mounted file system. systemd 253, src/boot/pcrphase.c (get_file_system_word). */
export function predictFileSystem(banks: readonly Bank[], identity: FileSystemIdentity): PredictedEvent {
  const { path, type, uuid, label, partitionUuid, partitionType, partitionName } = identity;
  const fields = [path, type, uuid, label, partitionUuid, partitionType, partitionName];
  const word = ['file-system', ...fields.map((field) => escaped(field ?? ''))].join(':');
  const text = {
    pcr: SYSTEM_PCR,
    description: `the identity of the file system on ${path}`,
    origin: { artefact: path },
  };
  return eventOf(banks, text, utf8(word));
}

/** xescape with ":": what is not printable ASCII, the backslash and the colon as \\xHH. systemd, src/basic/escape.c. */
function escaped(text: string): string {
  return Array.from(utf8(text), (octet) => {
    const character = String.fromCharCode(octet);
    const isPlain = octet >= 0x20 && octet < 0x7f && character !== '\\' && character !== ':';
    return isPlain ? character : `\\x${octet.toString(16).padStart(2, '0')}`;
  }).join('');
}

/**
 * PCR 15, for who holds the volume key: what systemd-cryptsetup measures of a volume it opens, an HMAC under that key, so
 * that the value proves the volume and does not give the key away. systemd 253, src/cryptsetup/cryptsetup.c
 * (measure_volume_key): "cryptsetup:", volume and UUID; src/shared/tpm2-util.c (tpm2_extend_bytes).
 */
export function predictVolumeKey(
  banks: readonly Bank[],
  volume: { readonly name: string; readonly uuid: string; readonly key: Uint8Array },
): PredictedEvent {
  const { name, uuid, key } = volume;
  const word = utf8(['cryptsetup', escaped(name), uuid].join(':'));
  return {
    pcr: SYSTEM_PCR,
    description: `the volume ${name} and its key`,
    origin: { artefact: name },
    digests: new Map(banks.map((bank) => [bank, hmac(bank, key, word)])),
  };
}

/** What a machine is known by, as far as it is known before it boots. */
export interface MachineIdentity {
  readonly volumes?: readonly Parameters<typeof predictVolumeKey>[1][];
  /** 32 hexadecimal digits. */
  readonly machineId?: string | undefined;
  readonly fileSystems?: readonly FileSystemIdentity[];
}

/**
 * PCR 15 of a system that measures just these: volumes as they are opened, first those of the initrd; then the machine id;
 * then file systems, the root before others. systemd 253, units/systemd-pcrmachine.service.in, systemd-pcrfs-root.service.in
 * and systemd-pcrfs@.service.in, After=. What opens a volume later, or mounts another file system, comes behind these.
 * @throws {MeasureError} 'options_invalid' as `predictMachineId`.
 */
export function predictIdentity(
  banks: readonly Bank[],
  { volumes = [], machineId, fileSystems = [] }: MachineIdentity,
): PredictedEvent[] {
  return [
    ...volumes.map((volume) => predictVolumeKey(banks, volume)),
    ...(machineId === undefined ? [] : [predictMachineId(banks, machineId)]),
    ...fileSystems.map((fileSystem) => predictFileSystem(banks, fileSystem)),
  ];
}
