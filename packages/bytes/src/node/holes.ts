// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import type { Extent } from '../source.ts';

const MAX_EXTENTS = 1_000_000;

/**
 * lseek(2) with SEEK_DATA (3) and SEEK_HOLE (4), which Node.js does not offer; Perl is part of every Debian, Fedora and
 * macOS base system. Prints start and end of each data extent.
 */
const SCRIPT = `
open(my $f, '<:raw', $ARGV[0]) or exit 1;
my ($p, $n) = (0, 0);
while (defined(my $d = sysseek($f, $p, 3))) {
  my $h = sysseek($f, $d, 4);
  exit 1 unless defined $h;
  printf("%d %d\\n", $d, $h);
  exit 1 if ++$n > ${MAX_EXTENTS};
  $p = $h;
}
exit($!{ENXIO} ? 0 : 1);
`;

/** Where a sparse file holds data; undefined when this host cannot say, and then all of it counts as data. */
export function findDataExtents(path: string, size: number): readonly Extent[] | undefined {
  const perl = spawnSync('perl', ['-MErrno', '-e', SCRIPT, '--', path], {
    encoding: 'utf8',
    maxBuffer: 40 * MAX_EXTENTS,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (perl.status !== 0) return undefined;
  const extents: Extent[] = [];
  let from = 0;
  for (const line of perl.stdout.split('\n')) {
    if (line === '') continue;
    const [start, end] = line.split(' ').map(Number) as [number, number];
    // Believe nothing that is not in order: a wrong map would hash data as zeros.
    if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= from && end > start)) return undefined;
    if (start < size) extents.push({ start, end: Math.min(end, size) });
    from = end;
  }
  return extents;
}
