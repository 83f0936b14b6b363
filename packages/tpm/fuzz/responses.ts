// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, concatBytes } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import type { FuzzTarget } from '@vouchsafe/testing';
import { prepare, TpmError } from '@vouchsafe/tpm';
import { inputOf, readTranscript } from '../test/transcript.ts';

const EXCHANGES = readTranscript();

/** The answer to any command: it decodes and is written back as it was, or is a TpmError. The first octet says to which. */
export const target: FuzzTarget = {
  name: 'tpm-responses',
  seeds: () => EXCHANGES.map(({ response }, i) => concatBytes(Uint8Array.of(i), response)),
  run(bytes) {
    const exchange = EXCHANGES[(bytes[0] ?? 0) % EXCHANGES.length];
    if (exchange === undefined) return;
    const { command } = exchange;
    const response = bytes.slice(1);
    try {
      const output = prepare(command, inputOf(exchange) as never, { allowPlaintext: true }).finish(response);
      const at = 10 + 4 * command.responseHandles.length + (response[1] === 1 ? 0 : 4);
      const again = encode(command.response, output);
      if (!bytesEqual(again, response.subarray(at, at + again.length))) {
        throw new Error(`${command.name}: the answer is written back as other bytes`);
      }
    } catch (error) {
      if (!(error instanceof TpmError)) throw error;
    }
  },
};
