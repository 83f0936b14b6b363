// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '@vouchsafe/base';
import { type KernelParameter, parseKernelCommandLine } from './kernel-command-line.ts';

export type CommandLineFindingCode =
  | 'cmdline_unsafe' // a parameter that lets somebody at the machine in
  | 'cmdline_unprotected'; // nothing that ties the image to a file system that it verifies

/** A parameter that undoes what was verified, and what it does. */
interface Risk {
  /** Names of parameters, as the kernel, systemd, dracut and initramfs-tools read them. */
  readonly names: readonly string[];
  /** Values that make it one; any but a plain "no" when left out. */
  readonly values?: RegExp;
  readonly reason: string;
}

const NO = /^(?:0|n|no|f|false|off)$/i;

/**
 * Parameters with which whoever can use the console, or write to a disk that is not verified, takes over the system.
 * Sources: Linux, Documentation/admin-guide/kernel-parameters.txt; systemd, kernel-command-line(7), systemd(1),
 * systemd-debug-generator(8), systemd.system-credentials(7), systemd-veritysetup-generator(8); dracut.cmdline(7); initramfs-tools(7).
 */
const RISKS: readonly Risk[] = [
  { names: ['init', 'rdinit'], values: /./, reason: 'runs another program than the system manager first' },
  { names: ['rd.break', 'break', 'rd.shell'], reason: 'opens a root shell in the initrd' },
  {
    names: ['initrd.shell', 'rd.emergency'],
    values: /^(?!.*(?:reboot|poweroff|halt)).*$/,
    reason: 'opens a root shell in the initrd',
  },
  {
    names: ['systemd.debug-shell', 'systemd.debug_shell', 'rd.systemd.debug-shell', 'rd.systemd.debug_shell'],
    reason: 'opens a root shell without a password on a terminal',
  },
  {
    names: ['systemd.default_debug_tty'],
    reason: 'names the terminal of the debug shell, which should not be there',
  },
  {
    names: ['single', 's', 'S', '1', 'rescue', 'emergency', '-s', '-b', 'rd.rescue'],
    reason: 'starts into a maintenance shell',
  },
  {
    names: ['systemd.unit', 'rd.systemd.unit'],
    values: /(?:rescue|emergency|debug)/,
    reason: 'starts into a maintenance shell',
  },
  {
    names: ['SYSTEMD_SULOGIN_FORCE'],
    reason: 'opens the maintenance shell without a password',
  },
  {
    names: ['systemd.setenv'],
    values: /^SYSTEMD_SULOGIN_FORCE=/,
    reason: 'opens the maintenance shell without a password',
  },
  {
    names: ['systemd.run', 'systemd.wants', 'rd.systemd.wants', 'systemd.mask', 'rd.systemd.mask'],
    reason: 'changes what is started',
  },
  {
    names: ['systemd.set_credential', 'systemd.set_credential_binary'],
    values: /^(?:passwd\.|ssh\.|shell\.|firstboot\.|sysusers\.|tmpfiles\.|systemd\.extra-unit|systemd\.unit-dropin)/,
    reason: 'sets a password, a key or a unit; everyone can read the command line',
  },
  { names: ['initrd'], values: /./, reason: 'makes the kernel load another initrd, which nothing verifies' },
  {
    names: ['systemd.verity', 'rd.systemd.verity', 'rd.veritytab', 'veritytab'],
    values: NO,
    reason: 'turns verification of file systems off',
  },
  {
    names: [
      'module.sig_enforce',
      'dm_verity.require_signatures',
      'enforcing',
      'selinux',
      'apparmor',
      'iommu',
      'intel_iommu',
      'amd_iommu',
    ],
    values: NO,
    reason: 'turns a protection of the kernel off',
  },
  { names: ['ima_appraise'], values: /^(?:off|log|fix)$/, reason: 'turns a protection of the kernel off' },
  { names: ['kgdboc', 'kgdbwait', 'sysrq_always_enabled'], reason: 'lets whoever is at the console into the kernel' },
];

/**
 * What ties the image to a file system: a root hash, a device-mapper table with verity, or a signature that systemd asks
 * for. systemd, systemd-veritysetup-generator(8); Linux, Documentation/admin-guide/device-mapper/dm-init.rst.
 */
const PROTECTIONS: readonly { readonly name: string; readonly value: RegExp }[] = [
  { name: 'roothash', value: /^[0-9a-fA-F]{32,}$/ },
  { name: 'usrhash', value: /^[0-9a-fA-F]{32,}$/ },
  { name: 'dm-mod.create', value: /\bverity\b/ },
  { name: 'systemd.image_policy', value: /\b(?:root|usr)=(?:verity|signed)(?:\+(?:verity|signed))*(?::|$)/ },
];

/** Parameters in one command line that are told; the kernel takes 2048 or 4096 characters. */
const MAX_FINDINGS = 64;

/**
 * What a command line allows that an attacker would want: warnings, as the image boots all the same.
 * @param path the section, for the findings' place.
 * @param options.isAddon an addon adds to a command line, so it need not hold the root hash.
 */
export function checkCommandLine(
  text: string,
  artefact: string,
  path: string,
  options: { readonly isAddon?: boolean } = {},
): Finding<CommandLineFindingCode>[] {
  const parameters = parseKernelCommandLine(text);
  const findings = parameters.flatMap((parameter): Finding<CommandLineFindingCode>[] => {
    const risk = RISKS.find((candidate) => isRisk(candidate, parameter));
    if (risk === undefined) return [];
    const hint = `${formatName(parameter)} ${risk.reason}; leave it out of what is signed`;
    const where = { artefact, path, offset: parameter.offset };
    return [{ code: 'cmdline_unsafe', severity: 'warning', where, actual: formatName(parameter), hint }];
  });
  const shown = findings.slice(0, MAX_FINDINGS);
  if (options.isAddon !== true && !parameters.some(isProtection)) {
    shown.push({
      code: 'cmdline_unprotected',
      severity: 'warning',
      where: { artefact, path },
      expected: 'roothash=, usrhash= or another root of verification',
      actual: 'none',
      hint: 'whoever can write to the disk can change the system; put the root hash of dm-verity on the command line, unless all of the system is in the initrd',
    });
  }
  return shown;
}

function isRisk({ names, values }: Risk, { name, value }: KernelParameter): boolean {
  if (!names.some((candidate) => isSameName(candidate, name))) return false;
  if (values !== undefined) return values.test(value ?? '');
  return value === undefined || !NO.test(value);
}

/** The kernel and systemd take '-' and '_' in a name for the same. */
function isSameName(a: string, b: string): boolean {
  return a === b || a.replaceAll('-', '_') === b.replaceAll('-', '_');
}

function isProtection({ name, value }: KernelParameter): boolean {
  return PROTECTIONS.some((protection) => isSameName(protection.name, name) && protection.value.test(value ?? ''));
}

/** Without the value where that may be a secret. */
function formatName({ name, value }: KernelParameter): string {
  if (value === undefined) return name;
  if (/credential/.test(name)) return `${name}=${value.split(':', 1)[0]?.slice(0, 80)}`;
  return `${name}=${value.slice(0, 80)}`;
}
