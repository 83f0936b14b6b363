// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@vouchsafe/testing';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What setup.sh and the launcher may use of the system; npm, apt-get and the like are fakes that write down calls. */
const SYSTEM_COMMANDS = 'sh cat cksum uname mkdir mv rm ln readlink sed touch sleep'.split(' ');

export interface FakeCheckout {
  readonly root: string;
  /** The folder that is the whole PATH. */
  readonly bin: string;
  /** A shell script on PATH; each call also adds a line to calls(). */
  fake(command: string, body?: string): void;
  write(path: string, text: string): void;
  /** What was called, with arguments, since the last time. */
  calls(): string[];
  run(file: string, args?: readonly string[], options?: { cwd?: string }): Promise<Ended>;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A small checkout with the real launcher and setup.sh, where root is whoever `id` says. */
export function fakeCheckout(t: TestContext, user: 'root' | 'user' = 'root'): FakeCheckout {
  const base = tempDir(t);
  const root = join(base, 'a checkout');
  const bin = join(base, 'bin');
  const log = join(base, 'calls');
  mkdirSync(bin);
  for (const command of SYSTEM_COMMANDS) {
    const path = ['/bin', '/usr/bin'].map((folder) => join(folder, command)).find(existsSync);
    if (path !== undefined) symlinkSync(path, join(bin, command));
  }
  const checkout: FakeCheckout = {
    root,
    bin,
    fake(command, body = '') {
      const script = `#!/bin/sh\nprintf '%s\\n' "${command} $*" >>'${log}'\n${body}\n`;
      writeFileSync(join(bin, command), script);
      chmodSync(join(bin, command), 0o755);
    },
    write(path, text) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    },
    calls() {
      const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : [];
      writeFileSync(log, '');
      return lines;
    },
    run: (file, args = [], { cwd = root } = {}) => runProcess(file, args, cwd, bin),
  };
  checkout.write('package.json', '{ "type": "module" }\n');
  checkout.write('package-lock.json', '{}\n');
  checkout.write('packages/one/package.json', '{}\n');
  checkout.write('tools/debian-packages.txt', '# the list\nhave-it  have  # a\nlack-it  lack-it-tool  # b\n');
  for (const file of ['vouchsafe', 'tools/setup.sh']) cpSync(join(ROOT, file), join(root, file));
  checkout.fake('id', user === 'root' ? 'echo 0' : 'echo 1000');
  checkout.fake('npm', `mkdir -p node_modules/.bin && ln -sf '${process.execPath}' node_modules/.bin/node`);
  checkout.fake('apt-get');
  checkout.fake('dpkg-query', 'case $4 in have-it) printf installed ;; *) exit 1 ;; esac');
  return checkout;
}

function runProcess(file: string, args: readonly string[], cwd: string, path: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env: { PATH: path }, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
