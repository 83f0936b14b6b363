// SPDX-License-Identifier: Apache-2.0
import { open } from 'node:fs/promises';
import { TpmError } from '../error.ts';
import type { TpmTransport } from '../transport.ts';
import { MAX_RESPONSE_BYTES, requireResponse } from './response.ts';
import { exchangeUntilDone } from './retry.ts';

/** A transport that holds something of the host until it is closed. */
export interface OpenTpm extends TpmTransport {
  close(): Promise<void>;
}

/**
 * Linux's TPM device: a command is one write, its response one read; a command waits until those before it are answered.
 * With /dev/tpmrm0 the kernel's resource manager swaps objects and flushes what is left when it is closed; with /dev/tpm0
 * the caller has the TPM to itself.
 * @throws {TpmError} 'io'
 */
export async function openTpmDevice(path = '/dev/tpmrm0'): Promise<OpenTpm> {
  const failed = (cause: unknown): TpmError =>
    new TpmError('io', `${path}: expected a TPM that answers; check that it exists and is yours to use`, { cause });
  const file = await open(path, 'r+').catch((cause: unknown) => {
    throw failed(cause);
  });
  const exchange = async (command: Uint8Array): Promise<Uint8Array> => {
    try {
      await file.write(command);
      const { bytesRead, buffer } = await file.read(new Uint8Array(MAX_RESPONSE_BYTES));
      return requireResponse(buffer.slice(0, bytesRead));
    } catch (cause) {
      throw cause instanceof TpmError ? cause : failed(cause);
    }
  };
  let turn: Promise<unknown> = Promise.resolve();
  return {
    send: (command) => {
      const answer = turn.then(() => exchangeUntilDone(exchange, command));
      turn = answer.catch(() => {}); // its caller hears of it
      return answer;
    },
    close: () => file.close(),
  };
}
