// SPDX-License-Identifier: Apache-2.0
import { concatBytes, parseUtf8, utf8 } from '@vouchsafe/base';
import { verifySignature } from '@vouchsafe/crypto';
import { encodeBase64, PkiError, parseBase64, type Signer, signWith } from '@vouchsafe/pki';
import { AuditError } from '../error.ts';
import { HASH_BYTES } from '../merkle/hash.ts';
import { type LogKey, logKey } from './log-key.ts';

/** What a head says: at that time the log of that name had so many entries, with that root. */
export interface TreeHead {
  /** The log's name, the same for its whole life. */
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** Milliseconds since 1970, UTC, whole. */
  readonly atMs: number;
}

declare const verified: unique symbol;

/** A head that the log's key has signed. Only `verifyTreeHead` makes one. */
export type VerifiedTreeHead = TreeHead & { readonly [verified]: true };

/** Characters of a head at most; ours have some 250. */
const MAX_NOTE_CHARS = 4096;
const MAX_SIGNATURES = 16;
const SIGNATURE_BYTES = 64;
/** What stands before a signature: an em dash, and a space. */
const SIGNATURE_MARK = '\u2014 ';

/**
 * A signed head: a checkpoint (C2SP tlog-checkpoint) as a signed note (C2SP signed-note) with one Ed25519 signature, as the
 * logs of Go's modules and of sigstore have it. The time is an extension line.
 * @param signer of an Ed25519 key
 * @throws {AuditError} 'audit_key_malformed' @throws {PkiError} as `signWith`
 */
export async function signTreeHead(head: TreeHead, signer: Signer): Promise<string> {
  const key = logKey(head.origin, signer.spki);
  const text = formatHead(head);
  const signature = await signWith(signer, utf8(text));
  return `${text}\n${SIGNATURE_MARK}${key.name} ${encodeBase64(concatBytes(key.id, signature))}\n`;
}

/**
 * A head that the key has signed; undefined where its signature is missing or does not hold. Signatures by others are passed
 * over, as witnesses may add theirs.
 * @throws {AuditError} 'audit_head_malformed'
 */
export function verifyTreeHead(note: string, key: LogKey): VerifiedTreeHead | undefined {
  const { text, signatures } = splitNote(note);
  const head = parseHead(text);
  const own = signatures.find(({ name, bytes }) => name === key.name && key.id.every((octet, i) => octet === bytes[i]));
  if (own === undefined || head.origin !== key.name) return undefined;
  const signature = own.bytes.subarray(key.id.length);
  if (signature.length !== SIGNATURE_BYTES) return undefined;
  return verifySignature(key.publicKey, { kind: 'ed25519' }, utf8(text), signature)
    ? (head as VerifiedTreeHead)
    : undefined;
}

function formatHead({ origin, size, root, atMs }: TreeHead): string {
  return `${origin}\n${size}\n${encodeBase64(root)}\ntime ${new Date(atMs).toISOString()}\n`;
}

function parseHead(text: string): TreeHead {
  const [origin = '', sizeText = '', rootText = '', ...extensions] = text.slice(0, -1).split('\n');
  const size = Number(sizeText);
  if (origin === '' || !/^(0|[1-9][0-9]*)$/.test(sizeText) || !Number.isSafeInteger(size)) {
    throw malformed('a name and a number of entries on the first two lines');
  }
  const root = base64(rootText, 'a root hash on the third line');
  if (root.length !== HASH_BYTES) throw malformed(`a root hash of ${HASH_BYTES} octets`);
  const time = extensions.find((line) => line.startsWith('time '))?.slice('time '.length) ?? '';
  const atMs = Date.parse(time);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(time) || Number.isNaN(atMs)) {
    throw malformed("a line such as 'time 2026-01-02T03:04:05.000Z'");
  }
  return { origin, size, root, atMs };
}

function splitNote(note: string): {
  readonly text: string;
  readonly signatures: readonly { readonly name: string; readonly bytes: Uint8Array }[];
} {
  if (note.length > MAX_NOTE_CHARS || note !== parseUtf8(utf8(note))) {
    throw malformed(`a text of at most ${MAX_NOTE_CHARS} characters`);
  }
  // The last empty line parts the two: C2SP signed-note.
  const at = note.lastIndexOf('\n\n');
  if (at < 0 || !note.endsWith('\n')) throw malformed('an empty line between the head and its signatures');
  const lines = note.slice(at + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw malformed(`at most ${MAX_SIGNATURES} signatures`);
  const signatures = lines.map((line) => {
    const [name, encoded, ...more] = line.slice(SIGNATURE_MARK.length).split(' ');
    if (!line.startsWith(SIGNATURE_MARK) || !name || encoded === undefined || more.length > 0) {
      throw malformed('a line of a dash, a name and a signature');
    }
    return { name, bytes: base64(encoded, 'a signature in base64') };
  });
  return { text: note.slice(0, at + 1), signatures };
}

function base64(text: string, expected: string): Uint8Array {
  try {
    return parseBase64(text);
  } catch (cause) {
    if (!(cause instanceof PkiError)) throw cause;
    throw malformed(expected, cause);
  }
}

const malformed = (expected: string, cause?: unknown): AuditError =>
  new AuditError('audit_head_malformed', `signed tree head: expected ${expected}`, { cause });
