// SPDX-License-Identifier: Apache-2.0
import {
  type PutSecret,
  parseBase64url,
  type SecretDetail,
  type SecretRecord,
  type SecretRecords,
} from '@vouchsafe/protocol';
import { ServerError } from '../../error.ts';
import type { SecretRow } from '../../store/rows/secrets.ts';
import { type Actor, act, type Service } from '../service.ts';
import { putSecret } from './secrets.ts';

const PAGE = 100;

export async function listSecrets({ store }: Service, after: string | undefined): Promise<SecretRecords> {
  const rows = await store.read.secrets.list(after, PAGE + 1);
  const items = rows.slice(0, PAGE).map(recordOf);
  const last = items.at(-1);
  return { items, ...(rows.length > PAGE && last !== undefined ? { next: last.name } : {}) };
}

/** @throws {ServerError} 'not_found' */
export async function findSecret({ store }: Service, name: string): Promise<SecretDetail> {
  const row = await store.read.secrets.find(name);
  if (row === undefined) throw noSecret();
  const versions = (await store.read.secrets.versions(name)).map((one) => ({
    version: one.version,
    createdAtMs: one.created_at_ms,
    createdBy: one.created_by,
  }));
  return { ...recordOf(row), versions };
}

/** @throws {ServerError} 'policy_malformed' for a policy that does not compile, or for a first version without one */
export async function storeSecret(
  service: Service,
  actor: Actor,
  name: string,
  { value, policy }: PutSecret,
): Promise<SecretRecord> {
  const plain = parseBase64url(value);
  const text = policy ?? (await service.store.read.secrets.find(name))?.policy_text;
  if (text === undefined) {
    throw new ServerError('policy_malformed', 'expected a policy that says which machines may have the secret');
  }
  const policyName = `secret/${name}`;
  service.preparePolicy(policyName, text);
  const nowMs = service.clock();
  const secret = { name, plain, policy: { name: policyName, text }, by: actor.name, nowMs };
  const what = { kind: 'secret.put', actor, subject: name };
  const version = await act(service, what, (tx) => putSecret(tx, service.keys.ring, secret));
  plain.fill(0);
  return { name, version, policy: text, updatedAtMs: nowMs };
}

/** @throws {ServerError} 'not_found' */
export async function removeSecret(service: Service, actor: Actor, name: string): Promise<void> {
  await act(service, { kind: 'secret.remove', actor, subject: name }, async (tx) => {
    if (!(await tx.secrets.remove(name))) throw noSecret();
  });
}

const recordOf = (row: SecretRow): SecretRecord => ({
  name: row.name,
  version: row.version,
  policy: row.policy_text,
  updatedAtMs: row.updated_at_ms,
});

const noSecret = (): ServerError => new ServerError('not_found', 'there is no such secret');
