// SPDX-License-Identifier: Apache-2.0
import { execute } from '../command/execute.ts';
import { tpm2Unseal } from '../commands/object.ts';
import { type LoadedObject, loadObject } from '../local/objects.ts';
import { readPcrs } from '../local/pcrs.ts';
import type { PcrValue } from '../pcr-values.ts';
import type { RandomSource } from '../secret-sharing.ts';
import type { AuthSession } from '../session/auth-session.ts';
import { withFlushed, withSession } from '../session/scope.ts';
import type { TpmTransport } from '../transport.ts';
import { explained } from './explained.ts';
import { withParent } from './parent.ts';
import type { SealedObject } from './seal.ts';
import { isOpenPolicy, type PolicySignature, runSealPolicy } from './seal-policy.ts';

export interface UnsealInput {
  readonly sealed: SealedObject;
  /** The authValue, where the policy has a PIN. */
  readonly auth?: Uint8Array;
  /** For a policy with signed PCRs. */
  readonly signatures?: readonly PolicySignature[];
  readonly ownerAuth?: Uint8Array;
  readonly random: RandomSource;
}

/**
 * Opens a sealed secret; it travels encrypted, in a session salted to the parent.
 * @throws {TpmError} 'policy_unsigned', 'policy_failed' when the PCRs are not those it was sealed to, 'auth_failed' for a
 * wrong PIN, 'auth_locked' after too many, 'object_foreign' when another TPM made it or the owner was cleared; as `execute`
 */
export async function unseal(tpm: TpmTransport, input: UnsealInput): Promise<Uint8Array> {
  return withUnlocked(tpm, input, async (item, session) => {
    const { outData } = await execute(tpm, tpm2Unseal, { itemHandle: item }, { sessions: [session] });
    return outData.slice();
  });
}

/**
 * Loads a sealed object and starts the session that may use it, for as long as `use` runs.
 * @throws as `unseal`
 */
export async function withUnlocked<T>(
  tpm: TpmTransport,
  { sealed, auth, signatures = [], ownerAuth, random }: UnsealInput,
  use: (item: LoadedObject, session: AuthSession) => Promise<T>,
): Promise<T> {
  const { policy } = sealed;
  const isOpen = isOpenPolicy(policy);
  const now = await signedValues(tpm, sealed);
  return withParent(tpm, sealed.parent, ownerAuth, async (parent) => {
    const item = await explained(loadObject(tpm, parent, sealed, auth));
    return withFlushed(tpm, item, () =>
      withSession(
        tpm,
        { kind: isOpen ? 'hmac' : 'policy', hash: policy.hash, random, salt: parent },
        async (session) => {
          if (!isOpen) await explained(runSealPolicy(tpm, session, policy, signatures, now));
          return explained(use(item, session));
        },
      ),
    );
  });
}

async function signedValues(tpm: TpmTransport, { policy: { signedPcrs } }: SealedObject): Promise<readonly PcrValue[]> {
  return signedPcrs === undefined ? [] : (await readPcrs(tpm, signedPcrs.pcrs)).values;
}
