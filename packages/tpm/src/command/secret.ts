// SPDX-License-Identifier: Apache-2.0
import { trimAuth } from '../entity.ts';
import { TpmError } from '../error.ts';
import type { Authorization } from './authorization.ts';
import type { AnyCommand } from './command.ts';

/**
 * Refuses to send what a probe on the bus must not read: a TPM on its own chip is wired to LPC or SPI, where disk keys
 * have been read off with a logic analyser.
 * @throws {TpmError} 'secret_in_clear'
 */
export function requireHidden(
  command: AnyCommand,
  input: object,
  parameters: Uint8Array,
  authorizations: readonly Authorization[],
): void {
  const refuse = (what: string): never => {
    const next = 'pass a salted session with a cipher, or allowPlaintext for a TPM without a bus';
    throw new TpmError('secret_in_clear', `${command.name}: ${what} would travel in the clear; ${next}`);
  };
  for (const { session, entity } of authorizations) {
    const isPassword = session === undefined || session.needs === 'password';
    if (isPassword && trimAuth(entity?.auth).length > 0) refuse('an authValue');
  }
  const { secret, isAnswerSecret } = command;
  if (
    secret === 'request' &&
    !isEmptySecret(parameters) &&
    !authorizations.some(({ attributes }) => attributes.decrypt)
  ) {
    refuse('its first parameter');
  }
  const isAnswered = secret === 'response' || isAnswerSecret?.(input) === true;
  if (isAnswered && !authorizations.some(({ attributes }) => attributes.encrypt)) refuse('its answer');
}

/** A first parameter of sizes of zero alone, such as a TPMS_SENSITIVE_CREATE without authValue and data. */
function isEmptySecret(parameters: Uint8Array): boolean {
  const size = new DataView(parameters.buffer, parameters.byteOffset, parameters.byteLength).getUint16(0);
  return parameters.subarray(2, 2 + size).every((octet) => octet === 0);
}
