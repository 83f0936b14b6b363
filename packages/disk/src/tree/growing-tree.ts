// SPDX-License-Identifier: Apache-2.0
import { DiskError } from '../error.ts';
import { sortByOctets } from './compare.ts';
import { type HardLink, MAX_ENTRIES, type TreeEntry, type TreeInode } from './file-tree.ts';

export interface GrowingTreeOptions {
  /**
   * What a path means that comes again within one layer: 'refuse', or 'replace', as tar does when it extracts. Readers of
   * archives differ in which one counts, so that one archive could show two contents.
   */
  readonly duplicates?: 'refuse' | 'replace';
  /** Of directories that are not listed, but have something in them: since 1970; 0 unless given. */
  readonly impliedMtimeSeconds?: number;
  /** Entries, directories that are not listed among them. */
  readonly maxEntries?: number;
}

/** An inode under all its names. */
interface Shared {
  inode: TreeInode;
}

interface Place {
  shared: Shared;
  /** Of a directory. */
  children: Map<string, Place> | undefined;
  /** The layer that it came with; 'implied' until it is listed. */
  layer: number | 'implied';
}

/**
 * A tree that grows entry by entry and layer by layer, as archives give it. Nothing is ever followed: a path that goes
 * through a symbolic link is refused, and so is a hard link to what is not there.
 */
export class GrowingTree {
  readonly #duplicates: 'refuse' | 'replace';
  readonly #impliedMtimeSeconds: number;
  readonly #maxEntries: number;
  readonly #root: Place;
  #layer = 0;
  #count = 1;

  constructor({ duplicates = 'refuse', impliedMtimeSeconds = 0, maxEntries = MAX_ENTRIES }: GrowingTreeOptions = {}) {
    this.#duplicates = duplicates;
    this.#impliedMtimeSeconds = impliedMtimeSeconds;
    this.#maxEntries = maxEntries;
    this.#root = this.#implied('');
  }

  /** What is added from now on lies over what is there. */
  startLayer(): void {
    this.#layer++;
  }

  /**
   * @throws {DiskError} 'link_followed', 'tree_invalid' where no directory is above it or a hard link has no target,
   * 'path_duplicate', 'limit'.
   */
  add(entry: TreeEntry): void {
    if (entry.path === '') {
      this.#addRoot(entry);
      return;
    }
    const parent = this.#parentOf(entry.path);
    const name = lastPart(entry.path);
    const existing = parent.get(name);
    if (existing !== undefined) this.#requireNew(entry.path, existing);
    const shared = entry.kind === 'hardlink' ? this.#linked(entry) : { inode: entry };
    if (shared.inode.kind === 'directory' && existing?.children !== undefined) {
      existing.shared = shared;
      existing.layer = this.#layer;
      return;
    }
    if (existing !== undefined) {
      if (hasOfLayer(existing, this.#layer)) {
        throw new DiskError(
          'tree_invalid',
          `${entry.path}: expected a directory, as something lies in it, found a ${entry.kind}`,
        );
      }
      this.#count -= countOf(existing);
    }
    const children = shared.inode.kind === 'directory' ? new Map() : undefined;
    parent.set(name, { shared, children, layer: this.#layer });
    this.#grow();
  }

  /**
   * Removes what lower layers have at a path, and all below it; what this layer has there stays.
   * @returns false when there is nothing.
   * @throws {DiskError} 'link_followed', 'tree_invalid'.
   */
  removeLower(path: string): boolean {
    const parent = this.#find(path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '', path);
    if (parent === undefined) return false;
    const siblings = this.#childrenOf(parent, path);
    const name = lastPart(path);
    const place = siblings.get(name);
    if (place === undefined) return false;
    if (this.#clearLower(place) && place.layer !== this.#layer) {
      siblings.delete(name);
      this.#count--;
    }
    return true;
  }

  /** Empties a directory of what lower layers have in it. @throws {DiskError} as `removeLower`. */
  clearLower(path: string): void {
    const place = this.#find(path, path);
    if (place === undefined) return;
    // What is no directory is refused, as it is for a file in it.
    this.#childrenOf(place, path);
    this.#clearLower(place);
  }

  /** What is listed at a path; undefined where nothing is, or a directory that is only implied. @throws {DiskError} 'link_followed', 'tree_invalid'. */
  kindAt(path: string): TreeInode['kind'] | undefined {
    const place = this.#find(path, path);
    return place === undefined || place.layer === 'implied' ? undefined : place.shared.inode.kind;
  }

  /** All there is, each directory before what it holds, by the octets of the names; of several names the first is the file. */
  *entries(): Generator<TreeEntry, void> {
    const firstNames = new Map<Shared, string>();
    const stack: { readonly path: string; readonly place: Place }[] = [{ path: '', place: this.#root }];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const { path, place } = next;
      const first = firstNames.get(place.shared);
      if (first !== undefined) {
        yield { kind: 'hardlink', path, target: first };
        continue;
      }
      firstNames.set(place.shared, path);
      yield { ...place.shared.inode, path };
      const prefix = path === '' ? '' : `${path}/`;
      for (const [name, child] of sorted(place.children).reverse())
        stack.push({ path: `${prefix}${name}`, place: child });
    }
  }

  #addRoot(entry: TreeEntry): void {
    if (entry.kind !== 'directory') {
      throw new DiskError('tree_invalid', `the root: expected a directory, found a ${entry.kind}`);
    }
    this.#requireNew('', this.#root);
    this.#root.shared = { inode: entry };
    this.#root.layer = this.#layer;
  }

  #requireNew(path: string, existing: Place): void {
    if (existing.layer !== this.#layer || this.#duplicates === 'replace') return;
    throw new DiskError(
      'path_duplicate',
      `${path === '' ? 'the root' : path}: expected a path once, found it twice; readers differ in which one counts. If the last one is meant, say so (duplicates: replace)`,
    );
  }

  /** The directory that a path is to lie in; made where it is not listed. */
  #parentOf(path: string): Map<string, Place> {
    let at = this.#root;
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const above = path.slice(0, slash);
      const children = this.#childrenOf(at, path);
      const name = lastPart(above);
      let child = children.get(name);
      if (child === undefined) {
        child = this.#implied(above);
        children.set(name, child);
        this.#grow();
      }
      at = child;
    }
    return this.#childrenOf(at, path);
  }

  #childrenOf({ children, shared }: Place, path: string): Map<string, Place> {
    if (children !== undefined) return children;
    if (shared.inode.kind === 'symlink') {
      throw new DiskError(
        'link_followed',
        `${path}: expected directories above it, found the symbolic link ${shared.inode.path}, to ${JSON.stringify(shared.inode.target)}; put it where the link leads`,
      );
    }
    throw new DiskError(
      'tree_invalid',
      `${path}: expected directories above it, found the ${shared.inode.kind} ${shared.inode.path}`,
    );
  }

