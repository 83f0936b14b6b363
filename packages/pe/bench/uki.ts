// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { FileSource, OutputFile } from '@vouchsafe/bytes/node';
import { randomBytes } from '@vouchsafe/crypto/signing';
import { appendSections, buildUki, openPe, signPe } from '@vouchsafe/pe';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import { type Bench, type BenchCase, type BenchGoal, type BenchSide, needsTool } from '@vouchsafe/testing';
import { madeBytes } from '../test/made-pe.ts';
import { objcopyArguments, type UkiInputs } from './objcopy.ts';

const MIB = 1024 * 1024;
/** The launcher, so that what is measured is what a user waits for. */
const VOUCHSAFE = fileURLToPath(new URL('../../../vouchsafe', import.meta.url));
const KEY = fileURLToPath(new URL('../testdata/keys/signer.test-only.key', import.meta.url));
const CERTIFICATE = fileURLToPath(new URL('../testdata/signer.pem', import.meta.url));
/** Of Debian's systemd-boot-efi. */
const STUB = '/usr/lib/systemd/boot/efi/linuxx64.efi.stub';
/** Debian's kernel for cloud machines has 14 MB, the other one 8. */
const KERNEL_MIB = 14;
const INITRD_MIB = 60;
/** ukify takes 245 MiB for the same image; a third of it is what we may. */
const PEAK_MIB = 80;

/** Unified kernel images of a real size, beside ukify where it is, else beside objcopy and sbsign. */
export const bench: Bench = {
  name: 'uki',
  description:
    'unified kernel images: build, sign, verify, inspect, beside ukify (or objcopy with sbsign) and sbverify',
  cases: async ({ dir, isQuick }) => {
    const inputs = await writeInputs(dir, isQuick ? 8 : INITRD_MIB);
    const image = join(dir, 'image.efi');
    await writeSigned(inputs, image);
    return [...buildCases(dir, inputs), verifyCase(image), inspectCase(dir, image)];
  },
};

function buildCases(dir: string, inputs: UkiInputs): BenchCase[] {
  const { stub, linux, initrd, cmdline, osrel } = inputs;
  const contents = [
    '--stub',
    stub,
    '--linux',
    linux,
    '--initrd',
    initrd,
    '--cmdline',
    `@${cmdline}`,
    '--os-release',
    `@${osrel}`,
  ];
  const keys = ['--secureboot-private-key', KEY, '--secureboot-certificate', CERTIFICATE];
  const [ours, theirs] = [join(dir, 'ours.efi'), join(dir, 'theirs.efi')];
  const build = (label: string, more: string[]): BenchSide => ({
    kind: 'command',
    label,
    argv: [VOUCHSAFE, 'uki', 'build', ...contents, ...more, '--output', ours, '--force'],
  });
  const memory: BenchGoal = { peakMibAtMost: PEAK_MIB };
  if (needsTool('ukify').skip === undefined) {
    const ukify = ['ukify', 'build', ...contents, '--output', theirs];
    const atLeast = (ratio: number): BenchGoal => ({ time: 'wallMs', statistic: 'median', atLeast: ratio });
    return [
      {
        name: 'build, unsigned',
        ours: build('vouchsafe', []),
        peer: { kind: 'command', label: 'ukify', argv: ukify },
        goals: [atLeast(4), memory],
      },
      {
        name: 'build, signed',
        ours: build('vouchsafe', keys),
        peer: { kind: 'command', label: 'ukify', argv: [...ukify, ...keys] },
        goals: [atLeast(3), memory],
      },
    ];
  }
  const unsigned = ['objcopy', ...objcopyArguments(inputs), stub, theirs];
  // One process more than needed: what is compared is the two tools one after the other.
  const both = 'objcopy "$@" && sbsign --key "$KEY" --cert "$CERT" --output "$OUT" "$OUT" 2>/dev/null';
  const environment = ['env', `KEY=${KEY}`, `CERT=${CERTIFICATE}`, `OUT=${theirs}`];
  return [
    {
      name: 'build, unsigned (no ukify here)',
      ours: build('vouchsafe', []),
      peer: { kind: 'command', label: 'objcopy', argv: unsigned },
      goals: [memory],
    },
    {
      name: 'build, signed (no ukify here)',
      ours: build('vouchsafe', keys),
      peer: {
        kind: 'command',
        label: 'objcopy + sbsign',
        argv: [...environment, 'sh', '-c', both, 'sh', ...unsigned.slice(1)],
      },
      goals: [memory],
    },
  ];
}

