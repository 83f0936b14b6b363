// SPDX-License-Identifier: Apache-2.0
import type { Verb } from './verb.ts';

/** What can be asked for without loading the code behind it: its line in the overview, and how to get the rest. */
export interface VerbEntry {
  readonly summary: string;
  readonly load: () => Promise<Verb>;
}

export interface Noun {
  readonly summary: string;
  /** A command that works, for the usage. */
  readonly example: string;
  readonly verbs: Readonly<Record<string, VerbEntry>>;
}

/** All nouns and verbs. Only the verb that is used is loaded, so that small commands start at once. */
export const NOUNS: Readonly<Record<string, Noun>> = {
  verity: {
    summary: 'dm-verity: make, check, repair, sign and read hash trees',
    example: 'vouchsafe verity format root.erofs root.hash',
    verbs: {
      format: {
        summary: 'make the hash tree of a file or device',
        load: async () => (await import('./verity/format.ts')).format,
      },
      verify: {
        summary: 'check every block up to the root hash',
        load: async () => (await import('./verity/verify.ts')).verify,
      },
      repair: {
        summary: 'mend damaged blocks from parity',
        load: async () => (await import('./verity/repair.ts')).repair,
      },
      dump: { summary: 'show what a superblock says', load: async () => (await import('./verity/dump.ts')).dump },
      read: { summary: 'read a part, checked on the way', load: async () => (await import('./verity/read.ts')).read },
      describe: {
        summary: 'print what boots a root: command lines and tables',
        load: async () => (await import('./verity/describe.ts')).describe,
      },
      sign: { summary: 'sign a root hash', load: async () => (await import('./verity/sign.ts')).sign },
    },
  },
  fsverity: {
    summary: 'fs-verity: digests and signatures of single files',
    example: 'vouchsafe fsverity digest app.bin',
    verbs: {
      digest: {
        summary: 'print the digest of each file',
        load: async () => (await import('./fsverity/digest.ts')).digest,
      },
      sign: { summary: 'sign the digest of a file', load: async () => (await import('./fsverity/sign.ts')).sign },
      verify: { summary: 'check a signature', load: async () => (await import('./fsverity/verify.ts')).verify },
    },
  },
};
