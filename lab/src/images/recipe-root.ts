// SPDX-License-Identifier: Apache-2.0
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const INIT = fileURLToPath(new URL('../../guest/recipe-init.sh', import.meta.url));
const APPLETS = [
  ...['cat', 'cpio', 'cut', 'echo', 'find', 'grep', 'mkdir', 'mount', 'poweroff', 'sh', 'sleep', 'sync', 'umount'],
];

/**
 * A folder that recipes take for a root: programs in /usr alone, as distributions have it today, a file in /etc and one in
 * /var. Its init reports what it finds.
 */
export function writeRecipeRoot(folder: string, version: string): void {
  const at = (path: string): string => join(folder, path);
  for (const path of ['dev', 'proc', 'sys', 'run', 'tmp', 'etc', 'usr/bin', 'usr/sbin', 'usr/lib', 'var/lib/app']) {
    mkdirSync(at(path), { recursive: true });
  }
  for (const name of ['bin', 'sbin', 'lib']) symlinkSync(`usr/${name}`, at(name));
  copyFileSync('/bin/busybox', at('usr/bin/busybox'));
  for (const name of APPLETS) symlinkSync('busybox', at(`usr/bin/${name}`));
  copyFileSync(INIT, at('usr/sbin/init'));
  chmodSync(at('usr/sbin/init'), 0o755);
  writeFileSync(at('usr/lib/version'), `${version}\n`);
  writeFileSync(at('usr/lib/os-release'), `ID=lab\nVERSION_ID=${version}\n`);
  writeFileSync(at('etc/hostname'), 'lab\n');
  writeFileSync(at('var/lib/app/first'), 'of the image\n');
}
