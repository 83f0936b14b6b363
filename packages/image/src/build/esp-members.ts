// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import { utf8 } from '@vouchsafe/base';
import { type ByteSource, memorySource } from '@vouchsafe/bytes';
import type { FatMember } from '@vouchsafe/disk';
import { ESP_PATH } from '@vouchsafe/pe';
import type { Recipe } from '../recipe/recipe.ts';

/**
 * Boot Loader Specification, type 2: the loader finds what lies in EFI/Linux.
 * @param companions files that go beside the UKI.
 */
export function espMembers(
  recipe: Recipe,
  uki: ByteSource,
  loader: Uint8Array | undefined,
  companions: readonly ByteSource[],
): FatMember[] {
  // systemd-stub(7): a folder that is named after the UKI.
  const beside = (path: string): FatMember[] =>
    companions.map((content) => ({ path: `${path}.extra.d/${basename(content.label)}`, content }));
  if (loader === undefined) {
    return [{ path: 'EFI/BOOT/BOOTX64.EFI', content: uki }, ...beside('EFI/BOOT/BOOTX64.EFI')];
  }
  const name = `${recipe.name}_${recipe.version}.efi`;
  return [
    { path: 'EFI/BOOT/BOOTX64.EFI', content: memorySource(loader, 'systemd-boot') },
    { path: 'EFI/systemd/systemd-bootx64.efi', content: memorySource(loader, 'systemd-boot') },
    { path: `EFI/Linux/${name}`, content: uki },
    ...beside(`EFI/Linux/${name}`),
    { path: ESP_PATH.loaderConf.replace(/^\//, ''), content: memorySource(utf8('timeout 0\n'), 'loader.conf') },
    { path: 'loader/entries.srel', content: memorySource(utf8('type1\n'), 'entries.srel') },
  ];
}
