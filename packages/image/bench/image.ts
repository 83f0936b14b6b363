// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MemorySink, memorySource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { writeCpio } from '@vouchsafe/disk';
import { openPe } from '@vouchsafe/pe';
import type { Bench, BenchCase } from '@vouchsafe/testing';

const MIB = 1024 * 1024;
/** The launcher, so that what is measured is what a user waits for. */
const VOUCHSAFE = fileURLToPath(new URL('../../../vouchsafe', import.meta.url));
const KEY = fileURLToPath(new URL('../../verity/testdata/signature/test-only.key', import.meta.url));
const CERTIFICATE = fileURLToPath(new URL('../../verity/testdata/signature/test-only.pem', import.meta.url));
const MANIFEST_KEY = fileURLToPath(new URL('../../pki/testdata/keys/ed25519.test-only.key', import.meta.url));
/** Of Debian's systemd-boot-efi. */
const STUB = '/usr/lib/systemd/boot/efi/linuxx64.efi.stub';
/** Debian's kernel for cloud machines, and an initrd that has some modules. */
const KERNEL_MIB = 14;
const INITRD_MIB = 16;
const ROOT_MIB = 300;
/** Octets of a file, about as a small Debian has them on the average. */
const FILE_BYTES = 48 * 1024;
const PEAK_MIB = 300;
/** A build that has nothing to do. */
const WARM_MS = 1000;

/** A whole image from a recipe, beside the field's tools for its parts one after the other. */
export const bench: Bench = {
  name: 'image',
  description:
    'image build of a root of 300 MiB with verity, UKI and manifest, beside mkfs.erofs, veritysetup, objcopy, sbsign, mkfs.vfat and mcopy',
  cases: async ({ dir, isQuick }) => {
    const inputs = writeInputs(dir, isQuick ? 30 : ROOT_MIB);
    // What is as new as a build is not believed to be as it was.
    await setTimeout(500);
    return [buildCase(dir, inputs), warmCase(dir)];
  },
};

const buildCommand = (dir: string, out: string): string[] => [
  VOUCHSAFE,
  'image',
  'build',
  join(dir, 'recipe.yaml'),
  '-o',
  join(dir, out),
];

/** Ours does more than the sum: a manifest, lists of files with their digests, signed policies, a report of sizes. */
function buildCase(dir: string, { rootMib, steps }: Inputs): BenchCase {
  return {
    name: `a root of ${rootMib} MiB`,
    ours: { kind: 'command', label: 'image build', argv: [...buildCommand(dir, 'out'), '--force', '--rebuild'] },
    peer: { kind: 'command', label: 'the field’s steps', argv: ['sh', '-euc', steps] },
    goals: [{ time: 'wallMs', statistic: 'median', atLeast: 1 }, { peakMibAtMost: PEAK_MIB }],
  };
}

function warmCase(dir: string): BenchCase {
  return {
    name: 'nothing has changed',
    // The first run, which is not counted, builds.
    ours: { kind: 'command', label: 'image build', argv: [...buildCommand(dir, 'warm'), '--force'] },
    peer: { kind: 'command', label: 'true', argv: ['true'] },
    goals: [{ time: 'wallMs', statistic: 'median', atMostMoreMs: WARM_MS }],
  };
}

interface Inputs {
  readonly rootMib: number;
  /** A script of the field's tools. */
  readonly steps: string;
}

function writeInputs(dir: string, rootMib: number): Inputs {
  const root = join(dir, 'root');
  const count = Math.ceil((rootMib * MIB) / FILE_BYTES);
  for (let i = 0; i < count; i++) {
    const folder = join(root, 'usr', `part-${Math.floor(i / 100)}`);
    if (i % 100 === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `file-${i}`), pseudoRandom(FILE_BYTES, i + 1));
  }
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc', 'os-release'), 'ID=bench\nVERSION_ID=1\n');
  const kernel = join(dir, 'kernel', 'boot', 'vmlinuz-6.1');
  mkdirSync(join(dir, 'kernel', 'boot'), { recursive: true });
  writeFileSync(kernel, madeKernel());
  writeFileSync(join(dir, 'initrd'), madeInitrd());
  mkdirSync(join(dir, 'keys'));
  for (const name of ['db', 'verity', 'pcr']) {
    copyFileSync(KEY, join(dir, 'keys', `${name}.key`));
    copyFileSync(CERTIFICATE, join(dir, 'keys', `${name}.crt`));
  }
  copyFileSync(MANIFEST_KEY, join(dir, 'keys', 'manifest.key'));
  const recipe = [
    'name: bench',
    'version: 1.0.0',
    'root: { folder: root }',
    'kernel: { folder: kernel }',
    'initrd: { files: initrd }',
    'keys: keys',
    '',
  ];
  writeFileSync(join(dir, 'recipe.yaml'), recipe.join('\n'));
  writeFileSync(join(dir, 'cmdline'), `roothash=${'0'.repeat(64)}`);
  return { rootMib, steps: fieldSteps(dir, kernel) };
}

