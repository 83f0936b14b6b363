// SPDX-License-Identifier: Apache-2.0
import { type EfiSignatureList, parseKernelCommandLine } from '@vouchsafe/pe';

/** Something that firmware or a boot loader starts, or that says what to start. */
export interface BootFile {
  /** With the number of its partition before it. */
  readonly path: string;
  readonly kind: 'uki' | 'addon' | 'program' | 'entry';
  /** Root hashes of its command line, in lower-case hexadecimal. */
  readonly rootHashes: readonly string[];
  readonly isSigned: boolean;
  /** The certificate that firmware takes it by, or the digest. */
  readonly allowedBy?: string;
}

export interface BootOptions {
  /** What firmware trusts; without it, only that signatures hold is checked. */
  readonly db?: readonly EfiSignatureList[] | undefined;
  readonly dbx?: readonly EfiSignatureList[] | undefined;
}

/** roothash= and usrhash=, in lower case. systemd-veritysetup-generator(8). */
export function rootHashesIn(commandLine: string): readonly string[] {
  return parseKernelCommandLine(commandLine)
    .filter(({ name, value }) => (name === 'roothash' || name === 'usrhash') && value !== undefined && value !== '')
    .map(({ value }) => (value as string).toLowerCase());
}
