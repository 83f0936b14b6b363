// SPDX-License-Identifier: Apache-2.0
import type { StubFile } from '@vouchsafe/disk';

/** The files that a stub looks for on the partition that the UKI is on. */
export interface EspFolders {
  /** `NAME.efi.extra.d` beside the UKI, NAME without the counter of boot counting: `+3-0` does not belong to it. */
  readonly companions?: readonly StubFile[];
  /** `/loader/addons` */
  readonly loaderAddons?: readonly StubFile[];
  /** `/loader/credentials` */
  readonly loaderCredentials?: readonly StubFile[];
}

const MAX_NAME_CHARACTERS = 255;

/**
 * Those of the files that a stub takes, in its order: by suffix in any case, ASCII names that do not begin with a dot, by
 * UTF-16 unit. systemd 252 and 257, src/boot/cpio.c (pack_cpio) and src/boot/stub.c (load_addons_from_dir).
 */
export function filesWith(files: readonly StubFile[] | undefined, suffix: string, except?: string): StubFile[] {
  const has = (name: string, ending: string | undefined): boolean =>
    ending !== undefined && name.toLowerCase().endsWith(ending);
  return (files ?? [])
    .filter(({ name }) => has(name, suffix) && !has(name, except))
    .filter(({ name }) => !name.startsWith('.') && name.length <= MAX_NAME_CHARACTERS && isAscii(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function isAscii(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) > 0x7f) return false;
  return true;
}
