// SPDX-License-Identifier: Apache-2.0

/**
 * A text out of a file that nobody vouches for, to be shown on a terminal: what a terminal would obey, and what turns the
 * direction of writing, is shown by its code point. Line feeds and tabs stay.
 */
export function printable(text: string): string {
  // Nearly all lines; the classes of all of Unicode take a millisecond to compile.
  if (/^[\x20-\x7e\n\t]*$/.test(text)) return text;
  return text.replace(/[^\P{C}\n\t]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
