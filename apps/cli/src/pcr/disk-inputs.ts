// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import { openBootDisk } from '@vouchsafe/image/boot';
import type { BootArtefacts, BootCircumstances, FirmwareVariable } from '@vouchsafe/measure';
import type { PredictOptions } from './predict-options.ts';

export { keyVariables } from '@vouchsafe/image/boot';

/** The disk's own artefacts, and how its boot entry starts them. @throws {ImageError} and what the readers of its parts throw */
export function diskInputs(
  source: ByteSource,
  options: Pick<PredictOptions, 'entry'>,
  circumstances: BootCircumstances,
  known: { readonly variables?: readonly FirmwareVariable[] },
): { readonly artefacts: BootArtefacts; readonly circumstances: BootCircumstances; readonly kind: 'disk' } {
  const { artefacts, entry } = openBootDisk(source, options.entry === undefined ? {} : { entry: options.entry });
  const { commandLine, profile } = entry;
  return {
    kind: 'disk',
    artefacts: { ...artefacts, ...known },
    circumstances: {
      ...(commandLine === undefined ? {} : { commandLine }),
      ...(profile === undefined ? {} : { profile }),
      ...circumstances,
    },
  };
}
