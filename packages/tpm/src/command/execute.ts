// SPDX-License-Identifier: Apache-2.0
import type { TpmTransport } from '../transport.ts';
import type { AnyCommand, CommandInput, CommandOutput } from './command.ts';
import { type ExecuteOptions, prepare } from './prepare.ts';

/**
 * Has a TPM do one command.
 * @throws {TpmError} 'secret_in_clear' before anything is sent; 'response_malformed'; 'session_hmac' when the answer was
 *   changed on the way; 'session_closed', 'argument_invalid'; 'io' as the transport does
 * @throws {TpmResponseError} 'response_code' when the TPM refuses
 * @throws {CodecError} for an input that does not fit the command
 */
export async function execute<C extends AnyCommand>(
  tpm: TpmTransport,
  command: C,
  input: CommandInput<C>,
  options: ExecuteOptions = {},
): Promise<CommandOutput<C>> {
  const { request, finish } = prepare(command, input, options);
  return finish(await tpm.send(request));
}