/** Each tool on its own, and a disk of their outputs; what they wrote is on the device at the end, as ours is. */
function fieldSteps(dir: string, kernel: string): string {
  const at = (name: string): string => `'${join(dir, name)}'`;
  const sections = objcopySections([
    ['.osrel', join(dir, 'root', 'etc', 'os-release'), 4096],
    ['.cmdline', join(dir, 'cmdline'), 4096],
    ['.linux', kernel, (KERNEL_MIB + 1) * MIB],
    ['.initrd', join(dir, 'initrd'), (INITRD_MIB + 1) * MIB],
  ]);
  const espMib = 100;
  return [
    `mkfs.erofs -T0 ${at('f.erofs')} ${at('root')} >/dev/null`,
    `veritysetup format ${at('f.erofs')} ${at('f.verity')} >/dev/null`,
    `objcopy ${sections.join(' ')} ${STUB} ${at('f.unsigned')}`,
    `sbsign --key '${KEY}' --cert '${CERTIFICATE}' --output ${at('f.efi')} ${at('f.unsigned')} 2>/dev/null`,
    `rm -f ${at('f.esp')} && truncate -s ${espMib}M ${at('f.esp')} && mkfs.vfat -F 32 ${at('f.esp')} >/dev/null`,
    `mmd -i ${at('f.esp')} ::EFI ::EFI/BOOT && mcopy -i ${at('f.esp')} ${at('f.efi')} ::EFI/BOOT/BOOTX64.EFI`,
    `cat ${at('f.esp')} ${at('f.erofs')} ${at('f.verity')} >${at('f.raw')}`,
    `sync ${at('f.raw')}`,
  ].join('\n');
}

/** Each on pages of its own behind the stub's. systemd-stub(7). */
function objcopySections(sections: readonly (readonly [name: string, path: string, room: number])[]): string[] {
  using stub = FileSource.open(STUB);
  const { optionalHeader } = openPe(stub);
  let address = Number(optionalHeader.imageBase) + 16 * MIB;
  return sections.flatMap(([name, path, room]) => {
    const vma = `0x${address.toString(16)}`;
    address += room;
    return ['--add-section', `${name}='${path}'`, '--change-section-vma', `${name}=${vma}`];
  });
}

function madeInitrd(): Uint8Array {
  const sink = new MemorySink(2 * INITRD_MIB * MIB, 'initrd');
  const content = memorySource(pseudoRandom(INITRD_MIB * MIB, 3), 'init');
  writeCpio(sink, [{ path: 'init', mode: 0o100755, content }]);
  return sink.bytes();
}

/** A program that a prediction takes for a kernel: as large as Debian's. */
function madeKernel(): Uint8Array {
  const program = fileURLToPath(new URL('../../pe/testdata/made.efi', import.meta.url));
  using source = FileSource.open(program);
  const kernel = pseudoRandom(KERNEL_MIB * MIB, 2);
  source.read(0, kernel.subarray(0, source.size));
  const view = new DataView(kernel.buffer);
  // MajorImageVersion: it takes its initrd by the protocol of EFI. PE format, "Optional Header".
  view.setUint16(view.getUint32(0x3c, true) + 24 + 44, 1, true);
  return kernel;
}

/** A generator of its own, so that runs compare. */
function pseudoRandom(size: number, seed: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(size / 4);
  let state = seed;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[i] = state;
  }
  return new Uint8Array(words.buffer);
}
