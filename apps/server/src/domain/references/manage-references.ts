// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import {
  ManifestError,
  readUnverifiedManifest,
  requirePart,
  verifyFileList,
  verifyManifest,
} from '@vouchsafe/manifest';
import { type AddReference, type ImageReferenceRecord, parseBase64url, type VersionFloors } from '@vouchsafe/protocol';
import { ServerError } from '../../error.ts';
import type { ManifestRow } from '../../store/rows/references.ts';
import type { Rows } from '../../store/rows.ts';
import { type Actor, act, type Service } from '../service.ts';

export async function listReferences({ store }: Service): Promise<ImageReferenceRecord[]> {
  const rows = await store.read.references.manifests();
  const parts = await store.read.references.partNames();
  return rows.map((row) => recordOf(row, parts));
}

/** @throws {ServerError} 'not_found' */
export async function showReference({ store }: Service, sha256: string): Promise<ImageReferenceRecord> {
  const row = await requireManifest(store.read, sha256);
  return recordOf(row, await store.read.references.partNames());
}

/** @throws {ServerError} 'reference_malformed' when no trusted key has signed it, 'conflict' when it is there already. */
export async function addReference(
  service: Service,
  actor: Actor,
  { envelope, life = 'candidate' }: AddReference,
): Promise<ImageReferenceRecord> {
  const bytes = parseBase64url(envelope);
  const { trust } = await service.references.refresh();
  const { manifest, bytes: signed } = asReference(() => verifyManifest(bytes, trust.manifestKeys));
  const sha256 = toHex(digest('sha256', signed));
  const row: ManifestRow = {
    sha256,
    name: manifest.name,
    version: manifest.version,
    envelope: bytes,
    life,
    retires_at_ms: null,
    added_at_ms: service.clock(),
  };
  const detail = { name: manifest.name, version: manifest.version, life };
  await act(service, { kind: 'reference.add', actor, subject: sha256, detail }, async (tx) => {
    if (!(await tx.references.insertManifest(row))) throw new ServerError('conflict', 'that manifest is here already');
    await tx.settings.bumpGeneration();
  });
  return recordOf(row, await service.store.read.references.partNames());
}

/** @param bytes something that the manifest names by its digest. @throws {ServerError} 'reference_malformed', 'not_found' */
export async function addPart(service: Service, actor: Actor, sha256: string, bytes: Uint8Array): Promise<void> {
  const { envelope } = await requireManifest(service.store.read, sha256);
  const partSha256 = toHex(digest('sha256', bytes));
  const part = readUnverifiedManifest(envelope).parts.find((one) => one.sha256 === partSha256);
  if (part === undefined) {
    throw new ServerError('reference_malformed', `the manifest names no part with the SHA-256 ${partSha256}`);
  }
  asReference(() => (part.kind === 'files' ? verifyFileList(part, bytes) : requirePart(part, bytes)));
  await act(service, { kind: 'reference.part', actor, subject: sha256, detail: { part: partSha256 } }, async (tx) => {
    await tx.references.putPart(partSha256, bytes);
    await tx.settings.bumpGeneration();
  });
}

/**
 * Where an image is in its life. What is revoked stays so: who wants it back signs it anew, with another version.
 * @param atMs when a retiring one ends.
 * @throws {ServerError} 'not_found', 'conflict'
 */
export async function setReferenceLife(
  service: Service,
  actor: Actor,
  sha256: string,
  life: 'active' | 'retiring' | 'revoked',
  atMs?: number,
): Promise<void> {
  const verb = { active: 'activate', retiring: 'retire', revoked: 'revoke' }[life];
  const detail = atMs === undefined ? {} : { atMs };
  await act(service, { kind: `reference.${verb}`, actor, subject: sha256, detail }, async (tx) => {
    const row = await requireManifest(tx, sha256);
    if (row.life === 'revoked') throw new ServerError('conflict', 'it was revoked, which is for good');
    const at = life === 'active' ? null : (atMs ?? service.clock());
    await tx.references.setManifestLife(sha256, life, at);
    await tx.settings.bumpGeneration();
  });
}

export async function listFloors({ store }: Service): Promise<VersionFloors> {
  return { items: await store.read.references.floors() };
}

export async function putFloor(service: Service, actor: Actor, image: string, version: string): Promise<void> {
  await act(service, { kind: 'reference.floor', actor, subject: image, detail: { version } }, async (tx) => {
    await tx.references.putFloor(image, version);
    await tx.settings.bumpGeneration();
  });
}

async function requireManifest(rows: Rows, sha256: string): Promise<ManifestRow> {
  const row = await rows.references.manifest(sha256);
  if (row === undefined) throw new ServerError('not_found', 'there is no such manifest');
  return row;
}

function asReference<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (!(cause instanceof ManifestError)) throw cause;
    throw new ServerError('reference_malformed', cause.message, { cause, members: { cause: cause.code } });
  }
}

function recordOf(row: ManifestRow, present: ReadonlySet<string>): ImageReferenceRecord {
  const { parts } = readUnverifiedManifest(row.envelope);
  return {
    sha256: row.sha256,
    name: row.name,
    version: row.version,
    life: row.life,
    addedAtMs: row.added_at_ms,
    ...(row.life === 'retiring' && row.retires_at_ms !== null ? { retiresAtMs: row.retires_at_ms } : {}),
    parts: parts.map(({ sha256, kind, of }) => ({ sha256, kind, of, isPresent: present.has(sha256) })),
  };
}
