// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ByteSource } from '@vouchsafe/bytes';
import { FileSource, hostError } from '@vouchsafe/bytes/node';
import type { StubFile } from '@vouchsafe/disk';
import { type BootArtefacts, type BootCircumstances, type FirmwareVariable, openShim } from '@vouchsafe/measure';
import { decodeVariableStore, isPe, liveVariables, MAX_STORE_BYTES, openPe } from '@vouchsafe/pe';
import { readSmallFile } from '../parse.ts';
import { UsageError } from '../usage-error.ts';
import type { PredictOptions } from './predict-options.ts';

/** What is to be predicted. */
export interface BootInputs {
  readonly artefacts: BootArtefacts;
  readonly circumstances: BootCircumstances;
  readonly kind: 'uki' | 'disk';
}

/**
 * Opens a UKI or a disk with what belongs to it; what is opened is closed by `files`.
 * @throws {UsageError} for options that do not go with the file.
 */
export async function openBootInputs(
  path: string,
  source: ByteSource,
  options: PredictOptions,
  files: DisposableStack,
): Promise<BootInputs> {
  const variables = options.vars === undefined ? undefined : await readVariables(options.vars);
  const known = variables === undefined ? {} : { variables };
  if (options.pcrs?.some((pcr) => pcr === 1 || pcr === 7) === true && variables === undefined) {
    throw new UsageError('PCR 1 and 7 hold variables of the machine: name them with --vars FILE');
  }
  const { profile, options: commandLine, phases, pcrs } = options;
  const circumstances: BootCircumstances = {
    isSecureBootOn: options.secureBoot === 'on',
    ...(profile === undefined ? {} : { profile }),
    ...(commandLine === undefined ? {} : { commandLine }),
    ...(phases === undefined ? {} : { phases }),
    ...(pcrs === undefined ? {} : { pcrs }),
  };
  if (!isPe(source)) {
    const ofUki = ['loader', 'loaderConf', 'shim', 'extra', 'loaderAddons', 'loaderCredentials'] as const;
    refuse(options, ofUki, 'goes with a UKI: a disk has its own');
    // Loaded only for a disk: to read one takes as much as all the rest.
    return (await import('./disk-inputs.ts')).diskInputs(source, options, circumstances, known);
  }
  refuse(options, ['entry'], 'goes with a disk');
  if (pcrs?.includes(5) === true) throw new UsageError('PCR 5 holds the partition table: name a disk, not a UKI');
  const open = (path: string): ByteSource => named(files.use(FileSource.open(path)), path);
  return {
    kind: 'uki',
    circumstances,
    artefacts: {
      uki: openPe(named(source, path)),
      ...known,
      ...(options.loader === undefined ? {} : { loader: openPe(open(options.loader)) }),
      ...(options.loaderConf === undefined ? {} : { loaderConf: open(options.loaderConf) }),
      ...(options.shim === undefined ? {} : { shim: openShim(openPe(open(options.shim))) }),
      ...(options.extra === undefined ? {} : { companions: filesOf(options.extra, open) }),
      ...(options.loaderAddons === undefined ? {} : { loaderAddons: filesOf(options.loaderAddons, open) }),
      ...(options.loaderCredentials === undefined
        ? {}
        : { loaderCredentials: filesOf(options.loaderCredentials, open) }),
    },
  };
}

function refuse(options: PredictOptions, names: readonly (keyof PredictOptions)[], why: string): void {
  const found = names.find((name) => options[name] !== undefined);
  if (found === undefined) return;
  throw new UsageError(`--${found.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} ${why}`);
}

/** Named without its folder: what is said of an event goes into manifests, which must not tell where they were made. */
function named(source: ByteSource, path: string): ByteSource {
  return { size: source.size, label: basename(path), read: (offset, target) => source.read(offset, target) };
}

/** @throws {BytesError} */
function filesOf(folder: string, open: (path: string) => ByteSource): StubFile[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => ({ name, content: open(join(folder, name)) }));
  } catch (cause) {
    throw hostError(folder, cause);
  }
}

/** A variable store, or the signature lists in a folder: those of a machine that has just these. */
async function readVariables(path: string): Promise<FirmwareVariable[]> {
  if (!existsSync(path) || !statSync(path).isDirectory()) {
    return liveVariables(decodeVariableStore(readSmallFile(path, MAX_STORE_BYTES), path));
  }
  const found = (await import('./disk-inputs.ts')).keyVariables(path);
  if (found.length === 0)
    throw new UsageError(`${path}: expected signature lists in it (PK.esl, KEK.esl, db.esl), found none`);
  return found;
}
