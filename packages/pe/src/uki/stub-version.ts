// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import type { PeFile } from '../read/pe-file.ts';
import { readSmallSection } from '../read/section-data.ts';

/** What a stub or boot loader says it is. Untrusted unless the file's signature was checked. */
export interface StubVersion {
  /** 'systemd-stub', 'systemd-addon', 'systemd-boot'. */
  readonly product: string;
  /** As it stands there: '252.39-1~deb12u1'. */
  readonly version: string;
  /** The number in front, which decides what is measured. */
  readonly major: number;
}

/** systemd, src/boot/stub.c and boot.c: DECLARE_NOALLOC_SECTION(".sdmagic", "#### LoaderInfo: systemd-stub 257 ####"). */
const MAGIC = /^#### LoaderInfo: (\S{1,64}) ((\d{1,5})\S{0,128}) ####\0*$/;

/** The version in .sdmagic; undefined when the section is missing or says something else. */
export function stubVersionOf(pe: PeFile): StubVersion | undefined {
  const bytes = readSmallSection(pe, '.sdmagic');
  if (bytes === undefined) return undefined;
  const [, product, version, major] = MAGIC.exec(textOf(bytes)) ?? [];
  if (product === undefined || version === undefined) return undefined;
  return { product, version, major: Number(major) };
}

function textOf(bytes: Uint8Array): string {
  try {
    return parseUtf8(bytes);
  } catch (error) {
    if (error instanceof TextError) return '';
    throw error;
  }
}
