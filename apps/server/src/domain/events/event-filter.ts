// SPDX-License-Identifier: Apache-2.0
import { VERDICTS_COMMIT } from '../audit/verdict-group.ts';

/**
 * True when a kind of act is among those wanted: named, or by their beginning with a star ('device.*'). None wanted: all but
 * the entries that stand for verdicts, which nothing happens with.
 */
export function isWanted(kind: string, wanted: readonly string[]): boolean {
  if (wanted.length === 0) return kind !== VERDICTS_COMMIT;
  return wanted.some((one) => (one.endsWith('*') ? kind.startsWith(one.slice(0, -1)) : kind === one));
}

/** The kind of an audit entry. */
export function kindOfLeaf(leaf: string): string {
  const { kind } = JSON.parse(leaf) as { readonly kind?: unknown };
  return typeof kind === 'string' ? kind : '';
}
