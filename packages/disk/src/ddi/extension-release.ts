// SPDX-License-Identifier: Apache-2.0

/** What is laid over a system: programs over /usr and /opt, or settings over /etc. */
export type ExtensionClass = 'sysext' | 'confext';

/** Where an extension is to be laid over: the machine's own system, its initrd, or a portable service. */
export type ExtensionScope = 'system' | 'initrd' | 'portable';

/** What each class has its own of. systemd-sysext(8); systemd 257, src/basic/os-util.c. */
export const EXTENSION_CLASSES = {
  sysext: {
    folder: 'usr/lib/extension-release.d',
    level: 'SYSEXT_LEVEL',
    scope: 'SYSEXT_SCOPE',
    hierarchies: ['usr', 'opt'],
  },
  confext: { folder: 'etc/extension-release.d', level: 'CONFEXT_LEVEL', scope: 'CONFEXT_SCOPE', hierarchies: ['etc'] },
} as const satisfies Record<ExtensionClass, unknown>;

/** The path of the file that says what an extension fits. */
export function extensionReleasePath(extensionClass: ExtensionClass, name: string): string {
  return `${EXTENSION_CLASSES[extensionClass].folder}/extension-release.${name}`;
}

/**
 * The attribute by which a file of another name than the image's is taken all the same, when it says 0.
 * systemd 257, src/basic/os-util.c, extension_release_strict_xattr_value.
 */
export const RELAXED_NAME_XATTR = 'user.extension-release.strict';

export type ExtensionMismatch =
  | 'scope' // it is not for this scope
  | 'architecture' // it is for another architecture
  | 'id_missing' // it does not say what it fits
  | 'id' // it is for another operating system
  | 'level' // it is for another level of the interface
  | 'version_missing' // it says no version, where the host has one
  | 'version'; // it is for another version

/** The host that an extension is to be laid over. */
export interface ExtensionHost {
  /** The fields of its os-release. */
  readonly release: ReadonlyMap<string, string>;
  /** By systemd's name. */
  readonly architecture: string;
  readonly scope: ExtensionScope;
  /** Takes an ID that is in the host's ID_LIKE, as systemd does from 258 on. */
  readonly takesIdLike?: boolean;
}

/**
 * Why an extension is not laid over a host; undefined when it is. A host that says neither a version nor a level, as
 * rolling ones do, takes every version. systemd 257 and 258, src/shared/extension-util.c, extension_release_validate.
 * @param release the fields of its extension-release.
 */
export function extensionMismatch(
  extensionClass: ExtensionClass,
  release: ReadonlyMap<string, string>,
  host: ExtensionHost,
): ExtensionMismatch | undefined {
  const names = EXTENSION_CLASSES[extensionClass];
  const scopes = words(release.get(names.scope) ?? 'system portable');
  if (!scopes.includes(host.scope)) return 'scope';
  const architecture = release.get('ARCHITECTURE') ?? '';
  if (architecture !== '' && architecture !== '_any' && architecture !== host.architecture) return 'architecture';
  const id = release.get('ID') ?? '';
  if (id === '') return 'id_missing';
  if (id === '_any') return undefined;
  const like = host.takesIdLike === true ? words(host.release.get('ID_LIKE') ?? '') : [];
  if (host.release.get('ID') !== id && !like.includes(id)) return 'id';
  const hostVersion = host.release.get('VERSION_ID') ?? '';
  const hostLevel = host.release.get(names.level) ?? '';
  const level = release.get(names.level) ?? '';
  if (hostLevel !== '' && level !== '') return hostLevel === level ? undefined : 'level';
  if (hostVersion === '') return undefined;
  const version = release.get('VERSION_ID') ?? '';
  if (version === '') return 'version_missing';
  return version === hostVersion ? undefined : 'version';
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
