// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileSource } from '@vouchsafe/bytes/node';
import type { Bank } from '@vouchsafe/manifest';
import { predictPcr11, predictUki } from '@vouchsafe/measure';
import { openPe } from '@vouchsafe/pe';
import type { Bench, BenchCase } from '@vouchsafe/testing';
import { madePe } from '../test/made-uki.ts';

const MIB = 1024 * 1024;
/** The program as Debian has it: not on PATH. */
const SYSTEMD_MEASURE = '/usr/lib/systemd/systemd-measure';
const ALL_BANKS: readonly Bank[] = ['sha1', 'sha256', 'sha384', 'sha512'];
const CMDLINE = 'root=/dev/vda2 quiet';

/** A kernel of 8 MiB and an initrd of 69 MiB, as files for systemd-measure, and as one UKI with stub 252. */
function makeUki(dir: string, isQuick: boolean): { uki: string; argv: string[] } {
  const linux = pseudoRandom((isQuick ? 1 : 8) * MIB);
  const initrd = pseudoRandom((isQuick ? 8 : 69) * MIB);
  const { source } = madePe([
    ['.sdmagic', '#### LoaderInfo: systemd-stub 252.39 ####\0'],
    ['.cmdline', CMDLINE],
    ['.linux', linux],
    ['.initrd', initrd],
  ]);
  const uki = join(dir, 'uki.efi');
  const chunk = new Uint8Array(MIB);
  const fd = openSync(uki, 'w');
  for (let at = 0; at < source.size; at += MIB) {
    const part = chunk.subarray(0, Math.min(MIB, source.size - at));
    source.read(at, part);
    writeSync(fd, part);
  }
  closeSync(fd);
  const file = (name: string, content: Uint8Array | string): string => {
    writeFileSync(join(dir, name), content);
    return `--${name}=${join(dir, name)}`;
  };
  return { uki, argv: [file('linux', linux), file('initrd', initrd), file('cmdline', CMDLINE)] };
}

/** A generator of its own, so that runs compare; how random it is does not matter to a hash. */
function pseudoRandom(size: number): Uint8Array {
  const words = new Uint32Array(size / 4);
  let state = 1;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[i] = state;
  }
  return new Uint8Array(words.buffer);
}

/** The product's command, asked for what systemd-measure says: PCR 11 alone. */
function pcr11Case(uki: string, argv: readonly string[], banks: readonly Bank[]): BenchCase {
  const name = banks.length === 1 ? `PCR 11 in ${banks[0]}` : `PCR 11 in ${banks.length} banks`;
  const bankOptions = banks.map((bank) => `--bank=${bank}`);
  return {
    name,
    ours: {
      kind: 'command',
      label: 'vouchsafe pcr predict --pcrs 11',
      argv: [VOUCHSAFE, 'pcr', 'predict', uki, '--pcrs', '11', ...bankOptions],
    },
    peer: { kind: 'command', label: 'systemd-measure', argv: [SYSTEMD_MEASURE, 'calculate', ...argv, ...bankOptions] },
    // 1.6 times its time, the start of Node.js among it; CPU, as both have one thread.
    goals: [{ time: 'cpuMs', statistic: 'median', atLeast: 1 / 1.6 }, { peakMibAtMost: 128 }],
  };
}

const VOUCHSAFE = fileURLToPath(new URL('../../../vouchsafe', import.meta.url));

/** The product's command for every PCR that the UKI decides, where systemd-measure predicts PCR 11. */
function predictCase(uki: string, argv: readonly string[]): BenchCase {
  return {
    name: 'every PCR of the UKI, by the command',
    ours: { kind: 'command', label: 'vouchsafe pcr predict', argv: [VOUCHSAFE, 'pcr', 'predict', uki] },
    peer: {
      kind: 'command',
      label: 'systemd-measure, PCR 11',
      argv: [SYSTEMD_MEASURE, 'calculate', ...argv, '--bank=sha256'],
    },
    // By the clock: the file is hashed twice, at the same time where there are two processors.
    goals: [{ time: 'wallMs', statistic: 'median', atLeast: 1 / 1.6 }, { peakMibAtMost: 160 }],
  };
}

/** PCR 11 of a UKI of 77 MiB, and all that starting it extends. */
export const bench: Bench = {
  name: 'measure',
  description: 'PCR 11 of a UKI of 77 MiB, beside systemd-measure calculate',
  cases: ({ dir, isQuick }) => {
    const { uki, argv } = makeUki(dir, isQuick);
    const open = (): FileSource => FileSource.open(uki);
    return [
      pcr11Case(uki, argv, ['sha256']),
      pcr11Case(uki, argv, ALL_BANKS),
      predictCase(uki, argv),
      {
        name: 'PCR 11 in sha256, the function alone',
        ours: {
          kind: 'function',
          label: 'predictPcr11',
          run: () => {
            using source = open();
            return predictPcr11(openPe(source), { banks: ['sha256'] });
          },
        },
      },
      {
        name: 'PCR 4, 9, 11, 12 and 13 in sha256, the function alone',
        ours: {
          kind: 'function',
          label: 'predictUki',
          run: () => {
            using source = open();
            return predictUki(['sha256'], openPe(source), { isSecureBootOn: true });
          },
        },
      },
    ];
  },
};