  /** What is at a path; undefined when nothing is. */
  #find(path: string, asked: string): Place | undefined {
    let at: Place | undefined = this.#root;
    for (const part of path === '' ? [] : path.split('/')) {
      at = this.#childrenOf(at, asked).get(part);
      if (at === undefined) return undefined;
    }
    return at;
  }

  #linked({ path, target }: HardLink): Shared {
    const place = target === path ? undefined : this.#find(target, path);
    if (place === undefined || place.children !== undefined) {
      throw new DiskError(
        'tree_invalid',
        `${path}: expected a hard link to a file that came before it, found ${JSON.stringify(target)}`,
      );
    }
    return place.shared;
  }

  /** @returns true when nothing of this layer is left below a place. */
  #clearLower(place: Place): boolean {
    if (place.children === undefined) return true;
    // Places to empty, a directory before what it holds: gone through backwards, each is settled before what holds it.
    const order: { readonly within: Map<string, Place>; readonly name: string; readonly place: Place }[] = [];
    for (const [name, child] of place.children) order.push({ within: place.children, name, place: child });
    for (const { place: inner } of order) {
      for (const [name, child] of inner.children ?? []) {
        order.push({ within: inner.children as Map<string, Place>, name, place: child });
      }
    }
    for (const { within, name, place: inner } of order.reverse()) {
      if (inner.layer === this.#layer || (inner.children?.size ?? 0) > 0) continue;
      within.delete(name);
      this.#count--;
    }
    return place.children.size === 0;
  }

  #implied(path: string): Place {
    const inode: TreeInode = {
      kind: 'directory',
      path,
      mode: 0o755,
      uid: 0,
      gid: 0,
      mtimeSeconds: this.#impliedMtimeSeconds,
    };
    return { shared: { inode }, children: new Map(), layer: 'implied' };
  }

  #grow(): void {
    if (++this.#count <= this.#maxEntries) return;
    throw new DiskError('limit', `tree: expected at most ${this.#maxEntries} entries, found more`);
  }
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A place with all below it. */
function* allOf(place: Place): Generator<Place, void> {
  const stack = [place];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    yield next;
    for (const child of next.children?.values() ?? []) stack.push(child);
  }
}

function countOf(place: Place): number {
  let count = 0;
  for (const _ of allOf(place)) count++;
  return count;
}

/** True when something below a directory came with that layer. */
function hasOfLayer(place: Place, layer: number): boolean {
  if (place.children === undefined) return false;
  for (const inner of allOf(place)) if (inner !== place && inner.layer === layer) return true;
  return false;
}

function sorted(children: ReadonlyMap<string, Place> | undefined): [string, Place][] {
  const all = [...(children ?? [])];
  sortByOctets(all, ([name]) => name);
  return all;
}
