// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { CodecError, decode, type Infer } from '@vouchsafe/codec';
import { ImageError } from '../error.ts';
import { elf64Dynamic, elf64Header, elf64SectionHeader } from './structures.ts';

/** Far above what modules and libraries have. */
const MAX_SECTIONS = 10_000;
const MAX_SECTION_BYTES = 64 * 1024 * 1024;
const MAX_NAME_BYTES = 4096;
const MAX_NEEDED_LIBRARIES = 1000;
/** gABI, chapter 4, "Sections": occupies no octets of the file. */
const SHT_NOBITS = 8;
const SHT_DYNAMIC = 6;
/** gABI, chapter 5, "Dynamic Section": name of a needed library; end of the list. */
const DT_NULL = 0n;
const DT_NEEDED = 1n;

type SectionHeader = Infer<typeof elf64SectionHeader>;

/** The sections of an ELF file, read when asked for. */
export class ElfFile {
  readonly #source: ByteSource;
  readonly #sections: readonly SectionHeader[];
  readonly #names: Uint8Array;

  /** @throws {ImageError} 'elf_malformed'. @throws {BytesError} */
  constructor(source: ByteSource) {
    this.#source = source;
    const header = this.#decode(elf64Header, 0);
    if (header.sectionHeaderCount > MAX_SECTIONS) throw this.#malformed(`${header.sectionHeaderCount} sections`);
    this.#sections = Array.from({ length: header.sectionHeaderCount }, (_, i) =>
      this.#decode(elf64SectionHeader, Number(header.sectionHeaderOffset) + 64 * i),
    );
    const names = this.#sections[header.sectionNamesIndex];
    if (names === undefined) throw this.#malformed('no section of names');
    this.#names = this.#content(names);
  }

  /** The content of the first section of that name; undefined when there is none. @throws {ImageError} 'elf_malformed'. */
  section(name: string): Uint8Array | undefined {
    const found = this.#sections.find((s) => this.#text(this.#names, s.nameOffset) === name);
    return found && this.#content(found);
  }

  /** Names of the shared libraries that the program loader has to find, in order. @throws {ImageError} 'elf_malformed'. */
  neededLibraries(): readonly string[] {
    const dynamic = this.#sections.find((s) => s.type === SHT_DYNAMIC);
    if (dynamic === undefined) return [];
    const strings = this.#sections[dynamic.link];
    if (strings === undefined) throw this.#malformed('the dynamic section has no strings');
    const text = this.#content(strings);
    const entries = this.#content(dynamic);
    const needed: string[] = [];
    for (let at = 0; at + 16 <= entries.length; at += 16) {
      const { tag, value } = decode(elf64Dynamic, entries.subarray(at, at + 16));
      if (tag === DT_NULL) break;
      if (tag !== DT_NEEDED) continue;
      if (needed.length >= MAX_NEEDED_LIBRARIES) throw this.#malformed(`more than ${MAX_NEEDED_LIBRARIES} libraries`);
      needed.push(this.#text(text, Number(value)));
    }
    return needed;
  }

  #content(section: SectionHeader): Uint8Array {
    if (section.type === SHT_NOBITS) return new Uint8Array(0);
    const offset = Number(section.offset);
    const size = Number(section.size);
    if (size > MAX_SECTION_BYTES || offset + size > this.#source.size) {
      throw this.#malformed(`a section of ${size} octets at ${offset}`);
    }
    return readBytes(this.#source, offset, size);
  }

  #text(strings: Uint8Array, offset: number): string {
    const end = strings.indexOf(0, offset);
    if (end < 0) throw this.#malformed('a name without an end');
    if (end - offset > MAX_NAME_BYTES) throw this.#malformed(`a name of ${end - offset} octets`);
    return String.fromCharCode(...strings.subarray(offset, end));
  }

  #decode<T>(codec: Parameters<typeof decode<T>>[0], offset: number): T {
    const size = codec.size as number;
    if (!Number.isSafeInteger(offset) || offset + size > this.#source.size) {
      throw this.#malformed(`${codec.name} of ${size} octets at ${offset}, the file ends at ${this.#source.size}`);
    }
    try {
      return decode(codec, readBytes(this.#source, offset, size));
    } catch (cause) {
      if (!(cause instanceof CodecError)) throw cause;
      throw new ImageError('elf_malformed', `${this.#source.label}: ${cause.message}`, { cause });
    }
  }

  #malformed(what: string): ImageError {
    return new ImageError('elf_malformed', `${this.#source.label}: not an ELF file that can be read: ${what}`);
  }
}
