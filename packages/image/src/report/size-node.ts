// SPDX-License-Identifier: Apache-2.0

/** Something that takes space, and what of it is in it. The sizes of the children add up to its own. */
export interface SizeNode {
  readonly name: string;
  readonly kind: SizeKind;
  /** Octets of the image, as they are stored: compressed, and once for what is there twice. */
  readonly sizeBytes: number;
  /** Largest first. */
  readonly children: readonly SizeNode[];
}

export type SizeKind =
  | 'disk'
  | 'partition'
  | 'program' // a PE file
  | 'section' // of a PE file
  | 'folder'
  | 'file'
  | 'overhead' // tables, metadata, padding: what is needed beside the files
  | 'free'; // room that nothing uses

export const leaf = (name: string, kind: SizeKind, sizeBytes: number): SizeNode => ({
  name,
  kind,
  sizeBytes,
  children: [],
});

/**
 * A node of these parts, and of what they leave of its size.
 * @param rest what that is.
 */
export function nodeOf(
  name: string,
  kind: SizeKind,
  sizeBytes: number,
  parts: readonly SizeNode[],
  rest: { readonly name: string; readonly kind: SizeKind },
): SizeNode {
  const used = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  const left = Math.max(0, sizeBytes - used);
  const all = left === 0 ? parts : [...parts, leaf(rest.name, rest.kind, left)];
  return { name, kind, sizeBytes: Math.max(sizeBytes, used), children: bySize(all) };
}

/** Of the same size by name, so that a report of the same image is the same. */
export function bySize<T extends { readonly name: string; readonly sizeBytes: number }>(items: readonly T[]): T[] {
  return items.toSorted((a, b) => b.sizeBytes - a.sizeBytes || (a.name < b.name ? -1 : 1));
}
