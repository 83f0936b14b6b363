// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseUtf8, utf8 } from '@vouchsafe/base';
import { memorySource, readBytes } from '@vouchsafe/bytes';
import {
  appendSections,
  buildUki,
  certificateLists,
  checkCommandLine,
  checkUki,
  checkUkiFile,
  decodeSignatureUpdate,
  digestCoveredBySignature,
  isPcrSignatureBy,
  openPe,
  type PeFile,
  parseKernelCommandLine,
  parsePcrPublicKey,
  parsePcrSignatures,
  parseSbatLevel,
  signPe,
  type UkiContents,
  type UkiContext,
  type UkiFinding,
} from '@vouchsafe/pe';
import { decodeCertificates } from '@vouchsafe/pki';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import { needsVectors } from '@vouchsafe/testing';
import fc from 'fast-check';
import { type MadeOptions, madeBytes, madeStub } from './made-pe.ts';
import { imagePath, openBytes, openImage, readImage, written } from './support.ts';

const testdata = (name: string): string => fileURLToPath(new URL(`../testdata/${name}`, import.meta.url));
const SIGNER = decodeCertificates(Uint8Array.from(readFileSync(testdata('signer.pem'))));
const DB = certificateLists(
  SIGNER.map(({ bytes }) => bytes),
  '55c96959-7948-4709-85a5-aff5393936a4',
);
const SBAT = `sbat,1,SBAT Version,sbat,1,https://example.org/
stub.made,1,Made,stub,1,https://example.org/
`;
const kernelBytes = (options: MadeOptions = {}): Uint8Array => madeBytes({ sbat: SBAT, ...options });
const ROOT_HASH = `roothash=${'ab'.repeat(32)}`;

/** A made image that nothing is wrong with, but for what the contents and stub change. */
async function made(contents: UkiContents = {}, stub: MadeOptions = {}): Promise<Uint8Array> {
  const whole: UkiContents = {
    linux: memorySource(kernelBytes()),
    osrel: utf8('ID=test\n'),
    cmdline: utf8(`quiet ${ROOT_HASH}`),
    ...contents,
  };
  return written((sink) =>
    buildUki(madeStub({ sbat: SBAT, sdmagic: magic('systemd-stub', '262.1'), ...stub }), whole, sink),
  );
}

const magic = (product: string, version: string): string => `#### LoaderInfo: ${product} ${version} ####\0`;

async function signed(bytes: Uint8Array): Promise<PeFile> {
  const keyPath = testdata('keys/signer.test-only.key');
  const signer = await openKeyFileSigner({ keyPath, certificatePath: testdata('signer.pem') });
  return openBytes(await written((sink) => signPe(openBytes(bytes), sink, { signer })));
}

const told = (findings: readonly UkiFinding[]): string[] => findings.map(({ code, severity }) => `${severity} ${code}`);
const check = (pe: PeFile, context: UkiContext = {}): string[] =>
  told(checkUki(pe, { secureBoot: { db: DB }, sbatLevel: parseSbatLevel('sbat,1\n'), ...context }));
const without = (...names: (keyof UkiContents)[]): UkiContents =>
  Object.fromEntries(names.map((name) => [name, undefined])) as UkiContents;

test('a good image: nothing to say', async () => {
  assert.deepEqual(check(await signed(await made())), []);
});

test('signatures: none, of another key, revoked by digest and by certificate', async () => {
  const bytes = await made();
  const pe = await signed(bytes);
  assert.deepEqual(check(openBytes(bytes)), ['error unsigned']);
  assert.deepEqual(told(checkUki(openBytes(bytes))), ['warning unsigned']);
  assert.deepEqual(check(pe, { secureBoot: { db: [] } }), ['error signer_unknown']);
  assert.deepEqual(check(pe, { secureBoot: { db: DB, dbx: DB } }), ['error revoked_certificate']);
  const data = digestCoveredBySignature(pe, 'sha256');
  const dbx = [{ type: 'sha256', signatures: [{ owner: '55c96959-7948-4709-85a5-aff5393936a4', data }] }];
  assert.deepEqual(check(pe, { secureBoot: { db: DB, dbx } }), ['error revoked_digest']);
});

