// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUtf8, utf8 } from '@vouchsafe/base';
import { memorySource, readBytes } from '@vouchsafe/bytes';
import { stubFiles } from '@vouchsafe/measure';
import { madeUki } from './made-uki.ts';

const SECTIONS = [
  ['.osrel', 'ID=test'],
  ['.pcrpkey', 'key'],
  ['.pcrsig', '{}'],
  ['.cmdline', 'quiet'],
] as const;
const lying = (...names: readonly string[]) => names.map((name) => ({ name, content: memorySource(utf8(name), name) }));
const COMPANIONS = lying('tools.raw', 'site.cred', 'etc.confext.raw', 'notes.txt', '.hidden.cred', 'more.addon.efi');

function handed(version: number): string[] {
  const start = { companions: COMPANIONS, loaderCredentials: lying('all.cred') };
  return stubFiles(madeUki(version, SECTIONS), start).map(({ path, content }) => {
    return `${path} ${parseUtf8(readBytes(content, 0, content.size))}`;
  });
}

test('a stub before configuration extensions takes every .raw for a system extension', () => {
  assert.deepEqual(handed(252), [
    '/.extra/credentials/site.cred site.cred',
    '/.extra/global_credentials/all.cred all.cred',
    '/.extra/sysext/etc.confext.raw etc.confext.raw',
    '/.extra/sysext/tools.raw tools.raw',
    '/.extra/tpm2-pcr-signature.json {}',
    '/.extra/tpm2-pcr-public-key.pem key',
  ]);
});

test('a later stub tells the extensions apart, and hands on its release file', () => {
  assert.deepEqual(handed(257), [
    '/.extra/credentials/site.cred site.cred',
    '/.extra/global_credentials/all.cred all.cred',
    '/.extra/sysext/tools.raw tools.raw',
    '/.extra/confext/etc.confext.raw etc.confext.raw',
    '/.extra/tpm2-pcr-signature.json {}',
    '/.extra/tpm2-pcr-public-key.pem key',
    '/.extra/os-release ID=test',
  ]);
});

test('a UKI with nothing around it and no such sections hands nothing on', () => {
  assert.deepEqual(stubFiles(madeUki(257, [['.cmdline', 'quiet']])), []);
});
