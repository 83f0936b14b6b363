// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@vouchsafe/manifest';
import { PackageURL } from 'packageurl-js';
import type { InstalledPackage, InstalledPackages } from './installed-package.ts';

/** As a manifest names the form. */
export const CYCLONEDX_FORMAT = 'cyclonedx-1.6+json';

export interface SystemIdentity {
  readonly name: string;
  readonly version: string;
  /** The fields of its os-release, as far as there are any. */
  readonly osRelease: ReadonlyMap<string, string>;
}

const PURL_TYPES = { dpkg: 'deb', apk: 'apk', rpm: 'rpm' } as const;
const SYSTEM_REF = 'system';

/**
 * The packages as a bill of materials, which scanners for known vulnerabilities read: CycloneDX 1.6, JSON. There is neither a
 * serial number nor a time in it, so that the same packages give the same bytes.
 */
export function encodeCycloneDx(system: SystemIdentity, { packages, unread }: InstalledPackages): Uint8Array {
  const components = distinct(packages.map((found) => componentOf(found, system.osRelease)));
  return canonicalJson({
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'operating-system',
        'bom-ref': SYSTEM_REF,
        name: system.name,
        version: system.version,
        ...(unread.length === 0
          ? {}
          : {
              properties: unread.map(({ path, reason }) => ({
                name: 'vouchsafe:unread-database',
                value: `${path}: ${reason}`,
              })),
            }),
      },
    },
    components,
    // "incomplete": the relationship is incomplete; additional components exist.
    ...(unread.length === 0 ? {} : { compositions: [{ aggregate: 'incomplete', assemblies: [SYSTEM_REF] }] }),
  });
}

interface Component {
  readonly 'bom-ref': string;
  readonly [key: string]: unknown;
}

function componentOf(found: InstalledPackage, osRelease: ReadonlyMap<string, string>): Component {
  const { name, version, epoch, license, supplier } = found;
  const purl = purlOf(found, osRelease);
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version: epoch === undefined ? version : `${epoch}:${version}`,
    ...(supplier === undefined ? {} : { supplier: { name: supplier } }),
    ...(license === undefined ? {} : { licenses: [{ license: { name: license } }] }),
    purl,
  };
}

/** package-url/purl-spec, types deb, apk and rpm. */
function purlOf(found: InstalledPackage, osRelease: ReadonlyMap<string, string>): string {
  const { manager, name, version, epoch, architecture, source } = found;
  const system = osRelease.get('ID')?.toLowerCase();
  const release = osRelease.get('VERSION_ID');
  const qualifiers = Object.entries({
    arch: architecture,
    epoch: epoch === undefined ? undefined : String(epoch),
    upstream: source === undefined ? undefined : [source.name, source.version].filter(Boolean).join('@'),
    distro: system === undefined ? undefined : [system, release].filter(Boolean).join('-'),
  }).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const namespace = system ?? (manager === 'dpkg' ? 'debian' : manager === 'apk' ? 'alpine' : undefined);
  return new PackageURL(PURL_TYPES[manager], namespace, name, version, Object.fromEntries(qualifiers), null).toString();
}

/** References are to be unique; a package that two databases list is one. */
function distinct(components: readonly Component[]): Component[] {
  return [...new Map(components.map((component) => [component['bom-ref'], component])).values()];
}
