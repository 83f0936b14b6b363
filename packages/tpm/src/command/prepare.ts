// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { CodecError, decode, encode, u32be } from '@vouchsafe/codec';
import { entityOf, type HandleValue, type TpmEntity } from '../entity.ts';
import { TpmError } from '../error.ts';
import { AuthSession } from '../session/auth-session.ts';
import { commandHeader, HEADER_BYTES } from '../structures/header.ts';
import { authorizationsOf, type SessionUse } from './authorization.ts';
import type { AnyCommand, CommandInput, CommandOutput } from './command.ts';
import { readResponse } from './read-response.ts';
import { requireHidden } from './secret.ts';
import { verifyResponseAuth } from './verify-response.ts';
import { writeAuthorizations } from './write-authorization.ts';

/** How a command is authorized and hidden. */
export interface ExecuteOptions {
  /**
   * In the order of the handles that need one: sessions, or 'password' for the entity's authValue as it is. Sessions
   * beyond those handles encrypt or audit. Handles without one get a password.
   */
  readonly sessions?: readonly (SessionUse | AuthSession | 'password')[];
  /**
   * Sends passwords and secret parameters as they are. For a TPM that shares no bus with anybody, such as one in
   * firmware or in software.
   */
  readonly allowPlaintext?: boolean;
}

/** A command ready to be sent, and what is to be done with its answer. */
export interface PreparedCommand<C> {
  readonly request: Uint8Array;
  /** Checks and decodes the answer; once. @throws as `execute` */
  finish(response: Uint8Array): CommandOutput<C>;
}

/**
 * All of a command but the sending: everything here is a plain function of its arguments and the sessions.
 * @throws as `execute`
 */
export function prepare<C extends AnyCommand>(
  command: C,
  input: CommandInput<C>,
  options: ExecuteOptions,
): PreparedCommand<C> {
  const values = input as Readonly<Record<string, HandleValue>>;
  const entities = command.handles.map(({ name }) => entityOf(values[name] as HandleValue));
  const roles = command.handles.filter(({ role }) => role !== 'none').length;
  const parameters = encode(command.parameters, input);
  const authorizations = authorizationsOf(command, entities.slice(0, roles), options.sessions ?? []);
  if (options.allowPlaintext !== true) requireHidden(command, input, parameters, authorizations);
  const { area, parameters: sent, cpHashes } = writeAuthorizations(command, entities, parameters, authorizations);
  const body = concatBytes(
    ...entities.map(({ handle }) => encode(u32be, handle)),
    ...(authorizations.length === 0 ? [] : [encode(u32be, area.length), area]),
    sent,
  );
  const head = encode(commandHeader, {
    tag: authorizations.length === 0 ? 'noSessions' : 'sessions',
    commandSize: HEADER_BYTES + body.length,
    commandCode: command.code,
  });
  const finish = (response: Uint8Array): CommandOutput<C> => {
    const answer = readResponse(command, response, authorizations.length > 0);
    const after = command.authAfter;
    const effective =
      after === undefined
        ? authorizations
        : authorizations.map((one) => ({ ...one, entity: withAuth(one.entity, (e) => after(e, input)) }));
    const plain = verifyResponseAuth(command, answer, effective, cpHashes);
    applyEffects(command, entities);
    return { ...decode(command.response, plain), ...answer.handles } as CommandOutput<C>;
  };
  return {
    request: concatBytes(head, body),
    finish: (response) => {
      try {
        return finish(response);
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
        throw new TpmError('response_malformed', `${command.name}: ${error.message}`, { cause: error });
      }
    },
  };
}

function withAuth(
  entity: TpmEntity | undefined,
  after: (entity: TpmEntity) => Uint8Array | undefined,
): TpmEntity | undefined {
  const auth = entity === undefined ? undefined : after(entity);
  return auth === undefined || entity === undefined ? entity : { ...entity, auth };
}

/** What the command did to a policy session: it asks for an authValue from now on, or no longer. */
function applyEffects({ policyEffect, handles }: AnyCommand, entities: readonly TpmEntity[]): void {
  if (policyEffect === undefined) return;
  const session = entities[handles.findIndex(({ name }) => name === policyEffect.handle)];
  if (session instanceof AuthSession) session.needs = policyEffect.needs;
}
