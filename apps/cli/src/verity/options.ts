// SPDX-License-Identifier: Apache-2.0
// The options that the verbs share, by veritysetup's names.
import { parseUtf8 } from '@vouchsafe/base';
import { FileSource } from '@vouchsafe/bytes/node';
import { parseAlgorithm, VerityError, type VerityParameters } from '@vouchsafe/verity';
import {
  countDataBlocks,
  type FecFileRequest,
  type TreeInFile,
  type UncountedParameters,
} from '@vouchsafe/verity/node';
import type { Command } from '../arguments/command.ts';
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';
import { Option } from '../arguments/option.ts';
import { inputPath } from '../input-path.ts';
import { hexBytes, readSmallFile, saltBytes, uuidText, wholeNumber } from '../parse.ts';
import { UsageError } from '../usage-error.ts';

/** What makes a tree, besides the data. What was not said is undefined, so that a superblock can be held against the rest. */
export interface TreeOptions {
  readonly salt?: Uint8Array;
  readonly uuid?: string;
  readonly hash?: VerityParameters['algorithm'];
  readonly format?: 0 | 1;
  readonly dataBlockSize?: number;
  readonly hashBlockSize?: number;
  readonly dataBlocks?: number;
  readonly hashOffset: number;
  readonly superblock: boolean;
}

export interface FecOptions {
  readonly fecDevice?: string;
  readonly fecOffset?: number;
  readonly fecRoots?: number;
}

/** As veritysetup has them. */
const DEFAULT_BLOCK_SIZE = 4096;
const DEFAULT_FEC_ROOTS = 2;
/** A Reed-Solomon codeword of 255 octets, 231 to 253 of them data. Linux, drivers/md/dm-verity-fec.h. */
const MIN_FEC_ROOTS = 2;
const MAX_FEC_ROOTS = 24;

function hashType(text: string): 0 | 1 {
  if (text !== '0' && text !== '1')
    throw new InvalidArgumentError('Expected 1, the normal one, or 0, the original of Chrome OS.');
  return text === '1' ? 1 : 0;
}

function algorithm(text: string): VerityParameters['algorithm'] {
  try {
    return parseAlgorithm(text);
  } catch (error) {
    if (error instanceof VerityError) throw new InvalidArgumentError(`${error.message}.`);
    throw error;
  }
}

function fecRoots(text: string): number {
  const value = wholeNumber(text);
  if (value < MIN_FEC_ROOTS || value > MAX_FEC_ROOTS)
    throw new InvalidArgumentError(`Expected ${MIN_FEC_ROOTS} to ${MAX_FEC_ROOTS}.`);
  return value;
}

export const hashOffsetOption = (): Option =>
  new Option('--hash-offset <bytes>', 'where the hash area begins in HASH').argParser(wholeNumber).default(0);

/** Adds what names data, the tree over it and the root hash to hold them against. */
export function addTreeArguments(command: Command): Command {
  return command
    .argument('<DATA>', 'file or device with the data')
    .argument('<HASH>', 'file or device with the hash tree')
    .argument('[ROOT]', 'root hash, in hexadecimal');
}

/** Adds the options that describe a tree which is there: with a superblock they may be left out, and must agree with it. */
export function addTreeOptions(command: Command): Command {
  return addParameterOptions(command, 'salt, or - for none; needed with --no-superblock');
}

/** Adds the options that describe a tree which is to be made. */
export function addNewTreeOptions(command: Command): Command {
  return addParameterOptions(command, 'salt, or - for none (default: derived from the seed)');
}

function addParameterOptions(command: Command, saltHelp: string): Command {
  return command
    .option('-s, --salt <hex>', saltHelp, saltBytes)
    .option('--hash <name>', 'digest (default: sha256)', algorithm)
    .option('--format <number>', 'hash type: 1 normal, 0 original Chrome OS (default: 1)', hashType)
    .option('--data-block-size <bytes>', `size of a data block (default: ${DEFAULT_BLOCK_SIZE})`, wholeNumber)
    .option('--hash-block-size <bytes>', `size of a hash block (default: ${DEFAULT_BLOCK_SIZE})`, wholeNumber)
    .option('--data-blocks <blocks>', 'number of data blocks (default: the whole file)', wholeNumber)
    .addOption(hashOffsetOption())
    .option('--no-superblock', 'there is no superblock; the options above say what it would');
}

export function addFecOptions(
  command: Command,
  device: Option = new Option('--fec-device <file>', 'parity for repairs'),
): Command {
  return command
    .addOption(device)
    .option('--fec-offset <bytes>', 'where the parity begins in that file (default: 0)', wholeNumber)
    .option(
      '--fec-roots <bytes>',
      `parity bytes of each codeword, ${MIN_FEC_ROOTS} to ${MAX_FEC_ROOTS} (default: ${DEFAULT_FEC_ROOTS})`,
      fecRoots,
    );
}

