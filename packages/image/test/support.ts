// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { concatBytes, utf8 } from '@vouchsafe/base';
import { encode, u16le, u32le, u64le } from '@vouchsafe/codec';

const u16 = (value: number): Uint8Array => encode(u16le, value);
const u32 = (value: number): Uint8Array => encode(u32le, value);
const u64 = (value: number | bigint): Uint8Array => encode(u64le, BigInt(value));

export interface MadeSection {
  readonly name: string;
  readonly content: Uint8Array;
  readonly type?: number;
  readonly link?: number;
}

const SHT_PROGBITS = 1;
const HEADER_BYTES = 64;

/** An ELF-64 file, written by hand: header, contents, section headers. Section 0 is empty, the names come last. */
export function elfOf(sections: readonly MadeSection[]): Uint8Array {
  const all: MadeSection[] = [{ name: '', content: new Uint8Array(0), type: 0 }, ...sections];
  const names = [...all.map(({ name }) => `${name}\0`), '.shstrtab\0'];
  all.push({ name: '.shstrtab', content: utf8(names.join('')), type: 3 });
  let offset = HEADER_BYTES;
  let nameOffset = 0;
  const headers = all.map(({ content, type = SHT_PROGBITS, link = 0 }, i) => {
    const header = concatBytes(
      u32(nameOffset),
      u32(type),
      ...[0, 0, offset, content.length].map(u64),
      ...[link, 0].map(u32),
      ...[1, 0].map(u64),
    );
    offset += content.length;
    nameOffset += names[i]?.length ?? 0;
    return header;
  });
  const start = concatBytes(
    Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    ...[1, 62].map(u16),
    u32(1),
    ...[0, 0, offset].map(u64),
    u32(0),
    ...[HEADER_BYTES, 56, 0, 64, all.length, all.length - 1].map(u16),
  );
  return concatBytes(start, ...all.map(({ content }) => content), ...headers);
}

/** A kernel module that says this of itself. */
export function moduleOf(info: Readonly<Record<string, string>>): Uint8Array {
  const lines = Object.entries(info).map(([key, value]) => `${key}=${value}\0`);
  return elfOf([{ name: '.modinfo', content: utf8(lines.join('')) }]);
}

/** A program or library that needs others. */
export function programOf(libraries: readonly string[], loader?: string): Uint8Array {
  const strings = `\0${libraries.map((name) => `${name}\0`).join('')}`;
  let at = 1;
  const entries = libraries.map((name) => {
    const entry = concatBytes(u64(1), u64(at));
    at += name.length + 1;
    return entry;
  });
  return elfOf([
    { name: '.dynstr', content: utf8(strings), type: 3 },
    { name: '.dynamic', content: concatBytes(...entries, u64(0), u64(0)), type: 6, link: 1 },
    ...(loader === undefined ? [] : [{ name: '.interp', content: utf8(`${loader}\0`) }]),
  ]);
}

/** Writes files below a folder, with the folders they lie in. */
export function writeTree(root: string, files: Readonly<Record<string, Uint8Array | string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

/** The code of what `run` throws; fails where it throws nothing or something without a code. */
export function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
  throw new Error('expected an error, found a value');
}

/** The code of what a promise is rejected with. */
export async function codeOfRejected(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
  throw new Error('expected a rejection, found a value');
}
