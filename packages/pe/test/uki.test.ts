// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { parseUtf8, toHex, utf8 } from '@vouchsafe/base';
import { memorySource, readBytes } from '@vouchsafe/bytes';
import {
  appendSections,
  buildUki,
  checkLayout,
  checksumOf,
  findSection,
  isPe,
  mergeSbat,
  type NewSection,
  NX_COMPAT,
  openPe,
  type PeFile,
  readSbat,
  sectionSource,
  stubVersionOf,
  UKI_SBAT,
  type UkiContents,
  ukiSections,
} from '@vouchsafe/pe';
import { needsVectors } from '@vouchsafe/testing';
import { MADE_ADDON_STUB, madeStub } from './made-pe.ts';
import { imageSource, openBytes, openImage, readImage, written } from './support.ts';

const VECTORS = needsVectors('image', 'uki');
const INPUT = (name: string) => imageSource('uki', 'inputs', name);
const OCTETS = (name: string) => readImage('uki', 'inputs', name);

/** Contents of the vectors that COMMANDS.tsv calls basic. */
function basic(): UkiContents {
  return {
    linux: INPUT('fake-linux.bin'),
    initrds: [INPUT('fake-initrd.bin')],
    osrel: OCTETS('os-release'),
    cmdline: OCTETS('cmdline'),
    uname: utf8('6.1.0-56-amd64'),
  };
}

function sectionBytes(pe: PeFile, name: string): Uint8Array | undefined {
  const section = findSection(pe, name);
  if (section === undefined) return undefined;
  const source = sectionSource(pe, section);
  return readBytes(source, 0, source.size);
}

const SAME: readonly [output: string, stub: string, contents: () => UkiContents][] = [
  ['basic-stub257.ukify257.efi', 'linuxx64-257.13.efi.stub', basic],
  ['arm64.ukify257.efi', 'linuxaa64-257.13.efi.stub', basic],
  [
    'full-stub257.ukify257.efi',
    'linuxx64-257.13.efi.stub',
    () => ({
      ...basic(),
      splash: INPUT('splash.bmp'),
      dtb: INPUT('fake-dtb.bin'),
      ucode: INPUT('fake-ucode.bin'),
      pcrpkey: OCTETS('pcrpkey.pem'),
      sbat: [parseUtf8(OCTETS('sbat'))],
    }),
  ],
  [
    'two-initrds.ukify257.efi',
    'linuxx64-257.13.efi.stub',
    () => ({ ...basic(), uname: utf8('x'), initrds: [INPUT('fake-initrd.bin'), INPUT('fake-ucode.bin')] }),
  ],
  [
    'addon-cmdline.ukify257.efi',
    'addonx64-257.13.efi.stub',
    () => ({ cmdline: utf8('debug extra=1'), sbat: [parseUtf8(OCTETS('sbat'))] }),
  ],
];

for (const [output, stub, contents] of SAME) {
  test(`the same file as ukify 257 makes: ${output}`, VECTORS, async () => {
    const built = await written((sink) =>
      buildUki(openImage('uki', 'stubs', stub), contents(), sink, { hasChecksum: false }),
    );
    assert.deepEqual(built, readImage('uki', 'out', output));
  });
}

for (const [output, stub] of [
  ['pcrsig-stub257.ukify257.efi', 'linuxx64-257.13.efi.stub'],
  ['multiprofile.ukify257.efi', 'linuxx64-257.13.efi.stub'],
  ['prof1.ukify257.efi', 'addonx64-257.13.efi.stub'],
] as const) {
  test(`the same file as ukify 257 makes, from its own sections: ${output}`, VECTORS, async () => {
    const opened = openImage('uki', 'stubs', stub);
    const made = openImage('uki', 'out', output);
    const own = new Set(opened.sections.map(({ name }) => name));
    const sections = made.sections
      .filter(({ name }) => !own.has(name) || (name === '.sbat' && !output.startsWith('prof1')))
      .map((section): NewSection => ({ name: section.name, content: sectionSource(made, section) }));
    const built = await written((sink) => appendSections(opened, sections, sink, { hasChecksum: false }));
    assert.deepEqual(built, readImage('uki', 'out', output));
  });
}

test(
  'stub 252: .sbat, for which ukify leaves no room, moves to the end; all else is as ukify has it',
  VECTORS,
  async () => {
    const ukify = openImage('uki', 'out', 'basic-stub252.ukify257.efi');
    assert.deepEqual(
      checkLayout(ukify)
        .filter(({ severity }) => severity === 'error')
        .map(({ code, where }) => [code, where.path]),
      [['sections_overlap', '.sdmagic']],
    );
    const built = openBytes(
      await written((sink) => buildUki(openImage('uki', 'stubs', 'linuxx64-252.39.efi.stub'), basic(), sink)),
    );
    assert.deepEqual(
      checkLayout(built).filter(({ severity }) => severity === 'error'),
      [],
    );
    assert.equal(built.sections.at(-1)?.name, '.sbat');
    assert.equal(built.sections.filter(({ name }) => name === '.sbat').length, 1);
    for (const { name } of ukify.sections) assert.deepEqual(sectionBytes(built, name), sectionBytes(ukify, name), name);
    assert.equal(built.fileHeader.pointerToSymbolTable, 0);
  },
);

