// SPDX-License-Identifier: Apache-2.0

/** One page under docs/formats. */
export interface FormatPage {
  readonly page: string;
  readonly title: string;
  /** What the page holds, as a paragraph. */
  readonly about: string;
  /** Each structure that a file under here exports is on the page; a new one comes in by itself. */
  readonly folder: string;
}

export const FORMAT_PAGES: readonly FormatPage[] = [
  {
    page: 'verity.md',
    title: 'dm-verity and fs-verity',
    about: 'The superblock in front of a dm-verity hash tree, and the descriptor that an fs-verity digest is made of.',
    folder: 'packages/verity/src',
  },
  {
    page: 'disk.md',
    title: 'GPT, FAT and EROFS',
    about: 'Partition tables, the volumes of EFI system partitions, and read-only root file systems.',
    folder: 'packages/disk/src',
  },
  {
    page: 'pe.md',
    title: 'PE files and EFI variables',
    about: 'Executables of UEFI and their certificate tables, signature lists, and the variable store of OVMF.',
    folder: 'packages/pe/src',
  },
  {
    page: 'tpm.md',
    title: 'TPM 2.0 structures',
    about: 'Structures of the TPM 2.0 Library, Part 2, as they travel and as they are signed.',
    folder: 'packages/tpm/src',
  },
  {
    page: 'eventlog.md',
    title: 'Boot logs',
    about: "The firmware's log, the data of its events, and the kernel's IMA list.",
    folder: 'packages/eventlog/src',
  },
];
