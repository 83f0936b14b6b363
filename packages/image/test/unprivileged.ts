// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

/** nobody and nogroup of Debian. */
const NOBODY = 65534;

/** Linux, arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h; include/uapi/linux/audit.h. */
const MACHINES = {
  x64: { audit: 0xc000003e, prctl: 157, clone: 56, denied: [155, 165, 166, 272, 308] },
  arm64: { audit: 0xc00000b7, prctl: 167, clone: 220, denied: [41, 40, 39, 97, 268] },
} as const;
/** open_tree, move_mount, fsopen, fsmount, mount_setattr: the same everywhere. */
const NEW_MOUNT_CALLS = [428, 429, 430, 432, 442];

/**
 * Denies mounts and every new namespace to what it executes, by a filter of system calls (seccomp(2)): pivot_root, mount,
 * umount2, unshare, setns and their successors fail with EPERM, clone with a flag of a namespace too, and clone3, whose flags
 * a filter cannot see, with ENOSYS, so that libraries fall back to clone.
 */
const FILTER = `
my ($audit, $prctl, $clone, $denied, @command) = @ARGV;
my @denied = split(/,/, $denied);
my ($load, $equal, $any, $answer) = (0x20, 0x15, 0x45, 0x06);
# Architecture, then the number; jumps are counted from the next instruction.
my @program = ([$load, 0, 0, 4], [$equal, 1, 0, $audit], [$answer, 0, 0, 0x80000000], [$load, 0, 0, 0]);
for my $i (0 .. $#denied) { push(@program, [$equal, $#denied - $i + 5, 0, $denied[$i]]); }
push(@program, [$equal, 5, 0, 435], [$equal, 0, 2, $clone], [$load, 0, 0, 16], [$any, 1, 0, 0x7e020000]);
push(@program, [$answer, 0, 0, 0x7fff0000], [$answer, 0, 0, 0x00050001], [$answer, 0, 0, 0x00050026]);
my $code = join('', map { pack('S C C L', @$_) } @program);
my $header = pack('S x6 P', scalar(@program), $code);
syscall($prctl + 0, 38, 1, 0, 0, 0) == 0 or die("no_new_privs: $!");
syscall($prctl + 0, 22, 2, $header) == 0 or die("seccomp: $!");
exec { $command[0] } @command or die("exec: $!");
`;

export interface Unprivileged {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command as nobody (as who we are, where that is not root), without any capability or a way to gain one, and with
 * mounts and namespaces denied.
 */
export function runUnprivileged(command: readonly string[], fds: readonly number[] = []): Unprivileged {
  const machine = MACHINES[process.arch as keyof typeof MACHINES];
  if (machine === undefined) throw new Error(`no filter for ${process.arch}`);
  const { audit, prctl, clone, denied } = machine;
  const filtered = [
    'perl',
    '-e',
    FILTER,
    audit,
    prctl,
    clone,
    [...denied, ...NEW_MOUNT_CALLS].join(','),
    ...command,
  ].map(String);
  const isRoot = process.getuid?.() === 0;
  const ids = isRoot ? [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--bounding-set=-all'] : [];
  const result = spawnSync('setpriv', [...ids, '--inh-caps=-all', '--no-new-privs', '--', ...filtered], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe', ...fds],
    cwd: '/',
    env: { PATH: process.env['PATH'] },
  });
  return { status: result.status, stdout: result.stdout, stderr: result.stderr };
}

/**
 * Runs a program of the tests with our own Node.js. Neither need lie where nobody can go: the program is bundled into
 * `folder`, and Node.js is started by a descriptor.
 */
export function runProgramUnprivileged(program: string, folder: string, args: readonly string[]): Unprivileged {
  const bundle = join(folder, 'program.cjs');
  buildSync({
    entryPoints: [program],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    outfile: bundle,
    logLevel: 'error',
    define: { 'import.meta.url': '"file:///"' },
  });
  chmodSync(bundle, 0o644);
  const node = openSync(process.execPath, 'r');
  try {
    return runUnprivileged(['/proc/self/fd/3', bundle, ...args], [node]);
  } finally {
    closeSync(node);
  }
}

/** A folder that belongs to who `runUnprivileged` runs as. */
export function ownFolder(path: string): string {
  mkdirSync(path, { recursive: true });
  if (process.getuid?.() === 0) chownSync(path, NOBODY, NOBODY);
  return path;
}