test('SBAT below the level that shim asks for', async () => {
  const pe = await signed(await made());
  assert.deepEqual(check(pe, { sbatLevel: parseSbatLevel('sbat,1\nuki,2\n') }), ['error sbat_revoked']);
});

test('sections that an image needs', async () => {
  const some = { secureBoot: { db: [] } };
  const codes = async (contents: UkiContents): Promise<string[]> =>
    check(openBytes(await made(contents)), some).filter((text) => text !== 'error unsigned');
  assert.deepEqual(await codes(without('osrel')), ['warning section_missing']);
  assert.deepEqual(await codes(without('cmdline')), ['warning cmdline_missing']);
  assert.deepEqual(await codes(without('linux')), ['error section_missing']);
  assert.deepEqual(await codes({ cmdline: Uint8Array.of(0xff, 0xfe) }), ['warning text_malformed']);
  assert.deepEqual(await codes({ linux: memorySource(utf8('no kernel')) }), ['error kernel_malformed']);
  assert.deepEqual(await codes({ linux: memorySource(kernelBytes({ machine: 0xaa64 })) }), ['error kernel_machine']);
});

test('a stub that says nothing, an old stub, a subsystem that firmware does not start', async () => {
  const unknown = await signed(await made({}, { sdmagic: 'something else' }));
  assert.deepEqual(check(unknown), ['warning stub_unknown', 'warning kernel_unsigned']);
  const old = await made({ ucode: memorySource(utf8('microcode')) }, { sdmagic: magic('systemd-stub', '252.39') });
  assert.deepEqual(check(await signed(old)), ['warning section_unread', 'info kernel_unsigned']);
  const bytes = await made();
  new DataView(bytes.buffer).setUint16(0x40 + 24 + 68, 3, true);
  assert.deepEqual(check(openBytes(bytes)), ['error not_efi_application', 'error unsigned']);
});

test('a kernel that firmware has to trust by itself', async () => {
  const stub = { sdmagic: magic('systemd-stub', '257.13') };
  const pe = await signed(await made({}, stub));
  assert.deepEqual(check(pe), ['info kernel_unsigned']);
  assert.deepEqual(check(pe, { isKernelSignatureRequired: true }), ['error kernel_unsigned']);
  const { source: kernel } = await signed(kernelBytes());
  assert.deepEqual(check(await signed(await made({ linux: kernel }, stub)), { isKernelSignatureRequired: true }), []);
});

test('NX: lost by the stub, missing in the kernel, claimed for a kernel without', async () => {
  const plain = memorySource(kernelBytes({ dllCharacteristics: 0 }));
  assert.deepEqual(check(await signed(await made({}, { dllCharacteristics: 0 }))), ['warning nx_missing']);
  assert.deepEqual(check(await signed(await made({ linux: plain }))), ['warning nx_missing']);
  const bytes = await made({ linux: plain });
  new DataView(bytes.buffer).setUint16(0x40 + 24 + 70, 0x100, true);
  assert.deepEqual(check(await signed(bytes)), ['warning nx_untrue']);
});

test('addons: without a kernel, with one, with nothing to add', async () => {
  const stub = { sdmagic: magic('systemd-addon', '262.1') };
  const addon = await made({ ...without('linux', 'osrel'), cmdline: utf8('quiet') }, stub);
  assert.deepEqual(check(await signed(addon)), []);
  assert.deepEqual(check(await signed(await made({}, stub))), ['error addon_has_kernel']);
  assert.deepEqual(check(await signed(kernelBytes(stub))), ['error addon_empty']);
  const shell = await made({ ...without('linux', 'osrel'), cmdline: utf8('init=/bin/sh') }, stub);
  assert.deepEqual(check(await signed(shell)), ['warning cmdline_unsafe']);
});

test('profiles: each its own sections, a name, no section twice', async () => {
  const section = (name: string, text: string) => ({ name, content: memorySource(utf8(text)) });
  const profile = [section('.profile', 'ID=factory\nTITLE=Factory'), section('.cmdline', `quiet ${ROOT_HASH}`)];
  assert.deepEqual(check(await signed(await made({ profiles: [profile] }))), []);
  const unnamed = [section('.profile', 'TITLE=x'), ...profile.slice(1), ...profile.slice(1)];
  assert.deepEqual(check(await signed(await made({ profiles: [unnamed] }))), [
    'warning section_repeated',
    'warning profile_unnamed',
  ]);
  const old = await made({ profiles: [profile] }, { sdmagic: magic('systemd-stub', '256.1') });
  assert.deepEqual(check(await signed(old)), ['warning section_unread', 'info kernel_unsigned']);
});

