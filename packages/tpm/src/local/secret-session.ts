// SPDX-License-Identifier: Apache-2.0
import type { RandomSource } from '../secret-sharing.ts';
import type { AuthSession } from '../session/auth-session.ts';
import { withFlushed, withSession } from '../session/scope.ts';
import { type SaltKey, startSession } from '../session/start-session.ts';
import { TPM_RH } from '../structures/handle.ts';
import { srkTemplate } from '../templates.ts';
import type { TpmTransport } from '../transport.ts';
import { createPrimary } from './objects.ts';

/** How secrets get to a TPM and back. */
export interface SecretSessionOptions {
  readonly random: RandomSource;
  /**
   * A loaded key whose public area the caller has from somewhere else than the TPM: an EK certificate, or a record made
   * when the machine was set up.
   */
  readonly saltKey?: SaltKey;
  /** Told, in words for the user, when no such key is given and the session is open to whoever can answer for the TPM. */
  readonly warn: (message: string) => void;
}

const WARNING =
  'The session with the TPM is encrypted to a key that the TPM has just named: who only listens on the bus learns ' +
  'nothing, but who can answer in place of the TPM does. Give a key that is known from before to keep that one out';

/**
 * Runs `use` with a session that hides secrets: salted to a key that the caller knows, or else to a fresh primary key,
 * with a warning.
 * @throws as `execute`
 */
export async function withSecretSession<T>(
  tpm: TpmTransport,
  { random, saltKey, warn }: SecretSessionOptions,
  use: (session: AuthSession) => Promise<T>,
): Promise<T> {
  if (saltKey !== undefined) return withSession(tpm, { kind: 'hmac', random, salt: saltKey }, use);
  warn(WARNING);
  // Of the null hierarchy: nobody's authValue is needed for it, and it is another one after each start.
  const salt = await createPrimary(tpm, { template: srkTemplate('ecc'), hierarchy: TPM_RH.null });
  // The key is needed to start the session, and its room for what follows.
  const session = await withFlushed(tpm, salt, () => startSession(tpm, { kind: 'hmac', random, salt }));
  return withFlushed(tpm, session, use);
}
