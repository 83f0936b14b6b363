// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ByteSource, memorySource } from '@vouchsafe/bytes';
import { hostError } from '@vouchsafe/bytes/node';
import { ImageError } from '../error.ts';
import { makeInitrd, VIRTUAL_MACHINE_MODULES } from '../initrd/make-initrd.ts';
import { resolveInRoot } from '../initrd/resolve-in-root.ts';
import type { OpenKernel } from '../recipe/open-kernel.ts';
import type { Recipe } from '../recipe/recipe.ts';

/** Where a system has them; the first that there is counts. */
const BUSYBOX = ['usr/bin/busybox', 'bin/busybox'];
const DMSETUP = ['usr/sbin/dmsetup', 'sbin/dmsetup'];

/** The initrds that a recipe names, or the one that is made for it. @throws {ImageError} @throws {DiskError} @throws {BytesError} */
export async function openInitrds(
  recipe: Recipe,
  kernel: OpenKernel,
  at: (path: string) => string,
  open: (path: string) => ByteSource,
): Promise<ByteSource[]> {
  const { initrd, keys, profile } = recipe;
  if (initrd.kind === 'files') return initrd.paths.map(open);
  const systemRoot = initrd.system === undefined ? '/' : at(initrd.system);
  // An unpacked system is an input as a whole; of this machine's own, the programs that are taken.
  const own = (path: string): string => (initrd.system === undefined ? at(path) : path);
  const rootHashCertificate = initrd.isSignatureRequired ? certificateOf(at(keys)) : undefined;
  const hasVar = recipe.var !== undefined;
  const made = await makeInitrd({
    modulesRoot: kernel.modules,
    modules: initrd.modules ?? VIRTUAL_MACHINE_MODULES,
    systemRoot,
    busybox: initrd.busybox === undefined ? own(programOf(systemRoot, BUSYBOX)) : at(initrd.busybox),
    dmsetup: initrd.dmsetup === undefined ? own(programOf(systemRoot, DMSETUP)) : at(initrd.dmsetup),
    // A confidential guest's measurements are its platform's.
    extendsPhases: profile === 'machine',
    rootHashCertificate,
    hasVar,
    onProgram: own,
  });
  return [memorySource(made, 'initrd')];
}

function programOf(systemRoot: string, places: readonly string[]): string {
  for (const place of places) {
    const found = resolveInRoot(systemRoot, place);
    if (found !== undefined) return found;
  }
  const message = `${systemRoot}: the initrd needs ${places.join(' or ')}, which is not there; install it, or name another system`;
  throw new ImageError('library_missing', message);
}

function certificateOf(keys: string): Uint8Array {
  const path = join(keys, 'verity.crt');
  try {
    return readFileSync(path);
  } catch (cause) {
    throw hostError(path, cause);
  }
}
