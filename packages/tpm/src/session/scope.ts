// SPDX-License-Identifier: Apache-2.0
import { execute } from '../command/execute.ts';
import { tpm2FlushContext } from '../commands/context.ts';
import type { HandleValue } from '../entity.ts';
import { entityOf } from '../entity.ts';
import type { TpmTransport } from '../transport.ts';
import { AuthSession } from './auth-session.ts';
import { type SessionOptions, startSession } from './start-session.ts';

/**
 * Drops a transient object or a session from the TPM, whose room is for a handful of either.
 * @throws as `execute`
 */
export async function flush(tpm: TpmTransport, value: HandleValue): Promise<void> {
  const entity = entityOf(value);
  if (entity instanceof AuthSession) {
    if (!entity.isOpen && !entity.isRefused) return;
    entity.isOpen = false;
  }
  await execute(tpm, tpm2FlushContext, { flushHandle: entity.handle });
}

/**
 * Flushes what `value` names when `use` ends, however it ends. When both fail the error of `use` is the one that is
 * thrown: it came first.
 */
export async function withFlushed<V extends HandleValue, T>(
  tpm: TpmTransport,
  value: V,
  use: (value: V) => Promise<T>,
): Promise<T> {
  let result: T;
  try {
    result = await use(value);
  } catch (error) {
    await flush(tpm, value).catch(() => {}); // the first error says more
    throw error;
  }
  await flush(tpm, value);
  return result;
}

/** Starts a session for as long as `use` runs. */
export async function withSession<T>(
  tpm: TpmTransport,
  options: SessionOptions,
  use: (session: AuthSession) => Promise<T>,
): Promise<T> {
  return withFlushed(tpm, await startSession(tpm, options), use);
}
