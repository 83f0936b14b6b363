// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import type { Extent } from '../source.ts';

/** More would take longer to list and to keep than reading their holes. */
const MAX_EXTENTS = 50_000;
/** Holes shorter than this are read like data: it costs less than knowing of them. */
const MIN_HOLE_BYTES = 256 * 1024;
const TIMEOUT_MS = 60_000;
/** Two numbers of up to 16 digits, a space and a line feed. */
const MAX_LINE_BYTES = 40;

/**
 * lseek(2) with SEEK_DATA (3) and SEEK_HOLE (4), which Node.js does not offer; Perl is part of every Debian, Fedora and
 * macOS base system. Prints start and end of each run of data, and `end` when it has seen all. The file is its
 * descriptor 3, so that it is the one which is open here, whatever has become of its name.
 */
const SCRIPT = `
open(my $f, '<&=', 3) or exit 1;
my ($p, $n, $from, $to) = (0, 0);
sub put { printf("%d %d\\n", $from, $to) if defined $from; exit 1 if ++$n > ${MAX_EXTENTS}; }
while (defined(my $d = sysseek($f, $p, 3))) {
  $p = sysseek($f, $d, 4);
  exit 1 unless defined $p && $p > $d;
  if (defined $from && $d - $to < ${MIN_HOLE_BYTES}) { $to = $p; next; }
  put() if defined $from;
  ($from, $to) = ($d + 0, $p);
}
exit 1 unless $!{ENXIO};
put();
print("end\\n");
close(STDOUT) or exit 1;
`;

/** Where a sparse file holds data; undefined when this host cannot say, and then all of it counts as data. */
export function findDataExtents(fd: number, size: number): readonly Extent[] | undefined {
  const perl = spawnSync('perl', ['-MErrno', '-e', SCRIPT], {
    encoding: 'latin1',
    // Nothing of PERL5OPT or PERL5LIB: they could change what the script does.
    env: { PATH: process.env['PATH'] },
    maxBuffer: MAX_LINE_BYTES * MAX_EXTENTS,
    stdio: ['ignore', 'pipe', 'ignore', fd],
    timeout: TIMEOUT_MS,
  });
  return perl.status === 0 ? parseExtents(perl.stdout, size) : undefined;
}

/**
 * Extents from lines of start and end, the last line being `end`; internal. Believes nothing that is not in order, as a
 * wrong map would hash data as zeros.
 */
export function parseExtents(text: string, size: number): readonly Extent[] | undefined {
  const lines = text.split('\n');
  if (lines.pop() !== '' || lines.pop() !== 'end') return undefined;
  const extents: Extent[] = [];
  let from = 0;
  for (const line of lines) {
    const match = /^(\d{1,16}) (\d{1,16})$/.exec(line);
    const [start, end] = [Number(match?.[1]), Number(match?.[2])];
    if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= from && end > start)) return undefined;
    if (start < size) extents.push({ start, end: Math.min(end, size) });
    from = end;
  }
  return extents;
}
