// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Linux gives times of /proc in hundredths of a second: proc_pid_stat(5), sysconf(_SC_CLK_TCK). */
const TICK_MS = 10;

/**
 * CPU time of a PostgreSQL of this machine and of its processes, those that have ended included.
 * @param databaseUrl with the folder of its socket, which is its data's here
 */
export function postgresCpuMs(databaseUrl: string): number {
  const data = new URL(databaseUrl).searchParams.get('host') ?? '';
  const [postmaster = ''] = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
  let ticks = 0;
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const fields = statOf(pid);
    const isIts = pid === postmaster || fields?.[1] === postmaster;
    if (fields === undefined || !isIts) continue;
    // From the state on: ppid is the second, utime, stime, cutime and cstime are the twelfth to the fifteenth.
    const own = Number(fields[11]) + Number(fields[12]);
    ticks += pid === postmaster ? own + Number(fields[13]) + Number(fields[14]) : own;
  }
  return ticks * TICK_MS;
}

/** The fields behind the program's name, which may have spaces. */
function statOf(pid: string): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}
