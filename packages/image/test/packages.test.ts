// SPDX-License-Identifier: Apache-2.0
// What package managers say is installed, by the databases that they leave in a root.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { zstdDecompressSync } from 'node:zlib';
import { concatBytes, parseUtf8, utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { encode, u32be } from '@vouchsafe/codec';
import type { TreeEntry } from '@vouchsafe/disk';
import { encodeCycloneDx, type InstalledPackage, parseRecipe, readInstalledPackages } from '@vouchsafe/image';
import { needsTool, tempDir } from '@vouchsafe/testing';
import * as Schema from 'typebox/schema';
import { givenPackages, withGiven } from '../src/packages/given-packages.ts';
import { decodeRpmHeader } from '../src/packages/rpm/rpm-header.ts';
import { readRpmSqlite } from '../src/packages/rpm/rpm-sqlite.ts';
import { codeOf, writeTree } from './support.ts';

const entry = (path: string, content: string | Uint8Array): TreeEntry => ({
  kind: 'file',
  path,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtimeSeconds: 0,
  content: memorySource(typeof content === 'string' ? utf8(content) : content, path),
});
const brief = ({ manager, name, version }: InstalledPackage): string => `${manager} ${name} ${version}`;

const RPM = new Uint8Array(
  zstdDecompressSync(readFileSync(fileURLToPath(new URL('../testdata/rpmdb.sqlite.zst', import.meta.url)))),
);

const STATUS = `Package: libc6
Status: install ok installed
Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>
Architecture: amd64
Multi-Arch: same
Source: glibc (2.36-9)
Version: 2.36-9+deb12u9
Conffiles:
 /etc/ld.so.conf.d/x86_64-linux-gnu.conf d4e7a7b88a71b5ffd9e2644e71a0cfab

Package: gone
Status: deinstall ok config-files
Version: 1
Architecture: all

Package: bash
Status: install ok installed
Architecture: amd64
Version: 5.2.15-2+b7
`;

test('dpkg: what is there, with its files; what was removed is not', () => {
  const { packages, unread } = readInstalledPackages([
    entry('var/lib/dpkg/status', STATUS),
    entry('var/lib/dpkg/info/libc6:amd64.list', '/.\n/usr\n/usr/lib/libc.so.6\n'),
    entry('var/lib/dpkg/info/bash.list', '/.\n/bin/bash\n'),
  ]);
  assert.deepEqual([packages.map(brief), unread], [['dpkg bash 5.2.15-2+b7', 'dpkg libc6 2.36-9+deb12u9'], []]);
  assert.deepEqual(packages[1]?.source, { name: 'glibc', version: '2.36-9' });
  assert.deepEqual(
    packages.map(({ files }) => files),
    [['bin/bash'], ['usr', 'usr/lib/libc.so.6']],
  );
});

test('dpkg without dpkg, as in images that have no package manager: a file for each package', () => {
  const { packages } = readInstalledPackages([
    entry('var/lib/dpkg/status.d/tzdata', 'Package: tzdata\nVersion: 2024a-0\nArchitecture: all\n'),
    entry('var/lib/dpkg/status.d/tzdata.md5sums', `${'0'.repeat(32)}  usr/share/zoneinfo/UTC\n`),
    entry('var/lib/dpkg/status.d/base-files', 'Package: base-files\nVersion: 12.4\nArchitecture: amd64\n'),
  ]);
  assert.deepEqual(packages.map(brief), ['dpkg base-files 12.4', 'dpkg tzdata 2024a-0']);
  assert.deepEqual(packages[1]?.files, ['usr/share/zoneinfo/UTC']);
});

test('dpkg of this machine: the packages that dpkg-query lists', needsTool('dpkg-query'), () => {
  const field = (name: string): string => `$\{${name}}`;
  const format = ['db:Status-Status', 'Package', 'Version', 'Architecture'].map(field).join(' ');
  const options = { maxBuffer: 64 * 1024 * 1024 };
  const text = execFileSync('dpkg-query', ['-W', '-f', `${format}\\n`], options).toString();
  const listed = text
    .trim()
    .split('\n')
    .filter((line) => /^(installed|unpacked|half-configured|triggers-)/.test(line))
    .map((line) => line.slice(line.indexOf(' ') + 1));
  const { packages, unread } = readInstalledPackages([
    entry('var/lib/dpkg/status', new Uint8Array(readFileSync('/var/lib/dpkg/status'))),
  ]);
  assert.deepEqual(unread, []);
  assert.deepEqual(
    packages.map(({ name, version, architecture }) => `${name} ${version} ${architecture}`).sort(),
    listed.sort(),
  );
});

const APK = `C:Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=
P:musl
V:1.2.5-r9
A:x86_64
S:411000
T:the musl c library (libc) implementation
L:MIT
o:musl
m:Natanael Copa <ncopa@alpinelinux.org>
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755

P:ssl_client
V:1.37.0-r12
A:x86_64
L:GPL-2.0-only
o:busybox
F:usr/bin
R:ssl_client
F:
R:top
`;

test('apk: packages with licences, origins and files', () => {
  for (const path of ['lib/apk/db/installed', 'usr/lib/apk/db/installed']) {
    const { packages } = readInstalledPackages([entry(path, APK)]);
    assert.deepEqual(packages.map(brief), ['apk musl 1.2.5-r9', 'apk ssl_client 1.37.0-r12']);
    assert.deepEqual(packages[0]?.files, ['lib/ld-musl-x86_64.so.1']);
    assert.deepEqual([packages[0]?.license, packages[0]?.source], ['MIT', undefined]);
    assert.deepEqual([packages[1]?.source, packages[1]?.files], [{ name: 'busybox' }, ['usr/bin/ssl_client', 'top']]);
  }
});

test('rpm: what rpm -qa lists of a database that rpm made', () => {
  const { packages, unread } = readInstalledPackages([entry('usr/lib/sysimage/rpm/rpmdb.sqlite', RPM)]);
  assert.deepEqual(unread, []);
  assert.deepEqual(packages.map(brief), ['rpm made-1 1.1-1.fc99', 'rpm made-2 1.2-2.fc99']);
  assert.deepEqual(
    packages.map(({ epoch }) => epoch),
    [undefined, 3],
  );
  assert.deepEqual(packages[1], {
    manager: 'rpm',
    name: 'made-2',
    version: '1.2-2.fc99',
    epoch: 3,
    architecture: 'noarch',
    source: { name: 'made-2', version: '1.2-2.fc99' },
    license: 'MIT AND Apache-2.0',
    supplier: 'Vouchsafe tests',
    files: ['usr/bin/made-2', 'usr/share/made-2', 'usr/share/made-2/data'],
  });
});

test('databases that are not read are named, and the list says that it is not whole', () => {
  const { packages, unread } = readInstalledPackages([
    entry('var/lib/rpm/Packages', 'berkeley'),
    entry('usr/lib/sysimage/rpm/Packages.db', 'ndb'),
    entry('var/lib/rpm/rpmdb.sqlite', RPM),
    entry('var/lib/rpm/rpmdb.sqlite-wal', 'newer'),
    entry('var/lib/dpkg/status', 'no field here\n'),
    entry('lib/apk/db/installed', 'P:only-a-name\n'),
  ]);
  assert.deepEqual(packages, []);
  assert.deepEqual(unread.map(({ path }) => path).sort(), [
    'lib/apk/db/installed',
    'usr/lib/sysimage/rpm/Packages.db',
    'var/lib/dpkg/status',
    'var/lib/rpm/Packages',
    'var/lib/rpm/rpmdb.sqlite',
  ]);
  const bom = JSON.parse(parseUtf8(encodeCycloneDx(SYSTEM, { packages, unread })));
  assert.deepEqual(bom.compositions, [{ aggregate: 'incomplete', assemblies: ['system'] }]);
});

test('an rpm header that was cut, or counts beyond itself, is refused by code', () => {
  const [blob = new Uint8Array()] = readRpmSqlite(RPM, 'rpmdb.sqlite');
  assert.equal(decodeRpmHeader(blob, 'x')?.name.startsWith('made-'), true);
  for (let length = 0; length < blob.length; length += length < 400 ? 1 : 37) {
    assert.equal(
      codeOf(() => decodeRpmHeader(blob.subarray(0, length), 'x')),
      'packages_malformed',
      String(length),
    );
  }
  assert.equal(
    codeOf(() => decodeRpmHeader(concatBytes(blob, new Uint8Array(1)), 'x')),
    'packages_malformed',
  );
  for (const [offset, value] of [
    [0, 0x10000],
    [4, 0x10000000],
  ] as const) {
    const changed = blob.slice();
    changed.set(encode(u32be, value), offset);
    assert.equal(
      codeOf(() => decodeRpmHeader(changed, 'x')),
      'packages_malformed',
    );
  }
});

test('every octet of an rpm header changed: a package, no package, or a coded error', () => {
  const [blob = new Uint8Array()] = readRpmSqlite(RPM, 'rpmdb.sqlite');
  for (let at = 0; at < blob.length; at++) {
    const changed = blob.slice();
    changed[at] = (changed[at] as number) ^ 0x81;
    try {
      decodeRpmHeader(changed, 'x');
    } catch (error) {
      assert.match(String((error as { code?: string }).code), /^(packages_malformed|limit)$/, String(at));
    }
  }
});

test('an SQLite file that is none, was cut, or has another schema is refused by code', () => {
  for (const bytes of [new Uint8Array(0), utf8('x'.repeat(200)), RPM.subarray(0, 5000), new Uint8Array(4096)]) {
    assert.equal(
      codeOf(() => readRpmSqlite(bytes, 'x')),
      'packages_malformed',
    );
  }
});

const SYSTEM = {
  name: 'edge',
  version: '1.0',
  osRelease: new Map([
    ['ID', 'debian'],
    ['VERSION_ID', '12'],
  ]),
};

/** The schema of CycloneDX's own library, and those that it refers to. */
function cycloneDxSchema(): { Check(value: unknown): boolean; Errors(value: unknown): unknown } {
  const require = createRequire(import.meta.url);
  const folder = join(dirname(require.resolve('@cyclonedx/cyclonedx-library/package.json')), 'res/schema');
  const read = (name: string) => JSON.parse(readFileSync(join(folder, `${name}.SNAPSHOT.schema.json`), 'utf8'));
  const others = ['spdx', 'jsf-0.82', 'cryptography-defs'].map(read);
  return Schema.Compile(Object.fromEntries(others.map((schema) => [schema.$id, schema])), read('bom-1.6'));
}

test('the bill of materials fits the schema of CycloneDX 1.6, and is the same whenever it is made', () => {
  const tree = [
    entry('var/lib/dpkg/status', STATUS),
    entry('lib/apk/db/installed', APK),
    entry('var/lib/rpm/rpmdb.sqlite', RPM),
    entry('var/lib/rpm/Packages', 'berkeley'),
  ];
  const bytes = encodeCycloneDx(SYSTEM, readInstalledPackages(tree));
  assert.deepEqual(encodeCycloneDx(SYSTEM, readInstalledPackages(tree.toReversed())), bytes);
  const schema = cycloneDxSchema();
  const bom = JSON.parse(parseUtf8(bytes));
  assert.ok(schema.Check(bom), JSON.stringify(schema.Errors(bom)));
  assert.equal(schema.Check({ ...bom, components: [{ ...bom.components[0], type: 'packet' }] }), false);
  assert.deepEqual(
    bom.components.map(({ purl }: { purl: string }) => purl),
    [
      'pkg:apk/debian/musl@1.2.5-r9?arch=x86_64&distro=debian-12',
      'pkg:apk/debian/ssl_client@1.37.0-r12?arch=x86_64&distro=debian-12&upstream=busybox',
      'pkg:deb/debian/bash@5.2.15-2+b7?arch=amd64&distro=debian-12',
      'pkg:deb/debian/libc6@2.36-9+deb12u9?arch=amd64&distro=debian-12&upstream=glibc%402.36-9',
      'pkg:rpm/debian/made-1@1.1-1.fc99?arch=noarch&distro=debian-12&upstream=made-1%401.1-1.fc99',
      'pkg:rpm/debian/made-2@1.2-2.fc99?arch=noarch&distro=debian-12&epoch=3&upstream=made-2%401.2-2.fc99',
    ],
  );
});

test('Debian packages that a recipe gives as files, once, with what they brought', needsTool('dpkg-deb'), async (t) => {
  const folder = tempDir(t);
  const tree = join(folder, 'tree');
  writeTree(tree, {
    'DEBIAN/control':
      'Package: made\nVersion: 1.2-3\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n',
    'DEBIAN/md5sums': `${'0'.repeat(32)}  usr/bin/made\n`,
    'usr/bin/made': 'made',
  });
  execFileSync('dpkg-deb', ['--build', '--root-owner-group', tree, join(folder, 'made.deb')], { stdio: 'ignore' });
  const text = 'name: e\nversion: "1"\nroot: { packages: made.deb }\nkernel: { packages: [made.deb] }\nkeys: k\n';
  const given = await givenPackages(parseRecipe(text, 'r.yaml'), folder);
  assert.deepEqual(given.map(brief), ['dpkg made 1.2-3']);
  assert.deepEqual(given[0]?.files, ['usr/bin/made']);
  assert.equal(withGiven(given, given).length, 1);
  assert.equal(withGiven([], given).length, 1);
});
