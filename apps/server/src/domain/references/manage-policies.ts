// SPDX-License-Identifier: Apache-2.0
import { AppraiseError, preparePolicy, STRICT_POLICY } from '@vouchsafe/appraise';
import type { PolicyVersion, PutPolicy, VerdictSummary } from '@vouchsafe/protocol';
import { ServerError } from '../../error.ts';
import type { PolicyRow } from '../../store/rows/policies.ts';
import { appraiseRecorded } from '../attestation/recorded-evidence.ts';
import { detailOf } from '../attestation/wire-verdict.ts';
import { sha256OfText } from '../random.ts';
import { type Actor, act, type Service } from '../service.ts';
import { TRUST_POLICY } from './snapshot.ts';

/** The built-in one is there too, as version 0 of 'trust': in force while no other is active. */
export async function listPolicies({ store }: Service): Promise<PolicyVersion[]> {
  const rows = await store.read.policies.list();
  const isOverruled = rows.some(({ name, is_active }) => name === TRUST_POLICY && is_active === 1);
  const builtIn: PolicyVersion = {
    name: TRUST_POLICY,
    version: 0,
    sha256: sha256OfText(STRICT_POLICY),
    isActive: !isOverruled,
    addedAtMs: 0,
    text: STRICT_POLICY,
  };
  return [builtIn, ...rows.map(recordOf)];
}

/** A new version. @throws {ServerError} 'policy_malformed' */
export async function putPolicy(
  service: Service,
  actor: Actor,
  name: string,
  { text, isActive = true }: PutPolicy,
): Promise<PolicyVersion> {
  compile(service, name, text);
  return act(
    service,
    { kind: 'policy.put', actor, subject: name, detail: { sha256: sha256OfText(text) } },
    async (tx) => {
      const version = Math.max(0, ...(await tx.policies.versions(name)).map((row) => row.version)) + 1;
      const row: PolicyRow = {
        name,
        version,
        text,
        sha256: sha256OfText(text),
        is_active: 0,
        added_at_ms: service.clock(),
      };
      await tx.policies.insert(row);
      if (isActive) await tx.policies.activate(name, version);
      await tx.settings.bumpGeneration();
      return recordOf({ ...row, is_active: isActive ? 1 : 0 });
    },
  );
}

/** @param version 0 stands for the built-in one. @throws {ServerError} 'not_found' */
export async function activatePolicy(service: Service, actor: Actor, name: string, version: number): Promise<void> {
  await act(service, { kind: 'policy.activate', actor, subject: name, detail: { version } }, async (tx) => {
    const isBuiltIn = name === TRUST_POLICY && version === 0;
    if (!isBuiltIn && !(await tx.policies.versions(name)).some((row) => row.version === version)) {
      throw new ServerError('not_found', 'there is no such version of that policy');
    }
    await tx.policies.activate(name, version);
    await tx.settings.bumpGeneration();
  });
}

/** What a policy would say of a device's last boot. @throws {ServerError} 'policy_malformed', 'not_found' */
export async function testPolicy(service: Service, deviceId: string, text: string): Promise<VerdictSummary> {
  const policy = compile(service, 'test', text);
  const { verdict } = await appraiseRecorded(service, deviceId, (snapshot) => ({ ...snapshot, policy }));
  return { ...detailOf(verdict), atMs: verdict.atMs };
}

function compile(service: Service, name: string, text: string): ReturnType<typeof preparePolicy> {
  try {
    return preparePolicy(service.cedar, name, text);
  } catch (cause) {
    if (!(cause instanceof AppraiseError)) throw cause;
    throw new ServerError('policy_malformed', cause.message, { cause });
  }
}

const recordOf = (row: PolicyRow): PolicyVersion => ({
  name: row.name,
  version: row.version,
  sha256: row.sha256,
  isActive: row.is_active === 1,
  addedAtMs: row.added_at_ms,
  text: row.text,
});
