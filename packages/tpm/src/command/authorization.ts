// SPDX-License-Identifier: Apache-2.0
import type { TpmEntity } from '../entity.ts';
import { TpmError } from '../error.ts';
import { AuthSession } from '../session/auth-session.ts';
import type { TpmaSession } from '../structures/session.ts';
import type { AnyCommand } from './command.ts';

/** A session in one command. */
export interface SessionUse {
  readonly session: AuthSession;
  /** Counts the command into the session's audit digest. */
  readonly audit?: boolean;
  /** The TPM drops the session after the command. */
  readonly end?: boolean;
}

/** One entry of the authorization area, made of what the caller gave. */
export interface Authorization {
  /** Undefined for a password. */
  readonly session: AuthSession | undefined;
  /** What it authorizes; undefined for a session that only encrypts or audits. */
  readonly entity: TpmEntity | undefined;
  readonly attributes: TpmaSession;
}

/** Sessions in one command at most. TPM 2.0 Library, Part 1, section 18 (Command/Response Structure). */
const MAX_SESSIONS = 3;

const NO_ATTRIBUTES: TpmaSession = {
  continueSession: false,
  auditExclusive: false,
  auditReset: false,
  decrypt: false,
  encrypt: false,
  audit: false,
};

/**
 * The authorization area of a command. The first session with secret keys and a cipher encrypts the first parameter each
 * way, where the command has one that can be: nobody has to ask for it.
 * @throws {TpmError} 'argument_invalid' for more than three
 */
export function authorizationsOf(
  command: AnyCommand,
  authorized: readonly TpmEntity[],
  given: readonly (SessionUse | AuthSession | 'password')[],
): Authorization[] {
  const count = Math.max(authorized.length, given.length);
  if (count > MAX_SESSIONS) {
    throw new TpmError('argument_invalid', `expected at most ${MAX_SESSIONS} sessions, found ${count}`);
  }
  let isEncrypting = false;
  return Array.from({ length: count }, (_, i): Authorization => {
    const entity = authorized[i];
    const use = given[i] ?? 'password';
    if (use === 'password') return { session: undefined, entity, attributes: NO_ATTRIBUTES };
    const { session, audit = false, end = false } = use instanceof AuthSession ? { session: use } : use;
    const encrypts = !isEncrypting && session.isSecret && session.keyBits !== undefined;
    isEncrypting ||= encrypts;
    const attributes = {
      ...NO_ATTRIBUTES,
      continueSession: !end,
      audit,
      decrypt: encrypts && command.canDecrypt,
      encrypt: encrypts && command.canEncrypt,
    };
    return { session, entity, attributes };
  });
}
