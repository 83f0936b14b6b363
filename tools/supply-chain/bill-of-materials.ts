// SPDX-License-Identifier: Apache-2.0
import { type LockedPackage, resolveDependency } from './lock-file.ts';

/** The hash of Subresource Integrity and what CycloneDX calls it. */
const HASHES: Readonly<Record<string, string>> = { sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' };

/**
 * What the product is made of, as CycloneDX 1.6: all that is locked and not of the workshop alone. There is neither a serial
 * number nor a time in it, and everything is in order, so that the same lock file gives the same bytes.
 */
export function billOfMaterials(packages: readonly LockedPackage[]): string {
  const [root, ...others] = packages;
  if (root === undefined || root.path !== '') throw new Error('package-lock.json: expected the root package first');
  const used = others.filter(({ isDev }) => !isDev).filter(distinctBy(purlOf));
  const refs = new Set(used.map(purlOf));
  const edges = [root, ...used].map((one) => {
    const dependsOn = one === root ? used.filter(({ isMember }) => isMember).map(purlOf) : edgesOf(packages, one);
    return { ref: purlOf(one), dependsOn: [...new Set(dependsOn)].filter((ref) => refs.has(ref)).sort() };
  });
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { ...componentOf(root), type: 'application' } },
    components: used.map(componentOf).sort(byRef),
    dependencies: edges.sort((a, b) => (a.ref < b.ref ? -1 : 1)),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** https://github.com/package-url/purl-spec, type npm. */
function purlOf({ name, version }: LockedPackage): string {
  return `pkg:npm/${name.replace(/^@/, '%40')}@${encodeURIComponent(version)}`;
}

const edgesOf = (packages: readonly LockedPackage[], one: LockedPackage): string[] =>
  one.dependsOn.flatMap((name) => {
    const found = resolveDependency(packages, one, name);
    return found === undefined ? [] : [purlOf(found)];
  });

function componentOf(one: LockedPackage) {
  const { name, version, license, isOptional, hasInstallScript } = one;
  const hashes = hashesOf(one.integrity);
  return {
    type: 'library',
    'bom-ref': purlOf(one),
    name,
    version,
    purl: purlOf(one),
    scope: isOptional ? 'optional' : 'required',
    ...(license === undefined ? {} : { licenses: [licenseOf(license)] }),
    ...(hashes.length === 0 ? {} : { hashes }),
    ...(hasInstallScript ? { properties: [{ name: 'npm:install-script', value: 'present, not run' }] } : {}),
  };
}

/** An SPDX identifier, or an expression of several. */
const licenseOf = (license: string) =>
  /^[A-Za-z0-9.+-]+$/.test(license) ? { license: { id: license } } : { expression: license };

function hashesOf(integrity: string | undefined) {
  return (integrity ?? '').split(/\s+/).flatMap((one) => {
    const [algorithm = '', digest = ''] = one.split(/-(.*)/s);
    const alg = HASHES[algorithm];
    return alg === undefined ? [] : [{ alg, content: Buffer.from(digest, 'base64').toString('hex') }];
  });
}

function distinctBy<T>(key: (value: T) => string): (value: T) => boolean {
  const seen = new Set<string>();
  return (value) => !seen.has(key(value)) && Boolean(seen.add(key(value)));
}

const byRef = (a: { readonly 'bom-ref': string }, b: { readonly 'bom-ref': string }): number =>
  a['bom-ref'] < b['bom-ref'] ? -1 : 1;
