// SPDX-License-Identifier: Apache-2.0
// The header of a package as rpm's database holds it: two counts, an index, and the data that it points into.
// rpm, docs/manual/format_header.md; include/rpm/rpmtag.h; lib/header.c (hdrblobInit).
import { parseUtf8, TextError } from '@vouchsafe/base';
import { decode, struct, u32be } from '@vouchsafe/codec';
import { ImageError } from '../../error.ts';
import { type InstalledPackage, MAX_PACKAGE_FILES } from '../installed-package.ts';

const rpmHeaderSizes = struct('hdrblob', { entries: u32be, dataBytes: [u32be, 'octets behind the index'] });
const rpmHeaderEntry = struct('entryInfo', {
  tag: u32be,
  type: u32be,
  offset: [u32be, 'octets from the start of the data'],
  count: [u32be, 'of values'],
});

/** lib/header.c: HEADER_TAGS_MAX, HEADER_DATA_MAX. */
const MAX_ENTRIES = 0xffff;
const MAX_DATA_BYTES = 0x0fffffff;
const [SIZES_BYTES, ENTRY_BYTES] = [8, 16];

const TAG = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  vendor: 1011,
  license: 1014,
  architecture: 1022,
  sourceRpm: 1044,
  dirIndexes: 1116,
  baseNames: 1117,
  dirNames: 1118,
} as const;
const TYPE = { int32: 4, string: 6, stringArray: 8, i18nString: 9 } as const;

/** rpm's keys for signatures are packages by this name, and nothing that is installed. */
const KEY_NAME = 'gpg-pubkey';

/**
 * The package of a header; undefined for a key, which the database keeps like a package.
 * @throws {ImageError} 'packages_malformed', 'limit'.
 */
export function decodeRpmHeader(blob: Uint8Array, label: string): InstalledPackage | undefined {
  const header = new RpmHeader(blob, label);
  const text = (tag: number): string | undefined => header.texts(tag)[0];
  const [name, version, release] = [text(TAG.name), text(TAG.version), text(TAG.release)];
  if (!name || !version || !release) throw header.malformed('expected a name, a version and a release');
  if (name === KEY_NAME) return undefined;
  const architecture = text(TAG.architecture);
  const source = sourceOf(text(TAG.sourceRpm));
  return {
    manager: 'rpm',
    name,
    version: `${version}-${release}`,
    epoch: header.numbers(TAG.epoch)[0],
    architecture: architecture === '(none)' ? undefined : architecture,
    source,
    license: text(TAG.license),
    supplier: text(TAG.vendor),
    files: filesOf(header),
  };
}

/** `bash-5.2.26-3.fc40.src.rpm`. */
function sourceOf(file: string | undefined): InstalledPackage['source'] {
  const [, name, version] = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(file ?? '') ?? [];
  return name === undefined ? undefined : { name, version };
}

function filesOf(header: RpmHeader): string[] {
  const [names, folders, indexes] = [
    header.texts(TAG.baseNames),
    header.texts(TAG.dirNames),
    header.numbers(TAG.dirIndexes),
  ];
  if (names.length !== indexes.length) throw header.malformed('expected a folder for each file');
  return names.map((name, i) => {
    const folder = folders[indexes[i] ?? -1];
    if (folder === undefined) throw header.malformed('expected the folder of a file among its folders');
    return `${folder}${name}`.replace(/^\/+/, '');
  });
}

interface Entry {
  readonly type: number;
  readonly offset: number;
  readonly count: number;
}

class RpmHeader {
  readonly #entries = new Map<number, Entry>();
  readonly #data: Uint8Array;
  readonly #label: string;

  constructor(blob: Uint8Array, label: string) {
    this.#label = label;
    if (blob.length < SIZES_BYTES) throw this.malformed('expected two counts');
    const { entries, dataBytes } = decode(rpmHeaderSizes, blob.subarray(0, SIZES_BYTES));
    if (entries > MAX_ENTRIES || dataBytes > MAX_DATA_BYTES) throw this.malformed('expected smaller counts');
    const dataOffset = SIZES_BYTES + ENTRY_BYTES * entries;
    if (blob.length !== dataOffset + dataBytes) {
      throw this.malformed(`expected ${dataOffset + dataBytes} octets, found ${blob.length}`);
    }
    this.#data = blob.subarray(dataOffset);
    for (let i = 0; i < entries; i++) {
      const at = SIZES_BYTES + ENTRY_BYTES * i;
      const { tag, ...entry } = decode(rpmHeaderEntry, blob.subarray(at, at + ENTRY_BYTES));
      if (!this.#entries.has(tag)) this.#entries.set(tag, entry);
    }
  }

  texts(tag: number): string[] {
    const entry = this.#entries.get(tag);
    if (entry === undefined) return [];
    if (entry.type !== TYPE.string && entry.type !== TYPE.stringArray && entry.type !== TYPE.i18nString) {
      throw this.malformed(`expected text in tag ${tag}, found type ${entry.type}`);
    }
    this.#requireCount(entry, 1);
    const texts: string[] = [];
    let at = entry.offset;
    for (let i = 0; i < entry.count; i++) {
      const end = this.#data.indexOf(0, at);
      if (end < 0) throw this.malformed(`expected text with an end in tag ${tag}`);
      texts.push(this.#text(this.#data.subarray(at, end)));
      at = end + 1;
    }
    return texts;
  }

  numbers(tag: number): number[] {
    const entry = this.#entries.get(tag);
    if (entry === undefined) return [];
    if (entry.type !== TYPE.int32) throw this.malformed(`expected numbers in tag ${tag}, found type ${entry.type}`);
    this.#requireCount(entry, 4);
    const view = new DataView(this.#data.buffer, this.#data.byteOffset, this.#data.byteLength);
    return Array.from({ length: entry.count }, (_, i) => view.getUint32(entry.offset + 4 * i));
  }

  malformed(problem: string): ImageError {
    return new ImageError('packages_malformed', `${this.#label}: not a header of rpm: ${problem}`);
  }

  #requireCount({ offset, count }: Entry, leastBytes: number): void {
    if (count > MAX_PACKAGE_FILES) {
      throw new ImageError('limit', `${this.#label}: expected at most ${MAX_PACKAGE_FILES} values, found ${count}`);
    }
    if (offset + count * leastBytes > this.#data.length) throw this.malformed('expected values inside the data');
  }

  #text(octets: Uint8Array): string {
    try {
      return parseUtf8(octets);
    } catch (cause) {
      // Names of files may be of any octets; they match no file of a tree then, whose names are text.
      if (cause instanceof TextError) return Buffer.from(octets).toString('latin1');
      throw cause;
    }
  }
}
