// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench } from '@vouchsafe/testing';
import { buildSync } from 'esbuild';

const MIB = 1024 * 1024;

/** Whole disk images from a root file system that is ready, beside the field's steps to the same octets. */
export const bench: Bench = {
  name: 'disk',
  description: 'a whole disk image with verity from a prepared root, beside cp and veritysetup of the same octets',
  cases: ({ dir, isQuick }) => {
    const sizeMib = isQuick ? 64 : 512;
    const root = join(dir, 'root');
    writeUneven(root, sizeMib * MIB);
    const program = bundled('whole-disk-command.ts', join(dir, 'whole-disk.cjs'));
    // Threads look for their program beside the one that starts them.
    bundled('../../verity/src/node/leaf-worker.ts', join(dir, 'leaf-worker.ts'));
    // Both end with what they wrote on the device.
    const steps = 'cp "$1" "$2" && sync "$2" && exec veritysetup format "$1" "$2.hash" --salt "$3"';
    const salt = '9e7457222290f1bac0d42ad2de2d602a87bb871c22ab70ca040bad450578a436';
    return [
      {
        name: `whole disk with verity, a root of ${sizeMib} MiB`,
        ours: { kind: 'command', label: 'vouchsafe', argv: [process.execPath, program, root, join(dir, 'ours')] },
        peer: {
          kind: 'command',
          label: 'cp, veritysetup',
          argv: ['sh', '-c', steps, 'sh', root, join(dir, 'theirs'), salt],
        },
        goals: [{ time: 'wallMs', statistic: 'median', atLeast: 0.77 }, { peakMibAtMost: 200 }],
      },
    ];
  },
};

/** As the command is installed: in one file, or finding and compiling hundreds would be measured. */
function bundled(source: string, outfile: string): string {
  buildSync({
    entryPoints: [fileURLToPath(new URL(source, import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    outfile,
    logLevel: 'error',
    define: { 'import.meta.url': 'OWN_ADDRESS' },
    banner: { js: "const OWN_ADDRESS = require('node:url').pathToFileURL(__filename).href;" },
  });
  return outfile;
}

/** Octets that no host finds to be holes. */
function writeUneven(path: string, size: number): void {
  const words = new Uint32Array((16 * MIB) / 4);
  const fd = openSync(path, 'w');
  let state = 1;
  for (let at = 0; at < size; at += words.byteLength) {
    for (let i = 0; i < words.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      words[i] = state;
    }
    writeSync(fd, words, 0, Math.min(words.byteLength, size - at));
  }
  closeSync(fd);
}
