// SPDX-License-Identifier: Apache-2.0

/** How far long work has come. */
export interface Progress {
  /** What is being done, a verb in the -ing form: 'hashing'. */
  readonly phase: string;
  /** In bytes, where the work is measured in bytes. */
  readonly done: number;
  readonly total: number;
}

/** The part of AbortSignal that pure code needs; any AbortSignal fits. */
export interface CancelSignal {
  throwIfAborted(): void;
}

/** Options that every long operation takes. */
export interface LongWork {
  readonly signal?: CancelSignal | undefined;
  /**
   * Called now and then, at least once at the end. The work waits for the promise it returns, so that a caller can let
   * its event loop turn: to draw, and to hear of a cancellation.
   */
  readonly onProgress?: ((progress: Progress) => void | Promise<void>) | undefined;
}
