// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileSource } from '@vouchsafe/bytes/node';
import { listErofs, openErofs } from '@vouchsafe/disk';
import type { Bench, BenchCase, BenchGoal } from '@vouchsafe/testing';
import { build } from 'esbuild';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** Kept between runs: half a minute of downloads and package scripts. */
const CACHE = here('../../../.cache/bench');
/** More than 300 MB and 10,000 files. */
const PACKAGES = 'python3,perl,locales,git,gcc,libpython3.11-dev';

function debianRoot(): string {
  const root = join(CACHE, 'debian-root');
  if (existsSync(root)) return root;
  mkdirSync(CACHE, { recursive: true });
  const draft = `${root}.draft`;
  rmSync(draft, { recursive: true, force: true });
  execFileSync('mmdebstrap', ['--quiet', '--variant=apt', `--include=${PACKAGES}`, 'bookworm', draft]);
  renameSync(draft, root);
  return root;
}

/** As the product's command is made: reading the sources one by one would take longer than some of the work. */
async function bundled(dir: string): Promise<string> {
  const options = {
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minifyWhitespace: true,
    define: { 'import.meta.url': 'moduleUrl' },
    banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
  } as const;
  const command = join(dir, 'erofs.cjs');
  await build({ ...options, entryPoints: [here('erofs-command.ts')], outfile: command });
  // Under the name by which the other thread is started; what is in it is JavaScript.
  const outfile = join(dir, 'compression-worker.ts');
  await build({ ...options, entryPoints: [here('../src/node/compression-worker.ts')], outfile });
  return command;
}

/** EROFS images of a real root, beside mkfs.erofs. */
export const bench: Bench = {
  name: 'erofs',
  description: 'EROFS images of a Debian root of 500 MB and 13,500 files, beside mkfs.erofs',
  cases: async ({ dir, isQuick }) => {
    const root = isQuick ? join(debianRoot(), 'usr/lib/python3.11') : debianRoot();
    const command = await bundled(dir);
    const ours = (name: string, compression: string, threads: number) => ({
      kind: 'command' as const,
      label: 'vouchsafe',
      // The launcher's flag for what makes images.
      argv: [
        process.execPath,
        '--max-semi-space-size=4',
        command,
        root,
        join(dir, `ours-${name}`),
        compression,
        `${threads}`,
      ],
    });
    const peer = (...options: string[]) => ({
      kind: 'command' as const,
      label: 'mkfs.erofs',
      argv: ['mkfs.erofs', '--quiet', ...options, join(dir, 'theirs'), root],
    });
    const goals = (time: 'cpuMs' | 'wallMs', atLeast: number): BenchGoal[] => [
      { time, statistic: 'median', atLeast },
      { peakMibAtMost: 200 },
    ];
    const image = join(dir, 'listed');
    execFileSync('mkfs.erofs', ['--quiet', image, root]);
    return [
      { name: 'without compression', ours: ours('plain', 'none', 1), peer: peer(), goals: goals('cpuMs', 1) },
      { name: 'LZ4, one thread', ours: ours('lz4', 'lz4', 1), peer: peer('-zlz4'), goals: goals('cpuMs', 0.5) },
      { name: 'LZ4, two threads', ours: ours('lz4-2', 'lz4', 2), peer: peer('-zlz4'), goals: goals('wallMs', 0.9) },
      listCase(image),
    ];
  },
};

function listCase(path: string): BenchCase {
  return {
    name: 'list an image of mkfs.erofs, 13,500 files',
    ours: {
      kind: 'function',
      label: 'listErofs',
      run: () => {
        using source = FileSource.open(path);
        let count = 0;
        for (const _ of listErofs(openErofs(source))) count++;
        return count;
      },
    },
  };
}