test('a file that firmware cannot load is a finding: cut short, overlapping, no PE file', async () => {
  const bytes = await made();
  const codes = (octets: Uint8Array): string[] => told(checkUkiFile(memorySource(octets)));
  assert.deepEqual(codes(bytes.subarray(0, bytes.length - 512)), ['error file_malformed']);
  assert.deepEqual(codes(utf8('not a PE file')), ['error file_malformed']);
  const [finding] = checkUkiFile(memorySource(bytes.subarray(0, 2000)));
  assert.match(finding?.hint ?? '', /section_range/);
  const lying = Uint8Array.from(bytes);
  const pe = openBytes(bytes);
  const last = pe.sections.at(-1);
  assert.ok(last);
  // The last section's address over that of the one before.
  const at = pe.offsets.sectionTable + (pe.sections.length - 1) * 40 + 12;
  new DataView(lying.buffer).setUint32(at, pe.sections.at(-2)?.virtualAddress ?? 0, true);
  assert.ok(codes(lying).includes('error sections_overlap'));
  const short = Uint8Array.from(bytes);
  new DataView(short.buffer).setUint32(at - 4, last.sizeOfRawData + 1, true);
  assert.ok(codes(short).includes('warning section_short'));
  // As ukify 258 writes it.
  const { sizeOfImage } = openBytes(kernelBytes()).optionalHeader;
  assert.ok(sizeOfImage > last.sizeOfRawData && last.name === '.linux');
  new DataView(short.buffer).setUint32(at - 4, sizeOfImage, true);
  assert.ok(!codes(short).includes('warning section_short'));
});

const RISKY: readonly [text: string, code: string | undefined][] = [
  ['init=/bin/sh', 'cmdline_unsafe'],
  ['rdinit=/x', 'cmdline_unsafe'],
  ['rd.break', 'cmdline_unsafe'],
  ['rd.break=pre-mount', 'cmdline_unsafe'],
  ['systemd.debug-shell', 'cmdline_unsafe'],
  ['systemd.debug_shell=ttyS0', 'cmdline_unsafe'],
  ['rd.systemd.debug-shell=1', 'cmdline_unsafe'],
  ['initrd.shell', 'cmdline_unsafe'],
  ['"systemd.debug-shell"', 'cmdline_unsafe'],
  ['systemd.unit=emergency.target', 'cmdline_unsafe'],
  ['single', 'cmdline_unsafe'],
  ['systemd.set_credential=passwd.hashed-password.root:x', 'cmdline_unsafe'],
  ['systemd.setenv=SYSTEMD_SULOGIN_FORCE=1', 'cmdline_unsafe'],
  ['initrd=\\evil.img', 'cmdline_unsafe'],
  ['systemd.verity=no', 'cmdline_unsafe'],
  ['selinux=0', 'cmdline_unsafe'],
  ['ima_appraise=fix', 'cmdline_unsafe'],
  ['systemd.debug-shell=0', undefined],
  ['rd.shell=0', undefined],
  ['rd.emergency=reboot', undefined],
  ['systemd.unit=multi-user.target', undefined],
  ['systemd.verity=yes', undefined],
  ['selinux=1', undefined],
  ['xinit=/bin/sh', undefined],
  ['console=ttyS0', undefined],
  ['systemd.set_credential=getty.ttys.serial:x', undefined],
  ['foo="a init=/bin/sh b"', undefined],
];

for (const [text, code] of RISKY) {
  test(`command line: ${text}`, () => {
    const codes = checkCommandLine(`${ROOT_HASH} ${text}`, 'x', '.cmdline').map((finding) => finding.code);
    assert.deepEqual(codes, code === undefined ? [] : [code]);
  });
}

