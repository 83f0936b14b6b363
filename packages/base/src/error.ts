// SPDX-License-Identifier: Apache-2.0
/** Known to every copy of this package in a process, where `instanceof` knows only its own: bundles each hold one. */
const BRAND: unique symbol = Symbol.for('vouchsafe.error') as never;

/**
 * The one error class that the others extend. Each package adds a subclass with a closed union of codes.
 *
 * Codes are public and never reused; messages are for people and may change. A message says what was expected, what
 * was found, where, and what to do next, and never shows a secret.
 */
export abstract class VouchsafeError<Code extends string = string> extends Error {
  abstract readonly code: Code;
  readonly [BRAND] = true;
}

/** True for every error that this product raises on purpose; anything else is a defect. */
export function isVouchsafeError(error: unknown): error is VouchsafeError {
  return error instanceof Error && BRAND in error;
}
