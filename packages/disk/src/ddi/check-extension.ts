// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '@vouchsafe/base';
import {
  EXTENSION_CLASSES,
  type ExtensionClass,
  extensionReleasePath,
  RELAXED_NAME_XATTR,
} from './extension-release.ts';

export type ExtensionFindingCode =
  | 'extension_release_missing' // no file that says what the extension fits
  | 'extension_release_name' // the file has another name than the image, and does not say that this is meant
  | 'extension_release_several' // several such files
  | 'extension_id_missing' // it does not say what it fits
  | 'extension_version_missing' // neither a version nor a level: it fits rolling hosts only
  | 'extension_scope_unknown' // a scope that systemd does not know
  | 'extension_fits_any' // it fits every operating system
  | 'extension_os_release' // it would replace the host's os-release
  | 'extension_content_outside'; // files that are never laid over anything

/** A file or directory of an extension, as far as it matters here. */
export interface ExtensionEntry {
  readonly path: string;
  readonly kind: string;
  readonly xattrs?: readonly { readonly name: string; readonly value: Uint8Array }[];
}

/** What an extension holds. */
export interface ExtensionContent {
  readonly extensionClass: ExtensionClass;
  /** Of the image: its file's name without .raw, .sysext.raw or .confext.raw. */
  readonly name: string;
  readonly entries: Iterable<ExtensionEntry>;
  /** The fields of the extension-release that counts; undefined where there is none. */
  readonly release: ReadonlyMap<string, string> | undefined;
}

const SCOPES: readonly string[] = ['system', 'initrd', 'portable'];

/**
 * What keeps an extension from being laid over any host, or makes it do other than one would think. systemd-sysext(8);
 * systemd 257, src/shared/extension-util.c and src/basic/os-util.c, open_extension_release_at.
 */
export function checkExtension(content: ExtensionContent): Finding<ExtensionFindingCode>[] {
  const { extensionClass, name, release } = content;
  const { folder, hierarchies, scope, level } = EXTENSION_CLASSES[extensionClass];
  const findings: Finding<ExtensionFindingCode>[] = [];
  const report = (
    code: ExtensionFindingCode,
    severity: 'error' | 'warning',
    path: string,
    hint: string,
    values: { readonly expected?: string; readonly actual?: string } = {},
  ): void => {
    findings.push({ code, severity, where: { artefact: name, path }, ...values, hint });
  };
  const entries = [...content.entries];
  const releases = entries.filter(
    ({ path, kind }) => kind === 'file' && path.startsWith(`${folder}/extension-release.`),
  );
  const expectedPath = extensionReleasePath(extensionClass, name);
  const named = releases.find(({ path }) => path === expectedPath);
  const relaxed = releases.filter((entry) => isRelaxed(entry));
  if (releases.length === 0) {
    report('extension_release_missing', 'error', expectedPath, 'systemd takes no extension without this file; add it');
  } else if (named === undefined && relaxed.length === 0) {
    report(
      'extension_release_name',
      'error',
      (releases[0] as ExtensionEntry).path,
      `systemd looks for the image's own name; rename the image or the file, or set ${RELAXED_NAME_XATTR} to 0 on it`,
      { expected: expectedPath, actual: (releases[0] as ExtensionEntry).path },
    );
  } else if (named === undefined && relaxed.length > 1) {
    report('extension_release_several', 'error', folder, 'systemd would take any of these files; leave one');
  }
  for (const { path } of entries) {
    if (extensionClass === 'sysext' && path === 'usr/lib/os-release') {
      report(
        'extension_os_release',
        'error',
        path,
        "systemd refuses an extension with the host's os-release; remove it",
      );
    }
  }
  const outside = entries.filter(
    ({ path, kind }) => kind !== 'directory' && !hierarchies.some((top) => path.startsWith(`${top}/`)),
  );
  if (outside.length > 0) {
    report(
      'extension_content_outside',
      'warning',
      (outside[0] as ExtensionEntry).path,
      `nothing outside ${hierarchies.map((top) => `/${top}`).join(' and ')} is laid over a host; move it or leave it out`,
      { actual: `${outside.length} outside` },
    );
  }
  if (release === undefined) return findings;
  const id = release.get('ID') ?? '';
  if (id === '')
    report('extension_id_missing', 'error', 'ID', 'systemd takes no extension without ID=; _any fits every host');
  if (id === '_any') {
    report('extension_fits_any', 'warning', 'ID', 'every host takes it, of whatever system and version', {
      actual: '_any',
    });
  } else if ((release.get('VERSION_ID') ?? '') === '' && (release.get(level) ?? '') === '') {
    report(
      'extension_version_missing',
      'warning',
      'VERSION_ID',
      `hosts with a version refuse it; say VERSION_ID= or ${level}=`,
    );
  }
  for (const word of (release.get(scope) ?? '').split(/\s+/).filter((text) => text !== '' && !SCOPES.includes(text))) {
    report('extension_scope_unknown', 'warning', scope, `systemd knows ${SCOPES.join(', ')}`, { actual: word });
  }
  return findings;
}

function isRelaxed({ xattrs = [] }: ExtensionEntry): boolean {
  const value = xattrs.find(({ name }) => name === RELAXED_NAME_XATTR)?.value;
  return value !== undefined && /^(0|no|n|false|f|off)\0?$/i.test(String.fromCharCode(...value.subarray(0, 16)));
}
