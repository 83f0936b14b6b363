// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { parseUtf8 } from '@vouchsafe/base';
import { DiskError } from '../error.ts';
import type { Xattr } from '../tree/file-tree.ts';

/** Numbers of llistxattr(2) and lgetxattr(2). Linux, arch/x86/entry/syscalls/syscall_64.tbl; include/uapi/asm-generic/unistd.h. */
const SYSTEM_CALLS: Readonly<Record<string, readonly [list: number, get: number]>> = {
  x64: [195, 192],
  arm64: [12, 9],
  riscv64: [12, 9],
  loong64: [12, 9],
};

/** All attributes of one tree. */
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
const TIMEOUT_MS = 10 * 60_000;

/**
 * Node.js cannot read extended attributes; Perl, which is part of every Debian and Fedora base system, can make the system
 * calls. Reads paths that end with NULs; writes for each the count of its attributes, then name and value of each with its
 * length before it, in big-endian numbers of 32 bits. 95 is EOPNOTSUPP, 61 ENODATA; XATTR_LIST_MAX and XATTR_SIZE_MAX are 65536.
 */
const SCRIPT = `
my ($list, $get) = ($ARGV[0] + 0, $ARGV[1] + 0);
binmode(STDIN); binmode(STDOUT); $/ = "\\0";
sub fail { print STDERR "$_[0]\\0$!"; exit 1; }
while (defined(my $path = <STDIN>)) {
  chomp($path);
  my $names = "\\0" x 65536;
  my $n = syscall($list, $path, $names, 65536);
  if ($n < 0) { fail($path) unless $! == 95; $n = 0; }
  my @names = split(/\\0/, substr($names, 0, $n));
  my @found;
  for my $name (@names) {
    my $value = "\\0" x 65536;
    my $m = syscall($get, $path, $name, $value, 65536);
    if ($m < 0) { next if $! == 61; fail($path); }
    push(@found, pack('N/a* N/a*', $name, substr($value, 0, $m)));
  }
  print(pack('N', scalar(@found)), @found) or exit 1;
}
close(STDOUT) or exit 1;
`;

/**
 * The extended attributes of files, links not being followed. Other systems than Linux have none that a root file system
 * for Linux would want.
 * @throws {DiskError} 'xattrs_unreadable'
 */
export function readXattrs(paths: readonly string[]): Xattr[][] {
  if (process.platform !== 'linux') return paths.map(() => []);
  const numbers = SYSTEM_CALLS[process.arch];
  if (numbers === undefined) throw unreadable(`this machine's kind, ${process.arch}, is not known`);
  const perl = spawnSync('perl', ['-e', SCRIPT, ...numbers.map(String)], {
    input: Buffer.from(`${paths.join('\0')}\0`),
    // Nothing of PERL5OPT or PERL5LIB: they could change what the script does.
    env: { PATH: process.env['PATH'] },
    maxBuffer: MAX_OUTPUT_BYTES,
    timeout: TIMEOUT_MS,
  });
  if (perl.error !== undefined) throw unreadable(`perl could not be run: ${perl.error.message}`, perl.error);
  if (perl.status !== 0) throw unreadable(perl.stderr.toString().replace('\0', ': ').trim() || 'perl failed');
  return parseAnswer(perl.stdout, paths.length);
}

function parseAnswer(answer: Buffer, count: number): Xattr[][] {
  let at = 0;
  const number = (): number => {
    if (at + 4 > answer.length) throw unreadable('perl said less than it was asked');
    at += 4;
    return answer.readUInt32BE(at - 4);
  };
  const octets = (): Uint8Array => {
    const length = number();
    if (at + length > answer.length) throw unreadable('perl said less than it was asked');
    at += length;
    return new Uint8Array(answer.subarray(at - length, at));
  };
  return Array.from({ length: count }, () => {
    const xattrs = Array.from({ length: number() }, (): Xattr => ({ name: parseUtf8(octets()), value: octets() }));
    return xattrs.sort((a, b) => (a.name < b.name ? -1 : 1));
  });
}

function unreadable(problem: string, cause?: unknown): DiskError {
  return new DiskError(
    'xattrs_unreadable',
    `extended attributes: ${problem}; give the tree as a tar archive made with --xattrs, or say that they are to be ignored`,
    { cause },
  );
}