export const uuidOption = (): Option =>
  new Option('--uuid <uuid>', 'UUID of the hash area (default: derived)').argParser(uuidText);

/** The seed of systemd-repart: a UUID whose octets are the key that salt and UUIDs are derived with. */
export const seedOption = (): Option =>
  new Option('--seed <uuid>', 'derive salt and UUID from this, as systemd-repart does').argParser((text) =>
    hexBytes(uuidText(text).replaceAll('-', '')),
  );

/**
 * The parity that the options name.
 * @throws {UsageError} for an option that means nothing without the others.
 */
export function fecRequest(options: FecOptions): FecFileRequest | undefined {
  const { fecDevice, fecOffset, fecRoots: roots } = options;
  if (fecDevice === undefined) {
    if (fecOffset === undefined && roots === undefined) return undefined;
    throw new UsageError(`${roots === undefined ? '--fec-offset' : '--fec-roots'} needs --fec-device FILE`);
  }
  return { path: fecDevice, offset: fecOffset ?? 0, roots: roots ?? DEFAULT_FEC_ROOTS };
}

/**
 * The parameters of a tree that no superblock describes.
 * @throws {UsageError} when it has to have parity, which dm-verity has only where all blocks have one size.
 */
export function parameterOptions(options: TreeOptions & FecOptions): Omit<UncountedParameters, 'salt'> {
  const { dataBlockSize = DEFAULT_BLOCK_SIZE, hashBlockSize = DEFAULT_BLOCK_SIZE } = options;
  if (options.fecDevice !== undefined && dataBlockSize !== hashBlockSize) {
    throw new UsageError('with --fec-device the --data-block-size and the --hash-block-size must be the same');
  }
  return { hashType: options.format ?? 1, algorithm: options.hash ?? 'sha256', dataBlockSize, hashBlockSize };
}

/**
 * How to know the tree: by its superblock, or by the options when there is none.
 * @param paths where the blocks can be counted if nobody says how many there are.
 */
export function treeInFile(
  options: TreeOptions & FecOptions,
  paths: { readonly dataPath: string; readonly hashPath: string } | undefined,
): TreeInFile {
  const { hashOffset, salt, dataBlocks, dataBlockSize, hashBlockSize } = options;
  if (options.superblock) {
    const { hash, format } = options;
    const expected = { hashType: format, algorithm: hash, dataBlockSize, hashBlockSize, dataBlocks, salt };
    return { hashOffset, hasSuperblock: true, expected };
  }
  const uncounted = { ...parameterOptions(options), salt: requireSalt(salt) };
  return {
    hashOffset,
    hasSuperblock: false,
    parameters: { ...uncounted, dataBlocks: dataBlocks ?? countIn(paths, uncounted, hashOffset) },
  };
}

function countIn(paths: Parameters<typeof treeInFile>[1], uncounted: UncountedParameters, hashOffset: number): number {
  if (paths === undefined) {
    throw new UsageError('with --no-superblock say --data-blocks too, as there is no data file to count');
  }
  using data = FileSource.open(paths.dataPath);
  return countDataBlocks(data, uncounted, paths.hashPath, hashOffset);
}

function requireSalt(salt: Uint8Array | undefined): Uint8Array {
  if (salt === undefined) {
    throw new UsageError('with --no-superblock the salt must be given: --salt HEX, or --salt - for none');
  }
  return salt;
}

/** The files of a tree that is there; - is standard input for one of them, as far as it is a file. */
export function treePaths(dataArgument: string, hashArgument: string): { dataPath: string; hashPath: string } {
  return { dataPath: inputPath(dataArgument), hashPath: inputPath(hashArgument) };
}

export const rootHashFileOption = (): Option =>
  new Option('--root-hash-file <file>', 'read the root hash from a file instead');

/** The root hash from the argument or the file; one of the two. */
export function rootHashFrom(argument: string | undefined, file: string | undefined): Uint8Array {
  if ((argument === undefined) === (file === undefined)) {
    throw new UsageError('give the root hash once: as the last argument, or with --root-hash-file FILE');
  }
  const text = argument ?? parseUtf8(readSmallFile(file as string)).trim();
  if (!/^([0-9a-fA-F]{2})+$/.test(text)) {
    throw new UsageError(`a root hash is hexadecimal digits, got ${JSON.stringify(text.slice(0, 80))}`);
  }
  return hexBytes(text);
}
