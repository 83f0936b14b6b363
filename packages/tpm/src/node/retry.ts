// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { HEADER_BYTES } from '../structures/header.ts';

/**
 * TPM_RC_YIELDED, TPM_RC_TESTING and TPM_RC_RETRY: nothing has been done, send the same command again. TPM 2.0 Library,
 * Part 2, section 6.6.3. A TPM answers so to the first use of an authValue after its start, for one.
 */
const AGAIN: readonly number[] = [0x908, 0x90a, 0x922];

/** The first wait, in milliseconds; each is twice as long as the one before. As Linux's driver does. */
const FIRST_WAIT_MS = 5;
/** A wait of this length is not begun; with those before it that is half a minute and more. */
const MAX_WAIT_MS = 20_000;

/** `exchange`, repeated for as long as the TPM asks for it; then its last answer. */
export async function exchangeUntilDone(
  exchange: (command: Uint8Array) => Promise<Uint8Array>,
  command: Uint8Array,
): Promise<Uint8Array> {
  let response = await exchange(command);
  for (let waitMs = FIRST_WAIT_MS; waitMs < MAX_WAIT_MS && asksAgain(response); waitMs *= 2) {
    await sleep(waitMs);
    response = await exchange(command);
  }
  return response;
}

function asksAgain(response: Uint8Array): boolean {
  if (response.length !== HEADER_BYTES) return false;
  return AGAIN.includes(new DataView(response.buffer, response.byteOffset).getUint32(6));
}
