// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { FileSource } from '@vouchsafe/bytes/node';
import { VerityError } from '../error.ts';
import { readHeader } from '../tree/header.ts';
import type { HashAreaPlace } from '../tree/layout.ts';
import type { VerityParameters } from '../tree/parameters.ts';

/** How a tree in a file is described: by its superblock, or by whoever asks. */
export type TreeInFile =
  | {
      readonly hashOffset: number;
      readonly hasSuperblock: true;
      /** What whoever asks takes for granted of it; a superblock that says otherwise is refused. */
      readonly expected?: ExpectedParameters;
    }
  | { readonly hashOffset: number; readonly hasSuperblock: false; readonly parameters: VerityParameters };

/** What is known of the tree in a hash file. */
export interface KnownTree {
  readonly parameters: VerityParameters;
  readonly place: HashAreaPlace;
}

/** Some of the parameters of a tree. */
export type ExpectedParameters = { readonly [Name in keyof VerityParameters]?: VerityParameters[Name] | undefined };

/**
 * @throws {VerityError} 'superblock_missing', 'superblock_invalid', 'algorithm'; 'options_invalid' when the superblock
 * says something else than is expected.
 */
export function knownTree(hash: FileSource, tree: TreeInFile): KnownTree {
  const place = { offset: tree.hashOffset, hasSuperblock: tree.hasSuperblock };
  if (!tree.hasSuperblock) return { place, parameters: tree.parameters };
  const parameters = readHeader(hash, tree.hashOffset);
  requireExpected(parameters, tree.expected ?? {}, hash.label);
  return { place, parameters };
}

const OPTION_NAMES: Readonly<Record<keyof VerityParameters, string>> = {
  hashType: '--format',
  algorithm: '--hash',
  dataBlockSize: '--data-block-size',
  hashBlockSize: '--hash-block-size',
  dataBlocks: '--data-blocks',
  salt: '--salt',
};

/** Passed over, an option would make believe that something was checked which was not. */
function requireExpected(found: VerityParameters, expected: ExpectedParameters, label: string): void {
  const text = (value: Uint8Array | string | number): string =>
    value instanceof Uint8Array ? toHex(value) || '-' : String(value);
  for (const name of Object.keys(OPTION_NAMES) as (keyof VerityParameters)[]) {
    const wanted = expected[name];
    if (wanted === undefined || text(wanted) === text(found[name])) continue;
    throw new VerityError(
      'options_invalid',
      `${label}: ${OPTION_NAMES[name]} says ${text(wanted)}, the superblock ${text(found[name])}; leave the option out, or say --no-superblock to go by the options`,
    );
  }
}
