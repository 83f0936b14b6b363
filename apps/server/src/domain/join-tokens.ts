// SPDX-License-Identifier: Apache-2.0
import { type CreatedToken, type CreateToken, formatJoinToken, type TokenRecord } from '@vouchsafe/protocol';
import { ServerError } from '../error.ts';
import type { JoinTokenRow } from '../store/rows/tokens.ts';
import { newId, newToken, sha256OfText } from './random.ts';
import { type Actor, act, type Service } from './service.ts';

const DAY_MS = 86_400_000;

export async function listJoinTokens({ store }: Service): Promise<TokenRecord[]> {
  return (await store.read.joinTokens.list()).map(recordOf);
}

/** The token's text is shown now and never again. @throws {ServerError} 'conflict' when tokens do not open anything here. */
export async function createJoinToken(
  service: Service,
  actor: Actor,
  { deviceId, label = '', lifeMs = DAY_MS }: CreateToken,
): Promise<CreatedToken> {
  if (!service.config.joining.token) {
    throw new ServerError('conflict', 'joining by token is switched off here: start the service with it');
  }
  const token = newToken();
  const row: JoinTokenRow = {
    id: newId(),
    sha256: sha256OfText(token),
    device_id: deviceId ?? null,
    label,
    expires_at_ms: service.clock() + lifeMs,
    used_at_ms: null,
    used_by: null,
    created_by: actor.name,
  };
  await act(service, { kind: 'token.create', actor, subject: row.id, detail: { label } }, (tx) =>
    tx.joinTokens.insert(row),
  );
  return { ...recordOf(row), text: formatJoinToken({ url: service.url, caSha256: service.caSha256, token }) };
}

/** @throws {ServerError} 'not_found' */
export async function removeJoinToken(service: Service, actor: Actor, id: string): Promise<void> {
  await act(service, { kind: 'token.revoke', actor, subject: id }, async (tx) => {
    if (!(await tx.joinTokens.remove(id))) throw new ServerError('not_found', 'there is no such token');
  });
}

const recordOf = (row: JoinTokenRow): TokenRecord => ({
  id: row.id,
  label: row.label,
  expiresAtMs: row.expires_at_ms,
  createdBy: row.created_by,
  ...(row.device_id === null ? {} : { deviceId: row.device_id }),
  ...(row.used_at_ms === null ? {} : { usedAtMs: row.used_at_ms }),
  ...(row.used_by === null ? {} : { usedBy: row.used_by }),
});
