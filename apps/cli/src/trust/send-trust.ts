// SPDX-License-Identifier: Apache-2.0

import { toHex } from '@vouchsafe/base';
import { type Certificate, fingerprintOf } from '@vouchsafe/pki';
import { encodeBase64url, type TrustAnchorRecord, type TrustRole, trustAnchors } from '@vouchsafe/protocol';
import type { ServiceClient } from '../service/service-client.ts';
import { tableText, timeText } from '../service/table-text.ts';

/** Certificates in one request: the service's own limit. */
const BATCH = 1000;

/** Trusts certificates, each once. */
export async function sendTrust(
  client: ServiceClient,
  role: TrustRole,
  certificates: readonly Certificate[],
): Promise<TrustAnchorRecord[]> {
  const unique = new Map(certificates.map((certificate) => [toHex(fingerprintOf(certificate)), certificate.bytes]));
  const all = [...unique.values()].map(encodeBase64url);
  const added: TrustAnchorRecord[] = [];
  for (let from = 0; from < all.length; from += BATCH) {
    const body = { role, certificates: all.slice(from, from + BATCH) };
    added.push(...(await client.send(trustAnchors, 'POST', '/v1/trust', body)).items);
  }
  return added;
}

export function trustText(added: readonly TrustAnchorRecord[]): string {
  const rows = added.map(({ sha256, role, notAfterMs, subject }) => [sha256, role, timeText(notAfterMs), subject]);
  return tableText(['SHA-256', 'FOR', 'UNTIL', 'SUBJECT'], rows, 'nothing was added');
}
