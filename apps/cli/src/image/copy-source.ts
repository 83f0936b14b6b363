// SPDX-License-Identifier: Apache-2.0
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { ByteSource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import type { TreeEntry } from '@vouchsafe/disk';
import { type OpenTree, openTree, treeInputKind } from '@vouchsafe/disk/node';
import { subtree } from '@vouchsafe/image';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';

/** Where files for an image come from: a folder, of which only what is asked for is read, or an archive or OCI image. */
export class CopySource implements Disposable {
  readonly #path: string;
  readonly #session: Session;
  readonly #open: OpenTree[] = [];
  readonly #files: FileSource[] = [];
  readonly #isFolder: boolean;

  /** @throws {BytesError} when there is nothing. */
  constructor(path: string, session: Session) {
    this.#path = path;
    this.#session = session;
    this.#isFolder = treeInputKind(path) === 'folder';
  }

  /** What is at a path and below it, as paths from there on; nothing where there is nothing. @throws {DiskError} */
  async entries(from: string): Promise<readonly TreeEntry[]> {
    if (!this.#isFolder) return subtree(await this.#archive(), from);
    const at = join(this.#path, from);
    if (treeInputKind(at) === 'tar') {
      // A single file: its own name is not part of the tree.
      const content = this.#file(at);
      return [{ path: '', kind: 'file', mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 0, content }];
    }
    const tree = await openTree(at, this.#session.work, 'folder');
    this.#open.push(tree);
    return tree.entries;
  }

  /** Whether something is at a path of a folder; of an archive it is not known before it is read. */
  has(from: string): boolean {
    return !this.#isFolder || lstatSync(join(this.#path, from), { throwIfNoEntry: false })?.isFile() === true;
  }

  /** The octets of one file. @throws {UsageError} when it is none. */
  async content(from: string): Promise<ByteSource> {
    if (this.#isFolder) return this.#file(join(this.#path, from));
    const [entry, ...others] = subtree(await this.#archive(), from);
    if (entry?.kind !== 'file' || others.length > 0) throw new UsageError(`${this.#path}: expected a file at ${from}`);
    return entry.content;
  }

  [Symbol.dispose](): void {
    for (const open of [...this.#open, ...this.#files]) open[Symbol.dispose]();
  }

  #file(path: string): FileSource {
    const file = FileSource.open(path);
    this.#files.push(file);
    return file;
  }

  async #archive(): Promise<readonly TreeEntry[]> {
    const [first] = this.#open;
    if (first !== undefined) return first.entries;
    const tree = await openTree(this.#path, this.#session.work);
    this.#open.push(tree);
    return tree.entries;
  }
}
