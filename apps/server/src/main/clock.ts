// SPDX-License-Identifier: Apache-2.0

/** The service's time, milliseconds since 1970: it never goes back, whatever is done to the host's clock. */
export type Clock = () => number;

/**
 * A clock that was set back would make old challenges and old verdicts good again, so this one goes on at its own pace then.
 * When the host's clock is ahead (the host slept, or was set), it follows: that only makes things end earlier.
 * @param now the host's clock. @param monotonic milliseconds from anywhere, at an even pace.
 * @param notBeforeMs a time that has certainly passed, as something was written then.
 */
export function steadyClock(now: () => number, monotonic: () => number, notBeforeMs = 0): Clock {
  let base = Math.max(now(), notBeforeMs);
  let at = monotonic();
  return () => {
    const elapsed = monotonic();
    const steady = base + (elapsed - at);
    const host = now();
    if (host > steady) {
      base = host;
      at = elapsed;
      return Math.floor(host);
    }
    return Math.floor(steady);
  };
}
