// SPDX-License-Identifier: Apache-2.0
// The options that the verbs share, by veritysetup's names.
import { parseUtf8 } from '@vouchsafe/base';
import { parseAlgorithm, VerityError } from '@vouchsafe/verity';
import type { FecFileRequest, TreeInFile } from '@vouchsafe/verity/node';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { hexBytes, readSmallFile, saltBytes, uuidText, wholeNumber } from '../parse.ts';

/** What makes a tree, besides the data. */
export interface TreeOptions {
  readonly salt?: Uint8Array;
  readonly uuid?: string;
  readonly hash: string;
  readonly format: 0 | 1;
  readonly dataBlockSize: number;
  readonly hashBlockSize: number;
  readonly dataBlocks?: number;
  readonly hashOffset: number;
  readonly superblock: boolean;
}

export interface FecOptions {
  readonly fecDevice?: string;
  readonly fecOffset: number;
  readonly fecRoots: number;
}

function hashType(text: string): 0 | 1 {
  if (text !== '0' && text !== '1')
    throw new InvalidArgumentError('Expected 1, the normal one, or 0, the original of Chrome OS.');
  return text === '1' ? 1 : 0;
}

export const hashOffsetOption = (): Option =>
  new Option('--hash-offset <bytes>', 'where the hash area begins in HASH').argParser(wholeNumber).default(0);

/** Adds the options that describe a tree; for verbs other than format they count only with --no-superblock. */
export function addTreeOptions(command: Command): Command {
  return command
    .option('-s, --salt <hex>', 'salt, or - for none (default: derived from the seed)', saltBytes)
    .option('--hash <name>', 'digest', 'sha256')
    .addOption(
      new Option('--format <number>', 'hash type: 1 normal, 0 original Chrome OS').argParser(hashType).default(1),
    )
    .addOption(new Option('--data-block-size <bytes>', 'size of a data block').argParser(wholeNumber).default(4096))
    .addOption(new Option('--hash-block-size <bytes>', 'size of a hash block').argParser(wholeNumber).default(4096))
    .option('--data-blocks <blocks>', 'number of data blocks (default: the whole file)', wholeNumber)
    .addOption(hashOffsetOption())
    .option('--no-superblock', 'there is no superblock; the options above say what it would');
}

export function addFecOptions(command: Command): Command {
  return command
    .option('--fec-device <file>', 'parity for repairs')
    .addOption(
      new Option('--fec-offset <bytes>', 'where the parity begins in that file').argParser(wholeNumber).default(0),
    )
    .addOption(
      new Option('--fec-roots <bytes>', 'parity bytes of each codeword, 2 to 24').argParser(wholeNumber).default(2),
    );
}

export const uuidOption = (): Option =>
  new Option('--uuid <uuid>', 'UUID of the hash area (default: derived)').argParser(uuidText);

/** The seed of systemd-repart: a UUID whose octets are the key that salt and UUIDs are derived with. */
export const seedOption = (): Option =>
  new Option('--seed <uuid>', 'derive salt and UUID from this, as systemd-repart does').argParser((text) =>
    hexBytes(uuidText(text).replaceAll('-', '')),
  );

export function fecRequest(options: FecOptions): FecFileRequest | undefined {
  if (options.fecDevice === undefined) return undefined;
  return { path: options.fecDevice, offset: options.fecOffset, roots: options.fecRoots };
}

/** How to know the tree: by its superblock, or by the options when there is none. */
export function treeInFile(options: TreeOptions, dataSize: () => number): TreeInFile {
  const { hashOffset } = options;
  if (options.superblock) return { hashOffset, hasSuperblock: true };
  const dataBlocks = options.dataBlocks ?? Math.floor(dataSize() / options.dataBlockSize);
  return {
    hashOffset,
    hasSuperblock: false,
    parameters: {
      hashType: options.format,
      algorithm: parseAlgorithm(options.hash),
      dataBlockSize: options.dataBlockSize,
      hashBlockSize: options.hashBlockSize,
      dataBlocks,
      salt: requireSalt(options.salt),
    },
  };
}

function requireSalt(salt: Uint8Array | undefined): Uint8Array {
  if (salt === undefined) {
    throw new VerityError(
      'options_invalid',
      'with --no-superblock the salt must be given: --salt HEX, or --salt - for none',
    );
  }
  return salt;
}

export const rootHashFileOption = (): Option =>
  new Option('--root-hash-file <file>', 'read the root hash from a file instead');

/** The root hash from the argument or the file; one of the two. */
export function rootHashFrom(argument: string | undefined, file: string | undefined): Uint8Array {
  if ((argument === undefined) === (file === undefined)) {
    throw new VerityError(
      'options_invalid',
      'give the root hash once: as the last argument, or with --root-hash-file FILE',
    );
  }
  const text = argument ?? parseUtf8(readSmallFile(file as string)).trim();
  if (!/^([0-9a-fA-F]{2})+$/.test(text)) {
    throw new VerityError('options_invalid', `a root hash is hexadecimal digits, got '${text.slice(0, 80)}'`);
  }
  return hexBytes(text);
}
