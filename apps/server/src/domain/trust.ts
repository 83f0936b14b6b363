// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { type Certificate, decodeCertificate, fingerprintOf, PkiError } from '@vouchsafe/pki';
import { type AddTrust, parseBase64url, type TrustAnchorRecord } from '@vouchsafe/protocol';
import { ServerError } from '../error.ts';
import type { TrustAnchorRow } from '../store/rows/trust.ts';
import { type Actor, act, type Service } from './service.ts';

export async function listTrust({ store }: Service): Promise<TrustAnchorRecord[]> {
  return (await store.read.trust.anchors()).map(recordOf);
}

/** Those that are there already stay as they are. @throws {ServerError} 'certificate_malformed': then none is added. */
export async function addTrust(
  service: Service,
  actor: Actor,
  { role, certificates }: AddTrust,
): Promise<TrustAnchorRecord[]> {
  const addedAtMs = service.clock();
  const rows = certificates.map((text, i): TrustAnchorRow => {
    const bytes = parseBase64url(text);
    const certificate = readCertificate(bytes, i);
    return {
      sha256: toHex(fingerprintOf(certificate)),
      role,
      certificate: bytes,
      subject: certificate.subject.text.slice(0, 1024),
      not_after_ms: certificate.validity.notAfterMs,
      added_at_ms: addedAtMs,
    };
  });
  const subject = rows.length === 1 ? (rows[0]?.sha256 ?? '') : `${rows.length} certificates`;
  const detail = { role, sha256: rows.map(({ sha256 }) => sha256) };
  await act(service, { kind: 'trust.add', actor, subject, detail }, async (tx) => {
    for (const row of rows) await tx.trust.addAnchor(row);
    await tx.settings.bumpGeneration();
  });
  return rows.map(recordOf);
}

/** @throws {ServerError} 'not_found' */
export async function removeTrust(service: Service, actor: Actor, sha256: string): Promise<void> {
  await act(service, { kind: 'trust.remove', actor, subject: sha256 }, async (tx) => {
    if (!(await tx.trust.removeAnchor(sha256))) throw new ServerError('not_found', 'no such certificate is trusted');
    await tx.settings.bumpGeneration();
  });
}

function readCertificate(bytes: Uint8Array, index: number): Certificate {
  try {
    return decodeCertificate(bytes);
  } catch (cause) {
    if (!(cause instanceof PkiError)) throw cause;
    throw new ServerError('certificate_malformed', `certificate ${index + 1}: ${cause.message}`, { cause });
  }
}

const recordOf = (row: TrustAnchorRow): TrustAnchorRecord => ({
  sha256: row.sha256,
  role: row.role,
  subject: row.subject,
  notAfterMs: Math.max(0, row.not_after_ms),
  addedAtMs: row.added_at_ms,
});