test(
  'a real kernel and stub 252: the same sections as in the image that booted',
  needsVectors('image', 'boot'),
  async () => {
    const booted = openImage('boot', 'uki-252.39.efi');
    const content = (name: string): Uint8Array => {
      const bytes = sectionBytes(booted, name);
      assert.ok(bytes, name);
      return bytes;
    };
    const built = openBytes(
      await written((sink) =>
        buildUki(
          openImage('uki', 'stubs', 'linuxx64-252.39.efi.stub'),
          {
            linux: memorySource(content('.linux')),
            initrds: [memorySource(content('.initrd'))],
            osrel: content('.osrel'),
            cmdline: content('.cmdline'),
            uname: content('.uname'),
            pcrpkey: content('.pcrpkey'),
            pcrsig: content('.pcrsig'),
          },
          sink,
        ),
      ),
    );
    for (const name of ['.linux', '.initrd', '.osrel', '.cmdline', '.uname', '.pcrpkey', '.pcrsig', '.text', '.data']) {
      assert.deepEqual(sectionBytes(built, name), content(name), name);
    }
    const kernel = findSection(built, '.linux');
    assert.ok(kernel);
    assert.ok(isPe(sectionSource(built, kernel)));
  },
);

test('the version of each stub', needsVectors('image', 'pe'), () => {
  const path = ['pe', 'stubs', '252.39-amd64'];
  assert.deepEqual(stubVersionOf(openImage(...path, 'linuxx64.efi.stub')), {
    product: 'systemd-stub',
    version: '252.39-1~deb12u2',
    major: 252,
  });
  assert.equal(stubVersionOf(openImage(...path, 'systemd-bootx64.efi'))?.product, 'systemd-boot');
  assert.equal(stubVersionOf(openImage('uki', 'stubs', 'addonx64-257.13.efi.stub'))?.major, 257);
});

test('a stub that says nothing of its version', () => {
  assert.equal(stubVersionOf(madeStub({ sdmagic: '#### LoaderInfo: other ####' })), undefined);
  assert.equal(stubVersionOf(madeStub({ sdmagic: '#### LoaderInfo: systemd-stub 262.1~rc1 ####' }))?.major, 262);
});

for (const alignment of [512, 4096]) {
  test(`sections are aligned and apart, SizeOfImage and CheckSum right: alignment ${alignment}`, async () => {
    const stub = madeStub({ sectionAlignment: alignment });
    const linux = memorySource(Uint8Array.from({ length: 7001 }, (_, i) => i % 251));
    const bytes = await written((sink) => buildUki(stub, { linux, cmdline: utf8('quiet') }, sink));
    const pe = openBytes(bytes);
    assert.deepEqual(checkLayout(pe), []);
    for (const { virtualAddress, pointerToRawData, sizeOfRawData } of pe.sections) {
      assert.equal(virtualAddress % alignment, 0);
      assert.equal(pointerToRawData % 512, 0);
      assert.equal(sizeOfRawData % 512, 0);
    }
    const last = pe.sections.at(-1);
    assert.ok(last);
    const end = Math.ceil((last.virtualAddress + last.virtualSize) / alignment) * alignment;
    assert.equal(pe.optionalHeader.sizeOfImage, end);
    assert.equal(findSection(pe, '.linux')?.virtualSize, 7001);
    assert.equal(pe.optionalHeader.checkSum, checksumOf(pe.source, pe.offsets.optionalHeader + 64));
    assert.notEqual(pe.optionalHeader.checkSum, 0);
  });
}

test('the headers grow when the table has no room, and the stub keeps its addresses and content', async () => {
  const stub = madeStub({ sizeOfHeaders: 512 });
  const further = Array.from({ length: 40 }, (_, i) => ({
    name: `.x${i}`,
    content: memorySource(utf8(`section ${i}`)),
  }));
  const pe = openBytes(await written((sink) => buildUki(stub, { linux: memorySource(utf8('kernel')), further }, sink)));
  assert.ok(pe.optionalHeader.sizeOfHeaders > 512);
  assert.deepEqual(checkLayout(pe), []);
  for (const { name, virtualAddress } of stub.sections) {
    assert.equal(findSection(pe, name)?.virtualAddress, virtualAddress);
    if (name !== '.sbat') assert.deepEqual(sectionBytes(pe, name), sectionBytes(stub, name));
  }
  assert.deepEqual(sectionBytes(pe, '.x39'), utf8('section 39'));
});

test('headers that cannot grow below the first section are an error', async () => {
  const further = Array.from({ length: 120 }, (_, i) => ({ name: `.x${i}`, content: memorySource(utf8('x')) }));
  await assert.rejects(
    written((sink) => buildUki(madeStub({ sizeOfHeaders: 512 }), { linux: memorySource(utf8('k')), further }, sink)),
    { code: 'stub_unsuitable' },
  );
});