test('command line: nothing that ties it to a file system, and a secret is not told', () => {
  const codes = (text: string): string[] => checkCommandLine(text, 'x', '.cmdline').map(({ code }) => code);
  assert.deepEqual(codes('root=/dev/vda2 rw'), ['cmdline_unprotected']);
  assert.deepEqual(codes('roothash='), ['cmdline_unprotected']);
  assert.deepEqual(codes('roothash=zz'), ['cmdline_unprotected']);
  for (const good of [
    `usrhash=${'0f'.repeat(32)}`,
    'systemd.image_policy=root=verity+signed:=absent',
    'dm-mod.create="a,,,ro,0 8 verity 1 x"',
  ]) {
    assert.deepEqual(codes(good), [], good);
  }
  const [finding] = checkCommandLine('systemd.set_credential=passwd.plaintext-password.root:geheim', 'x', 'y');
  assert.equal(JSON.stringify(finding).includes('geheim'), false);
  assert.equal(checkCommandLine('single '.repeat(1000), 'x', 'y').length, 65);
});

test('parameters of a command line, as the kernel cuts them', () => {
  const cut = (text: string) => parseKernelCommandLine(text).map(({ name, value }) => [name, value]);
  assert.deepEqual(cut(' a  b=c d="e f" "g=h i" j=k=l "open end\0'), [
    ['a', undefined],
    ['b', 'c'],
    ['d', 'e f'],
    ['g', 'h i'],
    ['j', 'k=l'],
    ['open end\0', undefined],
  ]);
  assert.equal(parseKernelCommandLine('a bc')[1]?.offset, 2);
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', ' ', '"', '=', '\n') }), (text) => {
      for (const { offset } of parseKernelCommandLine(text)) assert.ok(offset < text.length);
    }),
  );
  assert.equal(parseKernelCommandLine('"'.repeat(60_001)).length, 1);
});

const VECTORS = needsVectors('image', 'uki');

test('.pcrsig of ukify and systemd-measure: by the key of .pcrpkey, and not by another', VECTORS, () => {
  const text = (...path: string[]): string => readFileSync(imagePath('uki', ...path), 'utf8');
  const key = parsePcrPublicKey(text('keys', 'pcr.pub'));
  const other = parsePcrPublicKey(text('keys', 'pcr2.pub'));
  const signatures = parsePcrSignatures(text('measure', 'sign-all-banks.257.json'));
  assert.equal(new Set(signatures.map(({ bank }) => bank)).size, 4);
  for (const signature of signatures) {
    assert.equal(isPcrSignatureBy(signature, key), true, signature.bank);
    assert.equal(isPcrSignatureBy(signature, other), false);
    assert.deepEqual(signature.keyFingerprint, key.fingerprint);
    const moved = { ...signature, policy: signature.policy.map((octet) => octet ^ 1) };
    assert.equal(isPcrSignatureBy(moved, key), false);
    assert.equal(isPcrSignatureBy({ ...signature, reference: 'initrd' }, key), undefined);
  }
});

test('.pcrsig and .pcrpkey of an image that do not belong together', VECTORS, async () => {
  const octets = (...path: string[]): Uint8Array => readImage('uki', ...path);
  const pcrsig = octets('measure', 'sign-basic.257.json');
  const codes = async (contents: UkiContents): Promise<string[]> => check(await signed(await made(contents)));
  const pcrpkey = octets('keys', 'pcr.pub');
  assert.deepEqual(await codes({ pcrsig, pcrpkey }), []);
  assert.deepEqual(await codes({ pcrsig }), ['info pcrsig_alone']);
  assert.deepEqual(await codes({ pcrpkey }), ['info pcrsig_alone']);
  assert.deepEqual(await codes({ pcrsig, pcrpkey: octets('keys', 'pcr2.pub') }), ['warning pcrsig_other_key']);
  assert.deepEqual(await codes({ pcrsig, pcrpkey: utf8('no key') }), ['warning pcrsig_unusable']);
  assert.deepEqual(await codes({ pcrsig: utf8('[]'), pcrpkey }), ['warning pcrsig_unusable']);
  const json = JSON.parse(parseUtf8(pcrsig)) as Record<string, { pol: string }[]>;
  for (const entry of json['sha256'] ?? []) entry.pol = entry.pol.replace(/^../, (two) => (two === '00' ? '01' : '00'));
  assert.deepEqual(await codes({ pcrsig: utf8(JSON.stringify(json)), pcrpkey }), ['warning pcrsig_invalid']);
});

