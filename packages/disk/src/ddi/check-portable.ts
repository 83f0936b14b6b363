// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '@vouchsafe/base';
import type { ExtensionEntry } from './check-extension.ts';

export type PortableFindingCode =
  | 'portable_os_release_missing' // no os-release, which says that it is a whole tree
  | 'portable_units_missing' // no unit that bears the image's name
  | 'portable_place_missing'; // nothing where the host's own is mounted over it

/** The kinds of units that portablectl attaches. portablectl(1). */
const UNITS = /\.(service|socket|target|timer|path)$/;
const UNIT_FOLDERS = [
  'usr/lib/systemd/system',
  'lib/systemd/system',
  'etc/systemd/system',
  'usr/local/lib/systemd/system',
];
/** systemd, docs/PORTABLE_SERVICES.md, "Requirements on Images". */
const FOLDERS = ['proc', 'sys', 'dev', 'run', 'tmp', 'var/tmp'];
const FILES = ['etc/resolv.conf', 'etc/machine-id'];

/**
 * What keeps portablectl from attaching an image. systemd, docs/PORTABLE_SERVICES.md, "Requirements on Images";
 * portablectl(1).
 * @param name of the image: its file's name up to the first _ without .raw; units must begin with it.
 * @param prefixes that its os-release lists in PORTABLE_PREFIXES; units may begin with these instead.
 */
export function checkPortable(
  name: string,
  entries: Iterable<ExtensionEntry>,
  prefixes: readonly string[] = [],
): Finding<PortableFindingCode>[] {
  const kinds = new Map([...entries].map(({ path, kind }) => [path, kind]));
  const findings: Finding<PortableFindingCode>[] = [];
  const report = (code: PortableFindingCode, severity: 'error' | 'warning', path: string, hint: string): void => {
    findings.push({ code, severity, where: { artefact: name, path }, expected: path, actual: 'none', hint });
  };
  if (!kinds.has('usr/lib/os-release') && !kinds.has('etc/os-release')) {
    report(
      'portable_os_release_missing',
      'error',
      'usr/lib/os-release',
      'portablectl takes no image without it; add it',
    );
  }
  const wanted = prefixes.length > 0 ? prefixes : [name];
  const isUnit = (path: string): boolean =>
    UNIT_FOLDERS.some((folder) => path.startsWith(`${folder}/`)) && UNITS.test(path) && fits(path, wanted);
  if (![...kinds.keys()].some(isUnit)) {
    const path = `usr/lib/systemd/system/${wanted[0]}*.service`;
    report(
      'portable_units_missing',
      'error',
      path,
      'portablectl attaches units that bear the name of the image; name them so, or list their prefixes in PORTABLE_PREFIXES=',
    );
  }
  for (const path of FOLDERS.filter((folder) => kinds.get(folder) !== 'directory')) {
    report(
      'portable_place_missing',
      'warning',
      path,
      'the host mounts its own there, and cannot make a folder in a read-only image; add an empty one',
    );
  }
  for (const path of FILES.filter((file) => !kinds.has(file))) {
    report('portable_place_missing', 'warning', path, "the host's file is mounted over it; add an empty one");
  }
  return findings;
}

/** The prefix, and then an end, @, - or a dot. systemd 257, src/portable/portable.c, prefix_match. */
function fits(path: string, prefixes: readonly string[]): boolean {
  const unit = path.slice(path.lastIndexOf('/') + 1);
  return prefixes.some((prefix) => unit.startsWith(prefix) && /^[-.@]/.test(unit.slice(prefix.length)));
}
