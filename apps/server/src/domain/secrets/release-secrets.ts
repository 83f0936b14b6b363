// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from 'node:util';
import { decide, type PreparedPolicy, type Verdict } from '@vouchsafe/appraise';
import type { VerifiedKey } from '@vouchsafe/identity';
import type { GrantedSecret } from '@vouchsafe/protocol';
import { ServerError } from '../../error.ts';
import type { Store } from '../../store/open-store.ts';
import type { SecretRow } from '../../store/rows/secrets.ts';
import type { Rows } from '../../store/rows.ts';
import type { Act, Log } from '../act.ts';
import type { GrantKeys } from '../grant-keys.ts';
import type { GrantSettings } from '../grant-settings.ts';
import { openSecret } from './secrets.ts';
import { wrapSecret } from './wrap-secret.ts';

/** What releasing secrets works with. */
export interface Releasing {
  readonly store: Store;
  readonly keys: GrantKeys;
  readonly settings: GrantSettings;
  /** A secret's policy, ready to be asked. */
  preparePolicy(name: string, text: string): PreparedPolicy;
  readonly log: Log;
}

/** Who asks for which secrets, after which verdict. */
interface ReleaseRequest {
  readonly deviceId: string;
  readonly verdict: Verdict;
  readonly nowMs: number;
  readonly challengeIssuedAtMs: number;
  readonly secrets?: readonly string[];
}

const REFUSALS = {
  not_granted: 'There is no such secret for this machine as it is now',
  challenge_too_old:
    'Ask for a new challenge and quote over it at once: a secret needs one that is younger than a minute',
  decryption_key_missing: "Certify a decryption key of this machine's TPM with the evidence",
} as const;

/** The answer for one secret that was asked for. */
export interface Released {
  readonly answer: GrantedSecret;
  /** Where it is given. */
  readonly act?: Act;
  /** What the decision rests on. */
  readonly row?: SecretRow;
}

type DecryptionKey = Pick<VerifiedKey, 'spki' | 'use'> | undefined;

/** An answer for each name, as things stand now; see `holdSecrets`. */
export async function releaseSecrets(
  releasing: Releasing,
  request: ReleaseRequest,
  key: DecryptionKey,
): Promise<readonly Released[]> {
  const { settings, log } = releasing;
  const { deviceId, verdict, nowMs, challengeIssuedAtMs, secrets = [] } = request;
  const isFresh = nowMs - challengeIssuedAtMs <= settings.secretChallengeMs;
  const released: Released[] = [];
  for (const name of secrets) {
    // In this order, so that a machine that may not have it learns nothing more.
    if (!(verdict.isTrusted && verdict.status === 'affirming')) {
      released.push(refused(name, 'not_granted'));
    } else if (!isFresh) {
      released.push(refused(name, 'challenge_too_old'));
    } else if (key === undefined || key.use !== 'decryption') {
      released.push(refused(name, 'decryption_key_missing'));
    } else {
      try {
        released.push(await release(releasing, request, name, key.spki));
      } catch (error) {
        // One secret that cannot be opened, or whose policy cannot be read, does not keep a machine from attesting.
        if (!(error instanceof ServerError)) throw error;
        log.error({ secret: name, deviceId, code: error.code, error: error.message }, 'a secret cannot be released');
        released.push(refused(name, 'not_granted'));
      }
    }
  }
  return released;
}

/** @throws {ServerError} 'policy_malformed', 'secret_key_wrong' */
async function release(
  { store, keys, preparePolicy }: Releasing,
  { deviceId, verdict }: ReleaseRequest,
  name: string,
  spki: Uint8Array,
): Promise<Released> {
  const row = await store.read.secrets.find(name);
  if (row === undefined) return refused(name, 'not_granted');
  const policy = preparePolicy(row.policy_name, row.policy_text);
  const question = { action: 'release', machine: deviceId, secret: name } as const;
  if (!decide(policy, question, verdict.facts).isPermitted) return refused(name, 'not_granted');
  const plain = await openSecret(store.read, keys.ring, row);
  if (plain === undefined) return refused(name, 'not_granted');
  const { version } = row;
  const answer = wrapSecret({ name, version, plain }, deviceId, { use: 'decryption', spki });
  plain.fill(0);
  const actor = { kind: 'device', name: deviceId } as const;
  return { answer, act: { kind: 'secret.release', actor, subject: name, detail: { version } }, row };
}

const refused = (name: string, code: keyof typeof REFUSALS): Released => ({
  answer: { name, state: 'refused', code, hint: REFUSALS[code] },
});

/**
 * Before the answer goes out: what an operator has taken back, or put under another policy, since it was decided is not given.
 * Whoever does so later waits until the answer is on the record.
 */
export async function holdSecrets(tx: Rows, released: readonly Released[]): Promise<readonly Released[]> {
  const held: Released[] = [];
  for (const one of released) {
    const { row } = one;
    const isSame = row === undefined || isDeepStrictEqual({ ...(await tx.secrets.hold(row.name)) }, { ...row });
    held.push(isSame ? one : refused(one.answer.name, 'not_granted'));
  }
  return held;
}
