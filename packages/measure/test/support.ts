// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { memorySource } from '@vouchsafe/bytes';
import type { Bank } from '@vouchsafe/manifest';
import { openPe, type PeFile } from '@vouchsafe/pe';
import type { Signer } from '@vouchsafe/pki';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import { vectorPath } from '@vouchsafe/testing';
import type { MadeSection } from './made-uki.ts';

export const BANKS: readonly Bank[] = ['sha1', 'sha256', 'sha384', 'sha512'];

/** A plain array: tests must not depend on what Buffer adds. */
export function readVector(...parts: string[]): Uint8Array {
  return new Uint8Array(readFileSync(vectorPath('image', ...parts)));
}

export function openVector(...parts: string[]): PeFile {
  return openPe(memorySource(readVector(...parts), parts.at(-1) ?? ''));
}

export const textOf = (...parts: string[]): string => readFileSync(vectorPath('image', ...parts), 'utf8');

const input = (name: string): Uint8Array => readVector('uki', 'inputs', name);

/** The sections of the vectors' "basic" commands, and those that "full" adds. */
export function basicSections(): MadeSection[] {
  return [
    ['.pcrpkey', input('pcrpkey.pem')],
    ['.dtb', input('fake-dtb.bin')],
    ['.osrel', input('os-release')],
    ['.cmdline', input('cmdline')],
    ['.initrd', input('fake-initrd.bin')],
    ['.splash', input('splash.bmp')],
    ['.linux', input('fake-linux.bin')],
  ];
}

export function fullSections(): MadeSection[] {
  return [
    ...basicSections(),
    ['.uname', input('uname')],
    ['.sbat', input('sbat')],
    ['.ucode', input('fake-ucode.bin')],
  ];
}

/** A key of the vectors as the signer of each bank. */
export async function signersOf(key: string): Promise<Map<Bank, Signer>> {
  const keyPath = vectorPath('image', 'uki', 'keys', `${key}.key`);
  return new Map(
    await Promise.all(BANKS.map(async (hash) => [hash, await openKeyFileSigner({ keyPath, hash })] as const)),
  );
}
