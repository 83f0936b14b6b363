// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, memorySource } from '@vouchsafe/bytes';
import { makeInitrd, VIRTUAL_MACHINE_MODULES } from '../initrd/make-initrd.ts';
import type { OpenKernel } from '../recipe/open-kernel.ts';
import type { Recipe } from '../recipe/recipe.ts';

const DEFAULT_BUSYBOX = '/bin/busybox';
const DEFAULT_DMSETUP = '/sbin/dmsetup';

/** The initrds that a recipe names, or the one that is made for it. @throws {ImageError} */
export function openInitrds(
  { initrd }: Recipe,
  kernel: OpenKernel,
  at: (path: string) => string,
  open: (path: string) => ByteSource,
): ByteSource[] {
  if (initrd.kind === 'files') return initrd.paths.map(open);
  const made = makeInitrd({
    modulesRoot: kernel.modules,
    modules: initrd.modules ?? VIRTUAL_MACHINE_MODULES,
    systemRoot: '/',
    busybox: at(initrd.busybox ?? DEFAULT_BUSYBOX),
    dmsetup: at(initrd.dmsetup ?? DEFAULT_DMSETUP),
  });
  return [memorySource(made, 'initrd')];
}
