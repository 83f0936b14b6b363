// SPDX-License-Identifier: Apache-2.0
import { execute } from '../command/execute.ts';
import { tpm2Import } from '../commands/duplication.ts';
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
import type { PcrlockPolicy } from './pcrlock.ts';
import type { SealedObject } from './seal.ts';
import { isOpenPolicy, type PolicySignature, runSealPolicy } from './seal-policy.ts';

export interface UnsealInput {
  readonly sealed: SealedObject;
  /** The authValue, where the policy has a PIN. */
  readonly auth?: Uint8Array;
  /** For a policy with signed PCRs. */
  readonly signatures?: readonly PolicySignature[];
  /** For a policy with a pcrlock index. */
  readonly pcrlock?: PcrlockPolicy;
  readonly ownerAuth?: Uint8Array;
  readonly random: RandomSource;
}

/**
 * Opens a sealed secret; it travels encrypted, in a session salted to the parent.
 * @throws {TpmError} 'policy_unsigned', 'policy_failed' when the PCRs are not those it was sealed to, 'auth_failed' for a
 * wrong PIN, 'auth_locked' after too many, 'object_foreign' when another TPM made it or the owner was cleared; as
 * `runPcrlockPolicy`, `execute`
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
  { sealed, auth, signatures = [], pcrlock, ownerAuth, random }: UnsealInput,
  use: (item: LoadedObject, session: AuthSession) => Promise<T>,
): Promise<T> {
  const { policy } = sealed;
  const isOpen = isOpenPolicy(policy);
  const now = await signedValues(tpm, sealed);
  return withParent(tpm, sealed.parent, ownerAuth, async (parent) => {
    const item = await explained(loadSealed(tpm, parent, sealed, auth));
    return withFlushed(tpm, item, () =>
      withSession(
        tpm,
        { kind: isOpen ? 'hmac' : 'policy', hash: policy.hash, random, salt: parent },
        async (session) => {
          if (!isOpen) await explained(runSealPolicy(tpm, session, policy, { signatures, pcrlock, now, ownerAuth }));
          return explained(use(item, session));
        },
      ),
    );
  });
}

/** What was made without the TPM is imported first: that gives the private part that this TPM can load. */
async function loadSealed(
  tpm: TpmTransport,
  parent: LoadedObject,
  sealed: SealedObject,
  auth: Uint8Array | undefined,
): Promise<LoadedObject> {
  const { seed, area, private: duplicate } = sealed;
  if (seed === undefined) return loadObject(tpm, parent, sealed, auth);
  const input = {
    parentHandle: parent,
    encryptionKey: new Uint8Array(),
    objectPublic: area,
    duplicate,
    inSymSeed: seed,
    symmetricAlg: { algorithm: 'null', details: {} },
  } as const;
  // Nothing of it is readable: the seed is encrypted to the parent, and the object under the seed.
  const { outPrivate } = await execute(tpm, tpm2Import, input, { allowPlaintext: true });
  return loadObject(tpm, parent, { area, private: outPrivate.slice() }, auth);
}

async function signedValues(tpm: TpmTransport, { policy: { signedPcrs } }: SealedObject): Promise<readonly PcrValue[]> {
  return signedPcrs === undefined ? [] : (await readPcrs(tpm, signedPcrs.pcrs)).values;
}