test('.pcrsig that is refused', () => {
  const entry = { pcrs: [11], pkfp: '00'.repeat(32), pol: '00'.repeat(32), sig: 'AAAA' };
  assert.equal(parsePcrSignatures(JSON.stringify({ sha256: [entry] })).length, 1);
  for (const bad of [
    [],
    { sha256: {} },
    { sha256: [1] },
    { sha256: [{ ...entry, pcrs: [24] }] },
    { sha256: [{ ...entry, pcrs: 11 }] },
    { sha256: [{ ...entry, pkfp: '00' }] },
    { sha256: [{ ...entry, pol: 'x'.repeat(64) }] },
    { sha256: [{ ...entry, sig: '*' }] },
    { sha256: [{ ...entry, ref: 1 }] },
  ]) {
    assert.throws(() => parsePcrSignatures(JSON.stringify(bad)), { code: 'pcrsig_malformed' }, JSON.stringify(bad));
  }
  assert.equal(parsePcrSignatures(JSON.stringify({ a: Array(256).fill(entry) })).length, 256);
  assert.throws(() => parsePcrSignatures('{'), { code: 'pcrsig_malformed' });
  assert.throws(() => parsePcrSignatures(JSON.stringify({ a: Array(257).fill(entry) })), { code: 'limit' });
  assert.throws(() => parsePcrPublicKey(''), { code: 'pcrsig_malformed' });
});

test('images of the vectors: what would stop each', needsVectors('image', 'boot'), () => {
  const { lists: db } = decodeSignatureUpdate(readImage('efivars', 'db.esl'));
  const errors = (...path: string[]): string[] =>
    checkUki(openImage(...path), { secureBoot: { db } })
      .filter(({ severity }) => severity === 'error')
      .map(({ code }) => code);
  // All of these but the unsigned ones booted under OVMF with Secure Boot on.
  assert.deepEqual(errors('boot', 'uki-257.13-signed.efi'), []);
  assert.deepEqual(errors('boot', 'in', 'one.addon.efi'), []);
  assert.deepEqual(errors('boot', 'uki-257.13.efi'), ['unsigned']);
  assert.deepEqual(errors('boot', 'uki-252.39.efi'), ['unsigned']);
  assert.deepEqual(errors('uki', 'out', 'signed-sbsign.ukify257.efi'), ['kernel_malformed']);
  assert.deepEqual(errors('uki', 'out', 'multiprofile.ukify257.efi'), ['unsigned', 'kernel_malformed']);
  assert.deepEqual(errors('boot', 'sd-boot-257.13-signed.efi'), ['section_missing']);
});

test('every truncation of a signed image is a finding, never an exception', async () => {
  const { source } = await signed(await made());
  const bytes = readBytes(source, 0, source.size);
  for (let length = 0; length < bytes.length; length += 37) {
    const findings = checkUkiFile(memorySource(bytes.subarray(0, length)));
    assert.ok(
      findings.some(({ severity }) => severity === 'error'),
      `${length}`,
    );
  }
  assert.ok(openPe(memorySource(bytes)));
});

test('sections with the names of a newer stub are told for an old one', async () => {
  const stub = madeStub({ sdmagic: magic('systemd-stub', '257.1') });
  const sections = ['.efifw', '.hwids'].map((name) => ({ name, content: memorySource(utf8('x')) }));
  const pe = openBytes(await written((sink) => appendSections(stub, sections, sink)));
  const unread = checkUki(pe).filter(({ code }) => code === 'section_unread');
  assert.deepEqual(
    unread.map(({ where }) => where.path),
    ['.efifw'],
  );
});

test('PCR signatures of more profiles than are checked are told', async () => {
  const section = (name: string) => ({ name, content: memorySource(utf8('ID=a')) });
  const profiles = (count: number) => Array.from({ length: count }, () => ['.profile', '.pcrsig'].map(section));
  const unusable = async (count: number): Promise<number> =>
    check(openBytes(await made({ profiles: profiles(count) }, { sizeOfHeaders: 4096 }))).filter(
      (text) => text === 'warning pcrsig_unusable',
    ).length;
  assert.equal(await unusable(16), 16);
  assert.equal(await unusable(17), 17);
  assert.equal(await unusable(20), 17);
});
