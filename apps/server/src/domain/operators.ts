// SPDX-License-Identifier: Apache-2.0

import { toHex } from '@vouchsafe/base';
import { decodeCertificate, fingerprintOf, PkiError } from '@vouchsafe/pki';
import { type CreatedOperator, type CreateOperator, type OperatorRecord, parseBase64url } from '@vouchsafe/protocol';
import { ServerError } from '../error.ts';
import type { OperatorRow } from '../store/rows/operators.ts';
import { auditEntryOf } from './audit/entry.ts';
import { newId, newToken, sha256OfText } from './random.ts';
import { type Actor, act, type Service } from './service.ts';

export async function listOperators({ store }: Service): Promise<OperatorRecord[]> {
  return (await store.read.operators.list()).map(recordOf);
}

/**
 * @returns with the token, if it signs in by one: shown now and never again.
 * @throws {ServerError} 'conflict' for a name that is taken, 'certificate_malformed'
 */
export async function createOperator(
  service: Service,
  actor: Actor,
  { name, role, certificate }: CreateOperator,
): Promise<CreatedOperator> {
  const token = certificate === undefined ? newToken() : undefined;
  const row: OperatorRow = {
    id: newId(),
    name,
    role,
    token_sha256: token === undefined ? null : sha256OfText(token),
    certificate_sha256: certificate === undefined ? null : fingerprintIn(certificate),
    created_at_ms: service.clock(),
  };
  await act(service, { kind: 'operator.create', actor, subject: name, detail: { role } }, async (tx) => {
    const known =
      row.certificate_sha256 === null ? undefined : await tx.operators.findByCertificate(row.certificate_sha256);
    if (known !== undefined || !(await tx.operators.insert(row))) {
      throw new ServerError('conflict', `expected another name or certificate: an operator has ${name} already`);
    }
  });
  return { ...recordOf(row), ...(token === undefined ? {} : { token }) };
}

/** @throws {ServerError} 'not_found'; 'conflict' for the last admin, as nobody could make another. */
export async function removeOperator(service: Service, actor: Actor, id: string): Promise<void> {
  await act(service, { kind: 'operator.remove', actor, subject: id }, async (tx) => {
    // At another instance somebody may be removing the other admin.
    const all = await tx.operators.holdAll();
    const one = all.find((row) => row.id === id);
    if (one === undefined) throw new ServerError('not_found', 'there is no such operator');
    if (one.role === 'admin' && all.filter(({ role }) => role === 'admin').length === 1) {
      throw new ServerError('conflict', 'it is the last admin: create another first');
    }
    await tx.operators.remove(id);
  });
}

/** The first admin, of a service that has no operator: its token, or undefined when there are operators. */
export async function createFirstAdmin(service: Pick<Service, 'store' | 'clock'>): Promise<string | undefined> {
  const token = newToken();
  const isFirst = await service.store.write(async (tx) => {
    if ((await tx.operators.list()).length > 0) return false;
    const what = { kind: 'operator.create', actor: { kind: 'service', name: 'vouchsafe' }, subject: 'admin' } as const;
    await tx.audit.append([auditEntryOf({ ...what, detail: { role: 'admin' } }, service.clock())]);
    return tx.operators.insert({
      id: newId(),
      name: 'admin',
      role: 'admin',
      token_sha256: sha256OfText(token),
      certificate_sha256: null,
      created_at_ms: service.clock(),
    });
  });
  return isFirst ? token : undefined;
}

function fingerprintIn(certificate: string): string {
  try {
    return toHex(fingerprintOf(decodeCertificate(parseBase64url(certificate))));
  } catch (cause) {
    if (!(cause instanceof PkiError)) throw cause;
    throw new ServerError('certificate_malformed', cause.message, { cause });
  }
}

const recordOf = ({ id, name, role, certificate_sha256, created_at_ms }: OperatorRow): OperatorRecord => ({
  id,
  name,
  role,
  credential: certificate_sha256 === null ? 'token' : 'certificate',
  createdAtMs: created_at_ms,
});
