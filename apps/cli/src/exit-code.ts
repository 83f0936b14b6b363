// SPDX-License-Identifier: Apache-2.0

/** What the command's exit status means; the same for every verb. */
export const EXIT = {
  /** Done, and good. */
  good: 0,
  /** The answer is no: a check failed. */
  no: 1,
  /** The command was called in a way that it does not have. */
  usage: 2,
  /** Malformed input, or the host refused. */
  failed: 3,
  /** The terminal has gone, SIGHUP: as shells have it, 128 and the signal's number. */
  hungUp: 129,
  /** Ended by Ctrl-C, likewise. */
  interrupted: 130,
  /** Ended by SIGTERM, likewise. */
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