function verifyCase(image: string): BenchCase {
  return {
    name: 'verify',
    ours: { kind: 'command', label: 'vouchsafe', argv: [VOUCHSAFE, 'uki', 'verify', image, '--db', CERTIFICATE] },
    peer: { kind: 'command', label: 'sbverify', argv: ['sbverify', '--cert', CERTIFICATE, image] },
    goals: [{ time: 'wallMs', statistic: 'median', atLeast: 1 / 1.2 }],
  };
}

function inspectCase(dir: string, image: string): BenchCase {
  const empty = join(dir, 'empty.cjs');
  writeFileSync(empty, '');
  return {
    name: 'inspect, beside the start of Node.js with an empty file',
    ours: { kind: 'command', label: 'vouchsafe', argv: [VOUCHSAFE, 'uki', 'inspect', image] },
    peer: { kind: 'command', label: 'node', argv: [process.execPath, empty] },
    goals: [{ time: 'wallMs', statistic: 'median', atMostMoreMs: 30 }],
  };
}

/** Files of a real image's sizes; random, so that nothing on the way can make them smaller. */
async function writeInputs(dir: string, initrdMib: number): Promise<UkiInputs> {
  const inputs = {
    stub: existsSync(STUB) ? STUB : join(dir, 'stub.efi'),
    linux: join(dir, 'linux.efi'),
    initrd: join(dir, 'initrd'),
    cmdline: join(dir, 'cmdline'),
    osrel: join(dir, 'os-release'),
  };
  const sbat = 'sbat,1,SBAT Version,sbat,1,https://example.org/\n';
  if (!existsSync(STUB)) writeFileSync(inputs.stub, madeBytes({ sbat }));
  const kernel = openPe(memorySource(madeBytes({ sbat }), 'kernel'));
  using output = OutputFile.create(inputs.linux);
  await appendSections(kernel, [{ name: '.data', content: memorySource(randomMib(KERNEL_MIB)) }], output);
  output.commit();
  writeFileSync(inputs.initrd, randomMib(initrdMib));
  writeFileSync(inputs.cmdline, `quiet roothash=${'ab'.repeat(32)}`);
  writeFileSync(inputs.osrel, 'ID=bench\nVERSION_ID=1\n');
  return inputs;
}

function randomMib(mib: number): Uint8Array {
  const bytes = new Uint8Array(mib * MIB);
  for (let at = 0; at < bytes.length; at += 65_536) bytes.set(randomBytes(65_536), at);
  return bytes;
}

/** The image that is verified and inspected. */
async function writeSigned({ stub, linux, initrd, cmdline, osrel }: UkiInputs, path: string): Promise<void> {
  using kernel = FileSource.open(linux);
  using ramdisk = FileSource.open(initrd);
  const contents = {
    linux: kernel,
    initrds: [ramdisk],
    cmdline: Uint8Array.from(readFileSync(cmdline)),
    osrel: Uint8Array.from(readFileSync(osrel)),
    uname: utf8('6.1.0'),
  };
  const unsignedPath = `${path}.unsigned`;
  using unsigned = OutputFile.create(unsignedPath);
  await buildUki(openPe(memorySource(Uint8Array.from(readFileSync(stub)), 'stub')), contents, unsigned);
  unsigned.commit();
  const signer = await openKeyFileSigner({ keyPath: KEY, certificatePath: CERTIFICATE });
  using source = FileSource.open(unsignedPath);
  using signed = OutputFile.create(path);
  await signPe(openPe(source), signed, { signer });
  signed.commit();
}
