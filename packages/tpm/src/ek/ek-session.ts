// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { execute } from '../command/execute.ts';
import type { ExecuteOptions } from '../command/prepare.ts';
import { tpm2ActivateCredential } from '../commands/object.ts';
import { tpm2PolicyOr, tpm2PolicySecret } from '../commands/policy.ts';
import type { TpmEntity } from '../entity.ts';
import { TpmError } from '../error.ts';
import type { LoadedObject } from '../local/objects.ts';
import type { RandomSource } from '../secret-sharing.ts';
import type { AuthSession } from '../session/auth-session.ts';
import { withSession } from '../session/scope.ts';
import type { Credential } from '../software/make-credential.ts';
import { TPM_RH } from '../structures/handle.ts';
import type { TpmTransport } from '../transport.ts';
import { type EkHash, ekPolicyA, ekPolicyB, ekPolicyBBranches } from './policies.ts';

const EMPTY = new Uint8Array();

/** What the use of an endorsement key takes. */
export interface EkAuthorization {
  readonly random: RandomSource;
  /** The authValue of the endorsement hierarchy; empty unless given. */
  readonly endorsementAuth?: Uint8Array;
  /** For an endorsementAuth on a TPM without a bus: see `ExecuteOptions`. */
  readonly allowPlaintext?: boolean;
}

/**
 * Fulfils the policy of an endorsement key in a session, for one use.
 * @throws {TpmError} 'key_unsupported' for a key with another policy than the profile's; as `execute`
 */
export async function satisfyEkPolicy(
  tpm: TpmTransport,
  session: AuthSession,
  ek: LoadedObject,
  { endorsementAuth = EMPTY, allowPlaintext = false }: Omit<EkAuthorization, 'random'>,
): Promise<void> {
  const { authPolicy } = ek.area.value;
  const hash = ekHashOf(ek);
  const isPolicyB = bytesEqual(authPolicy, ekPolicyB(hash).digest);
  if (!isPolicyB && !bytesEqual(authPolicy, ekPolicyA(hash).digest)) {
    throw new TpmError('key_unsupported', 'expected an endorsement key with the policy of a template, found another');
  }
  await execute(
    tpm,
    tpm2PolicySecret,
    {
      authHandle: { handle: TPM_RH.endorsement, auth: endorsementAuth },
      policySession: session,
      nonceTPM: EMPTY,
      cpHashA: EMPTY,
      policyRef: EMPTY,
      expiration: 0,
    },
    { allowPlaintext },
  );
  if (isPolicyB) await execute(tpm, tpm2PolicyOr, { policySession: session, pHashList: ekPolicyBBranches(hash) });
}

function ekHashOf(ek: LoadedObject): EkHash {
  const { nameAlg } = ek.area.value;
  if (nameAlg === 'sha256' || nameAlg === 'sha384' || nameAlg === 'sha512') return nameAlg;
  throw new TpmError('key_unsupported', `expected an endorsement key named by SHA-2, found ${nameAlg}`);
}

/** A policy session salted to the endorsement key, ready for one use of it. */
export async function withEkSession<T>(
  tpm: TpmTransport,
  ek: LoadedObject,
  authorization: EkAuthorization,
  use: (session: AuthSession) => Promise<T>,
): Promise<T> {
  const options = { kind: 'policy', random: authorization.random, hash: ekHashOf(ek), salt: ek } as const;
  return withSession(tpm, options, async (session) => {
    await satisfyEkPolicy(tpm, session, ek, authorization);
    return use(session);
  });
}

/**
 * Opens a credential: shows that this TPM has both the endorsement key and the other one. The credential comes back
 * encrypted.
 * @param key the object the credential was made for, an attestation key mostly
 * @param keySession authorizes `key` where its policy has to; its authValue does otherwise
 * @throws as `execute`: 'TPM_RC_INTEGRITY' when it was made for another key
 */
export async function activateCredential(
  tpm: TpmTransport,
  ek: LoadedObject,
  key: TpmEntity,
  { credentialBlob, secret }: Credential,
  authorization: EkAuthorization,
  keySession: AuthSession | 'password' = 'password',
): Promise<Uint8Array> {
  return withEkSession(tpm, ek, authorization, async (session) => {
    const input = { activateHandle: key, keyHandle: ek, credentialBlob, secret };
    const options: ExecuteOptions = { sessions: [keySession, session] };
    return (await execute(tpm, tpm2ActivateCredential, input, options)).certInfo.slice();
  });
}
