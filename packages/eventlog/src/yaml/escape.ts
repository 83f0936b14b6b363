// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';

const ESCAPES: Readonly<Record<number, string>> = {
  0: '\\0',
  7: '\\a',
  8: '\\b',
  9: '\\t',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  27: '\\e',
  39: "\\'",
  92: '\\\\',
};
const LINE_FEED = 0x0a;

/**
 * Octets as lines of quoted text in a literal block, the way tpm2_eventlog 5.4 writes those of EV_IPL: as they are, whatever their
 * encoding, so that UTF-16 is full of \\0.
 */
export function yamlLines(bytes: Uint8Array): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const lineFeed = bytes.indexOf(LINE_FEED, at);
    const end = lineFeed < 0 ? bytes.length : lineFeed;
    lines.push(yamlLine(bytes.subarray(at, end)));
    at = end + 1;
  }
  return lines;
}

function yamlLine(bytes: Uint8Array): string {
  const out: number[] = [];
  for (const octet of bytes) {
    const escaped = ESCAPES[octet];
    if (escaped === undefined) out.push(octet);
    else for (const character of escaped) out.push(character.charCodeAt(0));
  }
  return utf8Text(Uint8Array.from(out));
}

/** Octets as C prints them with %s: up to the first NUL. */
export function cText(bytes: Uint8Array): string {
  const nul = bytes.indexOf(0);
  return utf8Text(nul < 0 ? bytes : bytes.subarray(0, nul));
}

/** What is not UTF-8, YAML cannot hold; such octets become one replacement character each. */
function utf8Text(bytes: Uint8Array): string {
  try {
    return parseUtf8(bytes);
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    return Array.from(bytes, (octet) => (octet < 0x80 ? String.fromCharCode(octet) : '\ufffd')).join('');
  }
}
