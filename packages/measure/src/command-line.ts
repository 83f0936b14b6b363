// SPDX-License-Identifier: Apache-2.0
import { parseUtf8 } from '@vouchsafe/base';
import { encode, rest, utf16leNul } from '@vouchsafe/codec';
import { MeasureError } from './error.ts';
import { type Release, unknownOf } from './stub.ts';

/** Characters of the longest text; kernels stop at 2048 (x86) or 64 Ki. */
const MAX_CHARACTERS = 64 * 1024;

/** Releases up to the first of these clean a text in one way, from the second in another; between, nobody looked. */
const LAST_WITH_OLD_RULE = 254;
const FIRST_WITH_NEW_RULE = 257;

/**
 * What a stub takes a section's octets for: UTF-8 up to a NUL. systemd 252 and 257, src/boot/efi-string.c (xstrn8_to_16).
 * @throws {TextError} for what is not UTF-8. @throws {MeasureError} 'command_line_invalid' for characters above U+FFFF, which
 * stubs drop, and for too many.
 */
export function sectionText(octets: Uint8Array): string {
  const nul = octets.indexOf(0);
  return requireText(parseUtf8(nul < 0 ? octets : octets.subarray(0, nul)));
}

/** @throws {MeasureError} 'command_line_invalid' */
export function requireText(text: string): string {
  if (text.length > MAX_CHARACTERS || text.includes('\0') || /[\ud800-\udfff]/.test(text)) {
    const message = `expected a command line of up to ${MAX_CHARACTERS} characters, none of them NUL or above U+FFFF, found ${text.length} characters`;
    throw new MeasureError('command_line_invalid', message);
  }
  return text;
}

/** Characters up to U+001F, which every stub makes spaces of. */
export function hasControl(text: string): boolean {
  return withoutControl(text, NEVER) !== text;
}

/**
 * The text as the stub (or boot loader) hands it on: without control characters and white space at its ends. systemd 252.39
 * and 254.26, src/boot/efi/util.c, and 257.13, src/boot/util.c: mangle_stub_cmdline.
 * @throws {MeasureError} 'stub_unknown' when the old and the new way differ and it is not known which one this release has.
 */
export function cleanText(release: Release, text: string): string {
  const old = oldRule(text);
  if (release.major <= LAST_WITH_OLD_RULE) return old;
  const renewed = newRule(text);
  if (release.major < FIRST_WITH_NEW_RULE && old !== renewed) {
    throw unknownOf(release, 'what it makes of white space at the ends of a command line; remove that');
  }
  return renewed;
}

const DELETE = 0x7f;
const NEVER = -1;

/** Control characters up to U+001F become spaces; spaces at the end go, those in front stay. */
function oldRule(text: string): string {
  return withoutSpacesBehind(withoutControl(text, NEVER));
}

/** U+007F counts as well, and both ends are trimmed. */
function newRule(text: string): string {
  return withoutSpacesBehind(withoutControl(text, DELETE)).replace(/^ +/, '');
}

function withoutControl(text: string, also: number): string {
  let spaced = '';
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    spaced += unit < 0x20 || unit === also ? ' ' : text.charAt(i);
  }
  return spaced;
}

/** By hand: a pattern for spaces at the end looks at each run of spaces again from each of its characters. */
function withoutSpacesBehind(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === ' ') end--;
  return text.slice(0, end);
}

/** UTF-16LE with its NUL: what is measured of a command line, and what the kernel is given. */
export function commandLineOctets(text: string): Uint8Array {
  return encode(utf16leNul(rest), text);
}

/** One text behind another, with a space unless the first is empty. systemd, src/boot/stub.c: the "%ls%ls%ls" of addons. */
export function appendText(before: string, more: string): string {
  return before === '' ? more : `${before} ${more}`;
}
