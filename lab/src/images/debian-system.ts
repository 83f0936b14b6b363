// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LabError } from '../error.ts';

const CACHE = fileURLToPath(new URL('../../../.cache/lab/', import.meta.url));
const guestFile = (name: string): string => fileURLToPath(new URL(`../../guest/${name}`, import.meta.url));

/** systemd, and what it needs to measure its phases; then what the report needs. */
const PACKAGES = [
  ...['systemd-sysv', 'libtss2-esys-3.0.2-0', 'libtss2-mu0', 'libtss2-rc0', 'libtss2-tcti-device0'],
  ...['tpm2-tools', 'cpio', 'busybox-static'],
];
/** What no boot reads. */
const LEFT_OUT = ['doc', 'man', 'locale', 'info', 'lintian', 'bug'].map((name) => `/usr/share/${name}/*`);

/**
 * A Debian system (bookworm, essential packages) with systemd, as mmdebstrap makes it: a tar archive in the checkout's cache,
 * made at its first use.
 * @throws {LabError} 'tool_failed' without a mirror, or where mmdebstrap may not make one.
 */
export function debianSystem(): string {
  const path = join(CACHE, 'debian-systemd.tar');
  if (existsSync(path)) return path;
  mkdirSync(CACHE, { recursive: true });
  const draft = join(CACHE, `draft-${process.pid}.tar`);
  const options = [
    ...['--variant=essential', '--quiet', `--include=${PACKAGES.join(',')}`],
    '--aptopt=APT::Install-Recommends "false"',
    ...LEFT_OUT.map((pattern) => `--dpkgopt=path-exclude=${pattern}`),
  ];
  try {
    execFileSync('mmdebstrap', [...options, 'bookworm', draft], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    renameSync(draft, path);
    return path;
  } catch (cause) {
    const { stderr = '' } = cause as { readonly stderr?: string };
    const said = stderr.trim().split('\n').at(-1) ?? '';
    throw new LabError('tool_failed', `mmdebstrap made no Debian system: ${said}`, { cause });
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Units that wait for what the guest does not have: a terminal that somebody sits at, and udev. */
const MASKED = ['serial-getty@ttyS0.service', 'getty@tty1.service', 'console-getty.service'];

/**
 * What lies over a Debian system so that it boots read-only, reports, and ends: as a folder.
 * @returns the folder.
 */
export function writeSystemOverlay(folder: string): string {
  const file = (path: string, content: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
  const link = (path: string, target: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    symlinkSync(target, join(folder, path));
  };
  // Empty, so that systemd makes one in memory for each boot. machine-id(5).
  file('etc/machine-id', '');
  file('etc/hostname', 'lab\n');
  for (const unit of MASKED) link(`etc/systemd/system/${unit}`, '/dev/null');
  link('etc/systemd/system/default.target', '/lib/systemd/system/multi-user.target');
  link('etc/systemd/system/multi-user.target.wants/report.service', '/etc/systemd/system/report.service');
  return folder;
}

/** `root:` of a recipe for that system. */
export function systemRoot(overlay: string): string {
  const layers = [
    `{ tar: ${debianSystem()} }`,
    `{ folder: ${overlay} }`,
    `{ file: ${guestFile('report.sh')}, at: /usr/bin/report, mode: 0755 }`,
    `{ file: ${guestFile('report.service')}, at: /etc/systemd/system/report.service }`,
  ];
  return `{ layers: [${layers.join(', ')}] }`;
}
