// SPDX-License-Identifier: Apache-2.0
import type { TreeEntry } from '@vouchsafe/disk';
import { copiedTree, subtree } from '../ddi/copied-tree.ts';
import { ImageError } from '../error.ts';

/** Made anew at each boot. */
const OF_THE_BOOT = ['dev', 'proc', 'sys', 'run', 'tmp', 'boot', 'efi'];
/** Links into /usr, which the initrd makes. */
const MERGED = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];

/**
 * A root as a /usr that stands for all of it: what lies beside /usr becomes its factory default, usr/share/factory, from
 * which /etc and the rest are made at each boot. systemd: file-hierarchy(7), tmpfiles.d(5) on C lines.
 * @throws {ImageError} 'path_invalid' for a root whose programs are not all in /usr, or without one.
 */
export function hermeticUsr(entries: readonly TreeEntry[], timestampSeconds: number): readonly TreeEntry[] {
  const names = [...new Set(entries.map(({ path }) => path.replace(/\/.*$/s, '')))]
    .filter((name) => name !== '')
    .sort();
  if (!names.includes('usr')) throw new ImageError('path_invalid', 'expected a root with /usr, found none');
  const unmerged = names.find(
    (name) => MERGED.includes(name) && entries.find(({ path }) => path === name)?.kind !== 'symlink',
  );
  if (unmerged !== undefined) {
    const message = `/${unmerged}: expected a link into /usr, as a hermetic /usr holds all programs; merge it (usrmerge)`;
    throw new ImageError('path_invalid', message);
  }
  const beside = names.filter((name) => name !== 'usr' && !MERGED.includes(name) && !OF_THE_BOOT.includes(name));
  const copies = [{ from: 'usr', to: '' }, ...beside.map((name) => ({ from: name, to: `share/factory/${name}` }))];
  const options = { timestampSeconds, isAllRoot: false };
  return copiedTree(copies, [], (from) => subtree(entries, from), options);
}
