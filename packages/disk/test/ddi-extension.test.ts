// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import {
  checkExtension,
  type ExtensionEntry,
  type ExtensionHost,
  extensionMismatch,
  formatReleaseFile,
  parseReleaseFile,
} from '@vouchsafe/disk';
import { needsTool } from '@vouchsafe/testing';
import fc from 'fast-check';
import { bytesOf, withCode } from './support.ts';

const release = (text: string) => parseReleaseFile(text, 'extension-release');
const host = (text: string, more: Partial<ExtensionHost> = {}): ExtensionHost => {
  return { release: release(text), architecture: 'x86-64', scope: 'system', ...more };
};

const HOST = 'ID=debian\nID_LIKE="a b"\nVERSION_ID=12\n';
const LEVEL = `${HOST}SYSEXT_LEVEL=2\n`;

// The rules are those of src/shared/extension-util.c, one row each.
const ROWS: readonly (readonly [extension: string, host: ExtensionHost, expected: string | undefined])[] = [
  ['ID=debian\nVERSION_ID=12', host(HOST), undefined],
  ['ID=debian\nVERSION_ID=13', host(HOST), 'version'],
  ['ID=debian', host(HOST), 'version_missing'],
  ['ID=_any', host(HOST), undefined],
  ['', host(HOST), 'id_missing'],
  ['ID=', host(HOST), 'id_missing'],
  ['ID=fedora\nVERSION_ID=12', host(HOST), 'id'],
  ['ID=a\nVERSION_ID=12', host(HOST), 'id'],
  ['ID=a\nVERSION_ID=12', host(HOST, { takesIdLike: true }), undefined],
  ['ID=debian\nSYSEXT_LEVEL=2', host(LEVEL), undefined],
  ['ID=debian\nSYSEXT_LEVEL=3\nVERSION_ID=12', host(LEVEL), 'level'],
  ['ID=debian\nVERSION_ID=12', host(LEVEL), undefined],
  ['ID=debian\nSYSEXT_LEVEL=2', host(HOST), 'version_missing'],
  ['ID=debian', host('ID=debian'), undefined],
  ['ID=debian\nARCHITECTURE=arm64\nVERSION_ID=12', host(HOST), 'architecture'],
  ['ID=debian\nARCHITECTURE=_any\nVERSION_ID=12', host(HOST), undefined],
  ['ID=debian\nARCHITECTURE=x86-64\nVERSION_ID=12', host(HOST), undefined],
  ['ID=_any\nSYSEXT_SCOPE=initrd', host(HOST), 'scope'],
  ['ID=_any\nSYSEXT_SCOPE="initrd system"', host(HOST), undefined],
  ['ID=_any', host(HOST, { scope: 'initrd' }), 'scope'],
  ['ID=_any', host(HOST, { scope: 'portable' }), undefined],
];
for (const [extension, on, expected] of ROWS) {
  test(`${extension.replaceAll('\n', ' ')} on ${on.scope}: ${expected ?? 'fits'}`, () =>
    assert.equal(extensionMismatch('sysext', release(extension), on), expected));
}

test('a confext has a level and a scope of its own', () => {
  const fits = (text: string, on: string) => extensionMismatch('confext', release(text), host(on));
  assert.equal(fits('ID=debian\nSYSEXT_LEVEL=2', LEVEL), 'version_missing');
  assert.equal(fits('ID=debian\nCONFEXT_LEVEL=2', `${HOST}CONFEXT_LEVEL=2`), undefined);
  assert.equal(fits('ID=_any\nSYSEXT_SCOPE=initrd', HOST), undefined);
});

test('release files: quotes, escapes, comments, and what a shell would run', () => {
  const fields = release('# c\n\nA=1\nB="x y"\nC=\'$z\'\nD=a"b"c\nE="q\\"\\$"\nF=\nA=2\n');
  assert.deepEqual(
    [...fields],
    [
      ['A', '2'],
      ['B', 'x y'],
      ['C', '$z'],
      ['D', 'abc'],
      ['E', 'q"$'],
      ['F', ''],
    ],
  );
  for (const text of ['A', '1A=x', 'A="x', 'A=$(x)', 'A=`x`', 'A=x y', 'A=x;y', '=x', `A=${'x'.repeat(70000)}`]) {
    assert.throws(() => release(text), withCode('release_malformed'), text.slice(0, 20));
  }
});

test('a shell reads what is written', needsTool('sh'), () => {
  const value = fc.string({ unit: 'grapheme-ascii' }).filter((text) => !/[\n\0]/.test(text));
  fc.assert(
    fc.property(value, (text) => {
      const file = formatReleaseFile([['A', text]]);
      assert.deepEqual([...parseReleaseFile(file, 'x')], [['A', text]]);
      assert.equal(execFileSync('sh', ['-c', `${file}printf %s "$A"`], { encoding: 'utf8' }), text);
    }),
    { numRuns: 50 },
  );
  assert.throws(() => formatReleaseFile([['A', 'x\ny']]), withCode('release_malformed'));
  assert.throws(() => formatReleaseFile([['A-B', 'x']]), withCode('release_malformed'));
});

const RELEASE = 'usr/lib/extension-release.d/extension-release.foo';
const file = (path: string, xattr?: string): ExtensionEntry => ({
  path,
  kind: 'file',
  ...(xattr === undefined ? {} : { xattrs: [{ name: 'user.extension-release.strict', value: bytesOf(xattr) }] }),
});
const codes = (entries: ExtensionEntry[], text = 'ID=debian\nVERSION_ID=12', name = 'foo'): string[] =>
  checkExtension({ extensionClass: 'sysext', name, entries, release: release(text) }).map(({ code }) => code);

test('extensions as a whole', () => {
  assert.deepEqual(codes([file(RELEASE), file('usr/bin/foo')]), []);
  assert.deepEqual(codes([file('usr/bin/foo')]), ['extension_release_missing']);
  assert.deepEqual(codes([file(RELEASE)], undefined, 'foo_1.2'), ['extension_release_name']);
  assert.deepEqual(codes([file(RELEASE, '1')], undefined, 'foo_1.2'), ['extension_release_name']);
  assert.deepEqual(codes([file(RELEASE, '0')], undefined, 'foo_1.2'), []);
  assert.deepEqual(codes([file(RELEASE, '0'), file(`${RELEASE}2`, 'no')], undefined, 'x'), [
    'extension_release_several',
  ]);
  assert.deepEqual(codes([file(RELEASE), file('usr/lib/os-release')]), ['extension_os_release']);
  assert.deepEqual(codes([file(RELEASE), file('etc/os-release')]), ['extension_content_outside']);
  assert.deepEqual(codes([file(RELEASE)], ''), ['extension_id_missing', 'extension_version_missing']);
  assert.deepEqual(codes([file(RELEASE)], 'ID=_any'), ['extension_fits_any']);
  assert.deepEqual(codes([file(RELEASE)], 'ID=x\nSYSEXT_LEVEL=1\nSYSEXT_SCOPE=systm'), ['extension_scope_unknown']);
});
