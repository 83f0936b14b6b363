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
];