test('NX_COMPAT stays for a kernel that has it, and goes for one that has not', async () => {
  const nx = async (kernel: PeFile | undefined): Promise<boolean> => {
    const linux = kernel?.source ?? memorySource(utf8('not a PE file'));
    const pe = openBytes(await written((sink) => buildUki(madeStub({}), { linux }, sink)));
    return (pe.optionalHeader.dllCharacteristics & NX_COMPAT) !== 0;
  };
  assert.equal(await nx(madeStub({})), true);
  assert.equal(await nx(madeStub({ dllCharacteristics: 0 })), false);
  assert.equal(await nx(undefined), true);
});

test('SBAT: components of all, one first line, and what is not SBAT refused', () => {
  const merged = mergeSbat([UKI_SBAT, 'sbat,1,x\r\nmine,2,Me\r\n']);
  assert.equal(merged.split('\n').filter((line) => line.startsWith('sbat,')).length, 1);
  assert.ok(merged.endsWith('\nmine,2,Me\n\0'));
  assert.throws(() => mergeSbat(['mine,2,Me\n']), { code: 'sbat_malformed' });
  assert.throws(() => mergeSbat(['']), { code: 'sbat_malformed' });
});

test("the kernel's SBAT is part of the image's, so that it can be revoked", async () => {
  const kernel = madeStub({ sbat: 'sbat,1,x\nlinux.made,3,Made\n' });
  const pe = openBytes(await written((sink) => buildUki(madeStub({}), { linux: kernel.source }, sink)));
  assert.match(readSbat(pe) ?? '', /\nstub\.made,1,Made\nlinux\.made,3,Made\nuki,1,/);
});

const REFUSED: readonly [what: string, contents: UkiContents][] = [
  ['nothing at all', {}],
  ['an addon without anything that counts', { uname: utf8('6.1') }],
  ['a name without a dot', { cmdline: utf8('x'), further: [{ name: 'x', content: memorySource(utf8('x')) }] }],
  [
    'a name of nine characters',
    { cmdline: utf8('x'), further: [{ name: '.12345678', content: memorySource(utf8('x')) }] },
  ],
  ["the stub's code", { cmdline: utf8('x'), further: [{ name: '.text', content: memorySource(utf8('x')) }] }],
  ['.sbat twice', { cmdline: utf8('x'), further: [{ name: '.sbat', content: memorySource(utf8('x')) }] }],
  [
    'a section without content',
    { cmdline: utf8('x'), further: [{ name: '.y', content: memorySource(new Uint8Array()) }] },
  ],
  [
    'a profile without .profile',
    { cmdline: utf8('x'), profiles: [[{ name: '.cmdline', content: memorySource(utf8('x')) }]] },
  ],
];

for (const [what, contents] of REFUSED) {
  test(`refused: ${what}`, async () => {
    await assert.rejects(
      written((sink) => buildUki(MADE_ADDON_STUB, contents, sink)),
      { code: 'options_invalid' },
    );
  });
}

test('a stub with something behind its sections is refused, so that nothing is lost', async () => {
  const { source } = madeStub({});
  const bytes = readBytes(source, 0, source.size);
  const padded = openBytes(Uint8Array.from([...bytes, 0, 0, 0]));
  const linux = memorySource(utf8('k'));
  await written((sink) => buildUki(padded, { linux }, sink));
  const trailing = openBytes(Uint8Array.from([...bytes, 0, 1]));
  await assert.rejects(
    written((sink) => buildUki(trailing, { linux }, sink)),
    { code: 'stub_unsuitable' },
  );
});

test('empty parts are left out, and dtbauto may be there more than once', () => {
  const dtbauto = [memorySource(utf8('one')), memorySource(utf8('two'))];
  const names = ukiSections(madeStub({}), { linux: memorySource(utf8('k')), cmdline: new Uint8Array(), dtbauto });
  assert.deepEqual(
    names.map(({ name }) => name),
    ['.dtbauto', '.dtbauto', '.linux', '.sbat'],
  );
});

test('writing stops when it is cancelled, and reports how far it is', async () => {
  const seen: number[] = [];
  const linux = memorySource(new Uint8Array(3 * 1024 * 1024));
  await written((sink) => buildUki(madeStub({}), { linux }, sink, { onProgress: ({ done }) => void seen.push(done) }));
  assert.deepEqual(
    seen,
    seen.toSorted((a, b) => a - b),
  );
  const signal = AbortSignal.abort();
  await assert.rejects(
    written((sink) => buildUki(madeStub({}), { linux }, sink, { signal })),
    { name: 'AbortError' },
  );
});

test('section data is what the stub measures: VirtualSize octets, zeros behind those in the file', VECTORS, () => {
  const pe = openImage('uki', 'out', 'full-stub257.ukify257.efi');
  const linux = sectionBytes(pe, '.linux');
  assert.deepEqual(linux, OCTETS('fake-linux.bin'));
  const hash = createHash('sha256').update(OCTETS('fake-linux.bin')).digest('hex');
  assert.equal(toHex(createHash('sha256').update(linux).digest()), hash);
  const bss = madeStub({ bssBytes: 100 });
  assert.deepEqual(sectionBytes(bss, '.bss'), new Uint8Array(100));
  assert.equal(openPe(bss.source).sections.length, bss.sections.length);
});
