// SPDX-License-Identifier: Apache-2.0
import { ImageError } from '../error.ts';
import { type PlacedFile, programWithLibraries } from './program.ts';
import { resolveInRoot } from './resolve-in-root.ts';

/** A file of the system and its place in the initrd; of several places it is at the first that there is. */
interface Wanted {
  readonly from: readonly string[];
  readonly to: string;
}

const LIBRARIES = 'usr/lib/x86_64-linux-gnu';

/** Checks the signature of a root hash: OpenSSL, cms(1). */
export const SIGNATURE_PROGRAMS: readonly Wanted[] = [{ from: ['usr/bin/openssl'], to: 'bin/openssl' }];

/** Opens a LUKS2 volume whose key systemd-cryptenroll has sealed, and makes one. */
export const VAR_PROGRAMS: readonly Wanted[] = [
  { from: ['usr/sbin/cryptsetup', 'sbin/cryptsetup'], to: 'bin/cryptsetup' },
  { from: ['usr/bin/systemd-cryptenroll'], to: 'bin/systemd-cryptenroll' },
  { from: ['usr/sbin/mke2fs', 'sbin/mke2fs'], to: 'bin/mke2fs' },
  // By which cryptsetup reads systemd's tokens, from the folder that Debian's is compiled with.
  {
    from: [`${LIBRARIES}/cryptsetup/libcryptsetup-token-systemd-tpm2.so`],
    to: 'lib/x86_64-linux-gnu/cryptsetup/libcryptsetup-token-systemd-tpm2.so',
  },
  // Loaded by name while they run, so no file says that they are needed. systemd 252, src/shared/tpm2-util.c.
  ...['esys.so.0', 'mu.so.0', 'rc.so.0', 'tcti-device.so.0'].map(
    (name): Wanted => ({ from: [`${LIBRARIES}/libtss2-${name}`], to: `lib/x86_64-linux-gnu/libtss2-${name}` }),
  ),
];

/** What an encrypted volume needs of the kernel. The last is how cryptsetup reads a key slot without a mapping of its own. */
export const VAR_MODULES: readonly string[] = ['dm-crypt', 'xts', 'ext4', 'algif_skcipher'];

/** What makes it fast; loads only on a processor that has it. */
export const VAR_WISHES: readonly string[] = ['aesni_intel'];

/**
 * Programs of a system with their libraries.
 * @param purpose what they are for, in messages.
 * @throws {ImageError} 'library_missing' also for a program that is not there. @throws {BytesError}
 */
export function placedPrograms(root: string, wanted: readonly Wanted[], purpose: string): PlacedFile[] {
  return wanted.flatMap(({ from, to }) => {
    for (const path of from) {
      const found = resolveInRoot(root, path);
      if (found !== undefined) return programWithLibraries(root, found, to);
    }
    const message = `${root}: ${purpose} needs ${from.join(' or ')}, which is not there; install it, or take another system`;
    throw new ImageError('library_missing', message);
  });
}
