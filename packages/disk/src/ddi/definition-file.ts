// SPDX-License-Identifier: Apache-2.0
import { isUuidText } from '@vouchsafe/codec';
import { PARTITION_ATTRIBUTES } from '../gpt/attributes.ts';
import { type PartitionArchitecture, partitionTypeUuid } from '../gpt/partition-types.ts';
import { defaultAttributes, type PartitionDefinition, type VerityMember } from './definition.ts';
import { type DefinitionLine, definitionLines, invalid } from './definition-lines.ts';
import { parseDefinitionSize } from './definition-size.ts';
import { expandSpecifiers, type Specifiers } from './specifiers.ts';

/** Files that are to be copied: from where, to where in the file system, both absolute. */
export interface CopiedFiles {
  readonly from: string;
  readonly to: string;
}

/** A definition file: the partition, and what is to be in it. */
export interface DefinitionFile extends PartitionDefinition {
  readonly format: 'erofs' | 'vfat' | 'swap' | undefined;
  readonly copyFiles: readonly CopiedFiles[];
  readonly copyBlocks: string | undefined;
  readonly makeDirectories: readonly string[];
}

/** What a definition file leaves to the one who uses it. */
export interface DefinitionContext {
  /** What Type=root and the like mean. */
  readonly architecture: PartitionArchitecture;
  readonly specifiers: Specifiers;
}

/**
 * What has no meaning when an image is made from nothing: how partitions share the room of a larger disk, what
 * systemd-repart makes of an existing one, and Minimize=, since everything here is as small as it can be.
 */
const WITHOUT_MEANING: ReadonlySet<string> = new Set([
  'Priority',
  'Weight',
  'PaddingWeight',
  'FactoryReset',
  'SplitName',
  'Minimize',
]);

/** The settings that may be there several times, each adding to the others. */
const LISTS: ReadonlySet<string> = new Set(['CopyFiles', 'MakeDirectories']);

/**
 * A file as systemd-repart reads it. What is not done here is refused, not passed over: an image would be less than its
 * definition says. repart.d(5).
 * @throws {DiskError} 'definition_invalid', with the file and the line.
 */
export function parseDefinitionFile(text: string, name: string, context: DefinitionContext): DefinitionFile {
  const settings = new Settings(definitionLines(text, 'Partition', name), name, context.specifiers);
  const typeUuid = settings.parsed('Type', (value) => typeOf(value, context.architecture));
  if (typeUuid === undefined) throw invalid(name, 0, 'expected Type=, found none');
  const flags = settings.parsed('Flags', parseFlags);
  const definition: PartitionDefinition = {
    name,
    typeUuid,
    label: settings.text('Label'),
    uuid: settings.parsed('UUID', uuidOf),
    minBytes: settings.parsed('SizeMinBytes', parseDefinitionSize),
    maxBytes: settings.parsed('SizeMaxBytes', parseDefinitionSize),
    paddingBytes: paddingOf(settings, name),
    verity: verityOf(settings, name),
  };
  const file: DefinitionFile = {
    ...definition,
    attributes: attributesOf(settings, flags ?? defaultAttributes(definition)),
    format: settings.parsed('Format', formatOf),
    copyFiles: settings.all('CopyFiles', copiedFiles),
    copyBlocks: settings.parsed('CopyBlocks', absolutePath),
    makeDirectories: settings.all('MakeDirectories', absolutePath),
  };
  settings.requireAllRead();
  requireOneContent(file);
  return file;
}

class Settings {
  readonly #lines: readonly DefinitionLine[];
  readonly #name: string;
  readonly #specifiers: Specifiers;
  readonly #read = new Set<string>();

  constructor(lines: readonly DefinitionLine[], name: string, specifiers: Specifiers) {
    this.#lines = lines;
    this.#name = name;
    this.#specifiers = specifiers;
  }

  /** The last value, as in systemd; an empty one takes back what was said before. */
  text(key: string): string | undefined {
    return this.parsed(key, (value) => value);
  }

  parsed<T>(key: string, parse: (value: string) => T): T | undefined {
    this.#read.add(key);
    const line = this.#lines.findLast((candidate) => candidate.key === key);
    return line === undefined || line.value === '' ? undefined : this.#parse(line, parse);
  }

