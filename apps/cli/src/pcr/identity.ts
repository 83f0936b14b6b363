// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { type Bank, type PredictedEvent, replayPredicted } from '@vouchsafe/manifest';
import { type FileSystemIdentity, type MachineIdentity, predictIdentity } from '@vouchsafe/measure';
import { readSmallFile } from '../parse.ts';
import { UsageError } from '../usage-error.ts';
import type { PredictOptions } from './predict-options.ts';

/** PCR 15 of a machine whose identity was given: it is no part of an image. */
export interface IdentityPrediction {
  readonly events: readonly PredictedEvent[];
  /** By bank. */
  readonly values: Readonly<Record<string, string>>;
}

/** Undefined where nothing was given. @throws {UsageError} @throws {MeasureError} @throws {BytesError} */
export function identityPrediction(banks: readonly Bank[], options: PredictOptions): IdentityPrediction | undefined {
  const { machineId, volume = [], fileSystem = [] } = options;
  if (machineId === undefined && volume.length === 0 && fileSystem.length === 0) return undefined;
  const identity: MachineIdentity = {
    machineId,
    volumes: volume.map(parseVolume),
    fileSystems: fileSystem.map(parseFileSystem),
  };
  const events = predictIdentity(banks, identity);
  const values = banks.map((bank) => [bank, toHex(replayPredicted(bank, events).get(15) ?? new Uint8Array())]);
  return { events, values: Object.fromEntries(values) };
}

export function identityText({ values }: IdentityPrediction): string {
  return [
    'when volumes, machine id and file systems are measured, these and in this order:',
    ...Object.entries(values).map(([bank, value]) => `  ${bank} 15 ${value}`),
  ].join('\n');
}

/** The key may be secret: only what it makes of the name goes on from here. */
function parseVolume(text: string): NonNullable<MachineIdentity['volumes']>[number] {
  const [, name, uuid, path] = /^([^:]+):([0-9A-Fa-f-]+):(.+)$/s.exec(text) ?? [];
  if (name === undefined || uuid === undefined || path === undefined) {
    throw new UsageError(
      '--volume: expected NAME:UUID:FILE, as the volume is called, its UUID, and a file with its key',
    );
  }
  return { name, uuid, key: readSmallFile(path) };
}

function parseFileSystem(text: string): FileSystemIdentity {
  const [path = '', ...fields] = text.split(':');
  if (!path.startsWith('/') || fields.length > 6) {
    throw new UsageError(
      '--file-system: expected PATH:TYPE:UUID:LABEL:PARTUUID:PARTTYPE:PARTLABEL, where it is mounted first',
    );
  }
  const [type = '', uuid = '', label = '', partitionUuid = '', partitionType = '', partitionName = ''] = fields;
  return { path, type, uuid, label, partitionUuid, partitionType, partitionName };
}
