// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { memorySource } from '@vouchsafe/bytes';
import type { TreeEntry } from '@vouchsafe/disk';
import { programWithLibraries, treeOf } from '@vouchsafe/image';

const INIT = fileURLToPath(new URL('../../guest/init.sh', import.meta.url));
const REPORT = fileURLToPath(new URL('../../guest/report.sh', import.meta.url));
/** What init and report call, then what orders may need: the network. */
const APPLETS = [
  ...['sh', 'mount', 'mkdir', 'cat', 'echo', 'find', 'cpio', 'sync', 'poweroff', 'sleep', 'od', 'tr', 'printf'],
  ...['ip', 'wget'],
];
/** tpm2-tools is one program under many names. */
const TPM_TOOLS = [
  ...[
    'createek',
    'createak',
    'quote',
    'pcrevent',
    'pcrextend',
    'nvread',
    'readclock',
    'startauthsession',
    'policypcr',
    'flushcontext',
  ],
];
const FOLDERS = ['dev', 'proc', 'sys', 'run', 'tmp'];

/** A root file system that does nothing but report what its boot measured, with a quote by tpm2-tools. */
export function guestRoot(): TreeEntry[] {
  const own = { uid: 0, gid: 0, mtimeSeconds: 0, mode: 0o755 };
  const files = [
    { path: 'bin/busybox', from: '/bin/busybox', mode: 0o755 },
    { path: 'bin/report', from: REPORT, mode: 0o755 },
    ...programWithLibraries('/', '/usr/bin/tpm2', 'bin/tpm2'),
    // Loaded by name while it runs, so no file says that it is needed.
    ...programWithLibraries(
      '/',
      '/usr/lib/x86_64-linux-gnu/libtss2-tcti-device.so.0',
      'lib/x86_64-linux-gnu/libtss2-tcti-device.so.0',
    ),
  ];
  const links = [...APPLETS.map((name) => [name, 'busybox']), ...TPM_TOOLS.map((name) => [`tpm2_${name}`, 'tpm2'])];
  return treeOf(files, [
    ...links.map(
      ([name, target]): TreeEntry => ({ kind: 'symlink', path: `bin/${name}`, target: target as string, ...own }),
    ),
    ...FOLDERS.map((path): TreeEntry => ({ kind: 'directory', path, ...own })),
    // For whoever looks at what happens to data that nothing has read yet.
    ...['unread-1', 'unread-2'].map((name, i): TreeEntry => {
      const content = memorySource(unlikeAnything(i), name);
      return { kind: 'file', path: `share/${name}`, ...own, mode: 0o644, content };
    }),
    { kind: 'file', path: 'sbin/init', ...own, content: memorySource(readFileSync(INIT), 'init') },
  ]);
}

const UNREAD_BYTES = 256 * 1024;

/** Octets that do not compress, and are the same each time. Numerical Recipes' generator. */
function unlikeAnything(seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: UNREAD_BYTES }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}
