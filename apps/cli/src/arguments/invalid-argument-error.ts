// SPDX-License-Identifier: Apache-2.0

/** What the reader of an option's value throws; the message is a sentence, as 'Expected a whole number.'. */
export class InvalidArgumentError extends Error {
  override readonly name = 'InvalidArgumentError';
}

/** By its name: in the bundle each verb has a class of its own. */
export function isInvalidArgument(error: unknown): error is InvalidArgumentError {
  return error instanceof Error && error.name === 'InvalidArgumentError';
}
