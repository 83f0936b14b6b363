// SPDX-License-Identifier: Apache-2.0

/** Counts by key in windows of time; remembers a bounded number of keys. */
export interface Meter {
  /** True while the key may do one more. Counts nothing. */
  isBelow(key: string): boolean;
  /** Counts one, or more; true while the key stays within its limit. */
  count(key: string, by?: number): boolean;
}

const MAX_KEYS = 65_536;

/**
 * A limit per key and window. When more keys come than are remembered the oldest are forgotten: they are let through, and not
 * the newest kept out.
 */
export function createMeter(limit: number, windowMs: number, now: () => number): Meter {
  const windows = new Map<string, { startMs: number; count: number }>();
  const current = (key: string): { startMs: number; count: number } | undefined => {
    const found = windows.get(key);
    return found !== undefined && now() - found.startMs < windowMs ? found : undefined;
  };
  return {
    isBelow: (key) => (current(key)?.count ?? 0) < limit,
    count(key, by = 1) {
      const found = current(key);
      if (found !== undefined) {
        found.count += by;
        return found.count <= limit;
      }
      windows.delete(key);
      if (windows.size >= MAX_KEYS) windows.delete(windows.keys().next().value as string);
      windows.set(key, { startMs: now(), count: by });
      return limit >= by;
    },
  };
}
