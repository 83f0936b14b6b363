// SPDX-License-Identifier: Apache-2.0
import type { Finding, FindingPlace } from '@vouchsafe/base';

export type FatFindingCode =
  | 'chain_loop' // a chain of clusters that comes back to itself
  | 'chain_invalid' // a chain that leads to a free, a bad or no cluster
  | 'chain_length' // a chain with fewer or more clusters than the file's size needs
  | 'cross_link' // a cluster that two files or directories have
  | 'directory_malformed' // entries that no directory may have
  | 'name_duplicate' // two entries of one directory that a lookup takes for the same name
  | 'name_orphan' // parts of a long name without the entry they belong to
  | 'clusters_lost' // clusters that are in use and belong to nothing
  | 'table_differs' // the copies of the file allocation table say different things
  | 'boot_differs' // the copy of the boot sector says something else
  | 'free_count' // FSInfo says another number of free clusters than the table
  | 'volume_dirty'; // the volume was not closed, or has bad sectors, by its own word

export type FatFinding = Finding<FatFindingCode>;

const REPAIR = 'write the volume again, or repair it with fsck.vfat and compare the result';

/** What each fault means; the severity is that of the worst that can follow. */
const MEANINGS: Readonly<Record<FatFindingCode, readonly ['error' | 'warning', string]>> = {
  chain_loop: ['error', `a reader without a limit never ends; ${REPAIR}`],
  chain_invalid: ['error', `the rest of it is lost; ${REPAIR}`],
  chain_length: ['error', `readers disagree about its content; ${REPAIR}`],
  cross_link: ['error', `writing to one changes the other; ${REPAIR}`],
  directory_malformed: ['error', `firmware and systems may see different files; ${REPAIR}`],
  name_duplicate: ['error', 'firmware may take either; remove one of them'],
  name_orphan: ['warning', 'something that knows no long names has written here; look before you trust it'],
  clusters_lost: ['warning', 'content that no file has; it may have been hidden or left over'],
  table_differs: ['error', `firmware and systems may use different copies; ${REPAIR}`],
  boot_differs: ['warning', `who repairs from the copy gets another volume; ${REPAIR}`],
  free_count: ['warning', 'the volume was written to by something that does not keep count'],
  volume_dirty: ['warning', 'the volume was in use when the image was made; make it from one that was unmounted'],
};

/** A finding with what its code means. */
export function fatFinding(
  code: FatFindingCode,
  where: FindingPlace,
  values: { readonly expected?: string; readonly actual?: string } = {},
): FatFinding {
  const [severity, hint] = MEANINGS[code];
  return { code, severity, where, ...values, hint };
}
