// SPDX-License-Identifier: Apache-2.0
import { encodeBase64, parseBase64 } from './base64.ts';
import { PkiError } from './error.ts';

/** One encapsulated object. RFC 7468, 2. */
export interface PemBlock {
  /** What stands after BEGIN: 'CERTIFICATE', 'PRIVATE KEY'. */
  readonly label: string;
  readonly bytes: Uint8Array;
}

/** Characters of a file: a bundle of all TPM vendors' authorities has about 1 MiB. */
const MAX_SIZE = 8 * 1024 * 1024;
const MAX_BLOCKS = 4096;
const LINE_WIDTH = 64;
/** Bytes handed to one call; each is an argument on the stack. */
const CHUNK = 4096;
const BEGIN = /^-----BEGIN ([A-Z0-9][A-Z0-9 ]{0,63})-----$/;

/**
 * Every block of the text, in order. Text outside blocks is explanatory and passed over (RFC 7468, 2); inside a block
 * only base64 may stand, so no headers (RFC 1421), and the end must carry the label of the beginning.
 * @param input text, or bytes whose encoding does not matter, as all that counts is ASCII.
 * @param label when given, every block must have it: a private key among certificates is a mistake to stop at.
 * @throws {PkiError} 'pem_malformed', 'base64_malformed'; 'input_limit' for too much text or too many blocks.
 */
export function parsePem(input: string | Uint8Array, label?: string): PemBlock[] {
  if (input.length > MAX_SIZE)
    throw new PkiError('input_limit', `expected PEM of at most ${MAX_SIZE} characters, found ${input.length}`);
  const text = typeof input === 'string' ? input : latin1(input);
  const blocks: PemBlock[] = [];
  let open: { readonly label: string; readonly line: number; readonly body: string[] } | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trimEnd();
    if (open === undefined) {
      const found = BEGIN.exec(line)?.[1];
      if (found === undefined) {
        if (line.startsWith('-----')) throw malformed(index, `expected '-----BEGIN …-----'`);
        continue;
      }
      if (label !== undefined && found !== label) throw malformed(index, `expected a ${label}, found a ${found}`);
      if (blocks.length === MAX_BLOCKS)
        throw new PkiError('input_limit', `expected at most ${MAX_BLOCKS} PEM blocks, found more`);
      open = { label: found, line: index, body: [] };
    } else if (line === `-----END ${open.label}-----`) {
      blocks.push({ label: open.label, bytes: decodeBody(open.body.join(''), open.line) });
      open = undefined;
    } else if (line.startsWith('-----')) {
      throw malformed(index, `expected '-----END ${open.label}-----'`);
    } else {
      open.body.push(line);
    }
  }
  if (open !== undefined) throw malformed(open.line, `expected '-----END ${open.label}-----' after it, found the end`);
  return blocks;
}

/** RFC 7468, 2: lines of 64 characters. */
export function formatPem(label: string, bytes: Uint8Array): string {
  const lines = encodeBase64(bytes).match(new RegExp(`.{1,${LINE_WIDTH}}`, 'g')) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

function decodeBody(body: string, index: number): Uint8Array {
  try {
    return parseBase64(body);
  } catch (cause) {
    throw malformed(index, 'expected base64 in the block that begins here', { cause });
  }
}

/** One character a byte, which never fails: what stands between the blocks may be in any encoding. */
function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return text;
}

function malformed(index: number, message: string, options: ErrorOptions = {}): PkiError {
  return new PkiError('pem_malformed', `line ${index + 1}: ${message}`, options);
}
