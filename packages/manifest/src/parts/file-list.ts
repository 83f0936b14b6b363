// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, parseHex, toHex } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import Type, { type Static } from 'typebox';
import { ManifestError } from '../error.ts';
import { canonicalJson } from '../format/canonical.ts';
import { parseCanonicalJson, requireSchema } from '../format/parse.ts';
import type { ManifestPart } from '../format/schema.ts';

export const FILE_LIST_FORMAT = 'vouchsafe-files-1';
const MAX_BYTES = 256 * 1024 * 1024;
const MAX_FILES = 1_000_000;
const SHA256 = /^[0-9a-f]{64}$/;

/**
 * Each file of a tree, as IMA logs it when it is used: by its path in the running system and the digest of its content.
 * Linux, security/integrity/ima/ima_api.c (ima_collect_measurement, ima_d_path). A kernel module is logged as the file that
 * it is, compressed where it is; a file under several names by the name it was opened by.
 */
const fileListSchema = Type.Object(
  {
    of: Type.String({ minLength: 1, maxLength: 128 }),
    files: Type.Array(
      Type.Object(
        {
          /** Absolute, links followed: `/usr/bin/env`, where the tree is mounted as the system's `/usr`, too. */
          path: Type.String({ pattern: '^/', maxLength: 4096 }),
          /** Octets. */
          sizeBytes: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
          sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
          /** IMA's policies tell programs from data. */
          isExecutable: Type.Boolean(),
        },
        { additionalProperties: false },
      ),
      { maxItems: MAX_FILES },
    ),
  },
  { additionalProperties: false },
);

/** The files of an initrd, a root or /usr, sorted by path. */
export type FileList = Static<typeof fileListSchema>;
export type ListedFile = FileList['files'][number];

/**
 * The bytes of a list, and how a manifest names them.
 * @param path where the list is handed out. @throws {ManifestError} 'manifest_malformed'.
 */
export function encodeFileList(
  list: FileList,
  path: string,
): { readonly bytes: Uint8Array; readonly part: ManifestPart } {
  const sorted = { of: list.of, files: list.files.toSorted((a, b) => (a.path < b.path ? -1 : 1)) };
  requireFileList(sorted);
  requireOrder(sorted);
  const bytes = canonicalJson(sorted);
  return { bytes, part: partOf({ kind: 'files', of: list.of, format: FILE_LIST_FORMAT }, path, bytes) };
}

/** How a manifest names any part beside it. */
export function partOf(
  what: Pick<ManifestPart, 'kind' | 'of' | 'format'>,
  path: string,
  bytes: Uint8Array,
): ManifestPart {
  return { ...what, path, sizeBytes: bytes.length, sha256: toHex(digest('sha256', bytes)) };
}

/**
 * The list, if it is the one that the manifest names.
 * @param part of a manifest that was verified.
 * @throws {ManifestError} 'part_mismatch' for other bytes; 'manifest_malformed', 'manifest_limit'.
 */
export function verifyFileList(part: ManifestPart, bytes: Uint8Array): FileList {
  requirePart(part, bytes);
  const document = parseCanonicalJson(bytes, MAX_BYTES, 'file list');
  requireFileList(document);
  const list = document as FileList;
  requireOrder(list);
  if (list.of !== part.of) {
    throw new ManifestError(
      'part_mismatch',
      `${part.path}: expected the files of ${part.of}, found those of ${list.of}`,
    );
  }
  return list;
}

/** @throws {ManifestError} 'part_mismatch' */
export function requirePart(part: ManifestPart, bytes: Uint8Array): void {
  if (bytes.length === part.sizeBytes && bytesEqual(digest('sha256', bytes), parseHex(part.sha256))) return;
  const message = `${part.path}: expected the ${part.kind} of ${part.of} that the manifest names (${part.sizeBytes} octets, SHA-256 ${part.sha256}), found others`;
  throw new ManifestError('part_mismatch', message);
}

/** What is sure at a glance needs no look at the schema, which takes 30 µs for each file; all else is for the schema to say. */
function requireFileList(document: unknown): void {
  const files = (document as { readonly files?: unknown } | null)?.files;
  const isSure = Array.isArray(files) && files.length <= MAX_FILES && files.every(isSurelyListed);
  requireSchema(fileListSchema, isSure ? { ...(document as object), files: [] } : document);
}

function isSurelyListed(file: unknown): boolean {
  if (typeof file !== 'object' || file === null || Object.keys(file).length !== 4) return false;
  const { path, sizeBytes, sha256, isExecutable } = file as Partial<Record<keyof ListedFile, unknown>>;
  return (
    typeof path === 'string' &&
    path.startsWith('/') &&
    path.length <= 4096 &&
    Number.isSafeInteger(sizeBytes) &&
    (sizeBytes as number) >= 0 &&
    typeof sha256 === 'string' &&
    SHA256.test(sha256) &&
    typeof isExecutable === 'boolean'
  );
}

/** Each path once, in one order: a path that stood twice would have two digests. */
function requireOrder({ files }: FileList): void {
  const at = files.findIndex(({ path }, i) => i > 0 && path <= (files[i - 1]?.path ?? ''));
  if (at < 0) return;
  throw new ManifestError('manifest_malformed', 'expected paths in order, each once', { path: `/files/${at}/path` });
}