  /** All values; an empty one takes back those before it. */
  all<T>(key: string, parse: (value: string) => T | readonly T[]): readonly T[] {
    this.#read.add(key);
    const lines = this.#lines.filter((candidate) => candidate.key === key);
    const from = lines.findLastIndex(({ value }) => value === '') + 1;
    return lines.slice(from).flatMap((line) => this.#parse(line, parse));
  }

  requireAllRead(): void {
    const seen = new Set<string>();
    for (const { key, line } of this.#lines) {
      if (WITHOUT_MEANING.has(key)) continue;
      if (!this.#read.has(key)) {
        throw invalid(
          this.#name,
          line,
          `${key}= is not done here; leave it out, or make this image with systemd-repart`,
        );
      }
      if (seen.has(key) && !LISTS.has(key)) throw invalid(this.#name, line, `expected ${key}= once`);
      seen.add(key);
    }
  }

  #parse<T>({ key, value, line }: DefinitionLine, parse: (value: string) => T): T {
    try {
      return parse(expandSpecifiers(value, this.#specifiers));
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw invalid(this.#name, line, `${key}=${value}: ${cause.message}`, { cause });
    }
  }
}

function typeOf(value: string, architecture: PartitionArchitecture): string {
  if (isUuidText(value)) return value.toLowerCase();
  const [first, ...others] = value.split('-');
  const native = partitionTypeUuid([first, architecture, ...others].join('-'));
  const type = partitionTypeUuid(value) ?? native;
  if (type === undefined) throw new RangeError('expected a type of the Discoverable Partitions, or a UUID');
  return type;
}

function uuidOf(value: string): string {
  if (isUuidText(value)) return value.toLowerCase();
  throw new RangeError('expected a UUID');
}

function formatOf(value: string): DefinitionFile['format'] {
  if (value === 'erofs' || value === 'vfat' || value === 'swap') return value;
  throw new RangeError('expected erofs, vfat or swap: other file systems are not made here');
}

const YES = /^(1|yes|y|true|t|on)$/i;
const NO = /^(0|no|n|false|f|off)$/i;

function parseBoolean(value: string): boolean {
  if (!YES.test(value) && !NO.test(value)) throw new RangeError('expected yes or no');
  return YES.test(value);
}

function parseFlags(value: string): bigint {
  if (!/^(0x[0-9a-f]{1,16}|\d{1,20})$/i.test(value)) throw new RangeError('expected a number of 64 bits');
  const flags = BigInt(value);
  if (flags >> 64n !== 0n) throw new RangeError('expected a number of 64 bits');
  return flags;
}

function attributesOf(settings: Settings, flags: bigint): bigint {
  const bits = { ReadOnly: 'readOnly', NoAuto: 'noAuto', GrowFileSystem: 'growFileSystem' } as const;
  let attributes = flags;
  for (const [key, name] of Object.entries(bits)) {
    const bit = PARTITION_ATTRIBUTES[name];
    const isSet = settings.parsed(key, parseBoolean);
    if (isSet !== undefined) attributes = isSet ? attributes | bit : attributes & ~bit;
    // What is read-only does not grow, unless the file says so.
    if (key === 'ReadOnly' && isSet === true) attributes &= ~PARTITION_ATTRIBUTES.growFileSystem;
  }
  return attributes;
}

/** On a disk that is as small as it can be, what lies behind a partition is the least padding. */
function paddingOf(settings: Settings, name: string): number | undefined {
  const least = settings.parsed('PaddingMinBytes', parseDefinitionSize);
  const most = settings.parsed('PaddingMaxBytes', parseDefinitionSize);
  if (least !== undefined && most !== undefined && most < least) {
    throw invalid(name, 0, `expected PaddingMaxBytes= of ${least} or more, found ${most}`);
  }
  return least;
}

function verityOf(settings: Settings, name: string): VerityMember | undefined {
  const role = settings.parsed('Verity', (value) => {
    if (value === 'off' || value === 'data' || value === 'hash' || value === 'signature') return value;
    throw new RangeError('expected off, data, hash or signature');
  });
  const matchKey = settings.text('VerityMatchKey');
  for (const key of ['VerityDataBlockSizeBytes', 'VerityHashBlockSizeBytes']) {
    settings.parsed(key, (value) => {
      if (parseDefinitionSize(value) !== 4096) throw new RangeError('expected 4096, the one size that is made here');
    });
  }
  if (role === undefined || role === 'off') return undefined;
  if (matchKey === undefined) throw invalid(name, 0, `expected VerityMatchKey= with Verity=${role}, found none`);
  return { role, matchKey };
}

function absolutePath(value: string): string {
  if (!value.startsWith('/') || value.split('/').includes('..') || value.includes('\0')) {
    throw new RangeError('expected an absolute path without ..');
  }
  return value;
}

/** repart.d(5), CopyFiles=: SOURCE, or SOURCE:TARGET. The options behind a second colon are newer, and not done here. */
function copiedFiles(value: string): CopiedFiles {
  const [from, to = from, ...options] = value.split(':');
  if (options.length > 0) throw new RangeError('expected SOURCE:TARGET, found options, which are not done here');
  return { from: absolutePath(from as string), to: absolutePath(to as string) };
}

function requireOneContent(file: DefinitionFile): void {
  const { name, format, copyFiles, copyBlocks, makeDirectories, verity } = file;
  const hasFiles = copyFiles.length > 0 || makeDirectories.length > 0;
  if (hasFiles && format !== 'erofs' && format !== 'vfat') {
    throw invalid(name, 0, 'expected Format=erofs or Format=vfat with CopyFiles= or MakeDirectories=');
  }
  if (copyBlocks !== undefined && (format !== undefined || hasFiles)) {
    throw invalid(name, 0, 'expected CopyBlocks= without Format=, CopyFiles= and MakeDirectories=');
  }
  if (verity !== undefined && verity.role !== 'data' && (format !== undefined || copyBlocks !== undefined)) {
    throw invalid(name, 0, `expected Verity=${verity.role} without Format= and CopyBlocks=: its content is made`);
  }
}
