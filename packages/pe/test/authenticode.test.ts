// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { concatBytes, toHex } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import {
  attachSignature,
  checkSignatures,
  checksumOf,
  checkUkiFile,
  createSignature,
  digestCoveredBySignature,
  findSection,
  openPe,
  PeChecksum,
  type PeErrorCode,
  type PeFile,
  readCertificateTable,
  readSignatures,
  removeSignatures,
  sectionSource,
  signPe,
} from '@vouchsafe/pe';
import { decodeCertificates } from '@vouchsafe/pki';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import { needsTool, needsVectors, tempDir } from '@vouchsafe/testing';
import fc from 'fast-check';
import { madeBytes, madeStub } from './made-pe.ts';
import { imagePath, openBytes, openImage, readImage, testCertificate, testSigner, written } from './support.ts';

const KEYS = needsVectors('image', 'uki');
const SIGN = needsVectors('image', 'sign');

const codes = (pe: PeFile, ...names: string[]): string[] =>
  checkSignatures(pe, { trusted: names.map(testCertificate) }).findings.map(({ code }) => code);

async function signed(pe: PeFile, keyName = 'db', signingTimeMs?: number): Promise<Uint8Array> {
  const signer = await testSigner(keyName);
  return written((sink) => signPe(pe, sink, { signer, ...(signingTimeMs === undefined ? {} : { signingTimeMs }) }));
}

const OTHERS = ['sbsign', 'osslsigncode', 'pesign'].flatMap((tool) => [
  ['sign', `unsigned-2048.${tool}.efi`],
  ['sign', `unsigned-uki.${tool}.efi`],
]);

for (const path of [
  ...OTHERS,
  ['uki', 'out', 'signed-sbsign.ukify257.efi'],
  ['uki', 'out', 'signed-sdsbsign.ukify257.efi'],
  ['boot', 'uki-257.13-signed.efi'],
  ['boot', 'sd-boot-257.13-signed.efi'],
]) {
  test(`verified: ${path.join('/')}`, SIGN, () => {
    const pe = openImage(...path);
    const check = checkSignatures(pe, { trusted: [testCertificate('PK'), testCertificate('db')] });
    assert.deepEqual(check.findings, []);
    assert.equal(check.isTrusted, true);
    const [result] = check.results;
    assert.equal(result?.anchor?.subject.text, testCertificate('db').subject.text);
    assert.equal(result?.signers[0]?.certificate.subject.text, testCertificate('db').subject.text);
    assert.deepEqual(codes(pe, 'KEK'), ['signer_unknown']);
  });
}

test(
  "Debian's signature of the kernel inside an image is read; nobody here trusts it",
  needsVectors('image', 'boot'),
  () => {
    const uki = openImage('boot', 'uki-257.13.efi');
    const linux = findSection(uki, '.linux');
    assert.ok(linux);
    const kernel = openPe(sectionSource(uki, linux));
    const [entry] = readSignatures(kernel);
    assert.equal(
      toHex(entry?.signature?.indirectData.digest ?? new Uint8Array()),
      toHex(digestCoveredBySignature(kernel, 'sha256')),
    );
    assert.deepEqual(codes(kernel, 'db'), ['signer_unknown']);
  },
);

test('one changed octet anywhere in a section is found', SIGN, () => {
  const bytes = readImage('sign', 'unsigned-uki.sbsign.efi');
  const [section] = openBytes(bytes).sections;
  assert.ok(section);
  const at = section.pointerToRawData + 5;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  assert.deepEqual(codes(openBytes(bytes), 'db'), ['digest_mismatch']);
});

test('a signature of another file does not count', SIGN, async () => {
  const [other] = readSignatures(openImage('sign', 'unsigned-2048.sbsign.efi'));
  assert.ok(other?.signature);
  const { bytes } = other.signature;
  const moved = await written((sink) => attachSignature(openImage('sign', 'unsigned-uki.efi'), sink, bytes));
  assert.deepEqual(codes(openBytes(moved), 'db'), ['digest_mismatch']);
});

test('the detached signature that sbsign makes is the one it puts into the file', SIGN, async () => {
  const pk7 = readImage('sign', 'unsigned-2048.sbsign.pk7');
  const bytes = await written((sink) => attachSignature(openImage('sign', 'unsigned-2048.efi'), sink, pk7));
  const pe = openBytes(bytes);
  assert.deepEqual(codes(pe, 'db'), []);
  // Everything but the signature itself, which has another time, is as sbsign writes it: table, padding, directory.
  const sbsign = openImage('sign', 'unsigned-2048.sbsign.efi');
  assert.deepEqual(pe.certificateTable, sbsign.certificateTable);
  assert.equal(readCertificateTable(pe)[0]?.data.length, readCertificateTable(sbsign)[0]?.data.length);
});

test('CheckSum as sbsign and osslsigncode compute it', SIGN, () => {
  for (const name of ['unsigned-2048.sbsign.efi', 'unsigned-uki.osslsigncode.efi', 'unsigned-uki.sbsign.efi']) {
    const pe = openImage('sign', name);
    assert.equal(checksumOf(pe.source, pe.offsets.optionalHeader + 64), pe.optionalHeader.checkSum, name);
  }
});

test('the sum is that of 16-bit words with the carry brought round, whatever the pieces', () => {
  const simple = (bytes: Uint8Array): number => {
    let sum = 0;
    for (let i = 0; i < bytes.length; i += 2) {
      sum += (bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8);
      sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum + bytes.length;
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(150), fc.boolean(), (bytes, half, isOnes) => {
      if (isOnes) bytes.fill(0xff);
      const cut = Math.min(2 * half, bytes.length);
      const sum = new PeChecksum().add(bytes.subarray(0, cut)).add(bytes.subarray(cut)).finish(bytes.length);
      assert.equal(sum, simple(bytes));
    }),
  );
});

test('signing is deterministic, with and without a time', KEYS, async () => {
  const pe = madeStub({});
  assert.deepEqual(await signed(pe), await signed(pe));
  const timed = await signed(pe, 'db', 1_700_000_000_000);
  assert.deepEqual(timed, await signed(pe, 'db', 1_700_000_000_000));
  assert.notDeepEqual(timed, await signed(pe));
});

for (const algorithm of ['sha1', 'sha256', 'sha384', 'sha512'] as const) {
  test(`signed and checked with ${algorithm} of the file`, KEYS, async () => {
    const signer = await testSigner('db');
    const pe = openBytes(await written((sink) => signPe(madeStub({}), sink, { signer, digestAlgorithm: algorithm })));
    const [entry] = readSignatures(pe);
    assert.equal(
      toHex(entry?.signature?.indirectData.digest ?? new Uint8Array()),
      toHex(digestCoveredBySignature(pe, algorithm)),
    );
    assert.deepEqual(codes(pe, 'db'), algorithm === 'sha1' ? ['digest_refused'] : []);
    const trusted = [testCertificate('db')];
    assert.equal(checkSignatures(pe, { trusted, digests: [algorithm, 'sha256'] }).isTrusted, true);
  });
}

test('several signatures: each is checked, one good one is enough', KEYS, async () => {
  const once = openBytes(await signed(madeStub({}), 'KEK'));
  const twice = openBytes(await signed(once, 'db'));
  assert.equal(readCertificateTable(twice).length, 2);
  assert.deepEqual(codes(twice, 'db', 'KEK'), []);
  const check = checkSignatures(twice, { trusted: [testCertificate('db')] });
  assert.equal(check.isTrusted, true);
  assert.deepEqual(
    check.results.map(({ findings }) => findings.map(({ code }) => code)),
    [['signer_unknown'], []],
  );
});

test('removing: one by its place, or all, which gives the padded file back', KEYS, async () => {
  for (const extra of [0, 3]) {
    const original = Uint8Array.from([...madeBytes(), ...new Uint8Array(extra).fill(5)]);
    const twice = openBytes(await signed(openBytes(await signed(openBytes(original), 'KEK')), 'db'));
    const second = openBytes(await written((sink) => removeSignatures(twice, sink, (index) => index === 0)));
    assert.deepEqual(codes(second, 'db'), []);
    assert.equal(readCertificateTable(second).length, 1);
    const none = openBytes(await written((sink) => removeSignatures(twice, sink)));
    assert.equal(none.certificateTable, undefined);
    assert.equal(none.source.size, Math.ceil(original.length / 8) * 8);
    const covered = toHex(digestCoveredBySignature(openBytes(original), 'sha256'));
    assert.equal(toHex(digestCoveredBySignature(none, 'sha256')), covered);
    assert.equal(none.optionalHeader.checkSum, checksumOf(none.source, none.offsets.optionalHeader + 64));
    assert.deepEqual(codes(none, 'db'), ['unsigned']);
  }
});

test('a file without a place for signatures cannot be signed', KEYS, async () => {
  const bytes = madeBytes();
  const view = new DataView(bytes.buffer);
  // Four directories; the section table moves up to where they end.
  view.setUint32(0x40 + 24 + 108, 4, true);
  view.setUint16(0x40 + 20, 112 + 32, true);
  bytes.copyWithin(0x40 + 24 + 112 + 32, 0x40 + 24 + 112 + 128, 0x40 + 24 + 112 + 128 + 120);
  const pe = openBytes(bytes);
  assert.equal(digestCoveredBySignature(pe, 'sha256').length, 32);
  await assert.rejects(signed(pe), { code: 'header_malformed' });
});

/** Changes of a signed file's certificate table: 8 octets of header, then DER. */
const TABLES: readonly [what: string, change: (view: DataView, table: number) => void, code: PeErrorCode][] = [
  ['dwLength 0', (view, at) => view.setUint32(at, 0, true), 'certificate_table'],
  ['dwLength of the header alone', (view, at) => view.setUint32(at, 8, true), 'certificate_table'],
  ['dwLength beyond the table', (view, at) => view.setUint32(at, view.byteLength - at + 1, true), 'certificate_table'],
  ['dwLength that would wrap', (view, at) => view.setUint32(at, 0xffff_fffe, true), 'certificate_table'],
  ['dwLength that leaves junk as the next entry', (view, at) => view.setUint32(at, 16, true), 'certificate_table'],
];

for (const [what, change, code] of TABLES) {
  test(`certificate table: ${what}`, KEYS, async () => {
    const bytes = await signed(madeStub({}));
    const table = openBytes(bytes).certificateTable?.start ?? 0;
    change(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), table);
    assert.throws(() => readCertificateTable(openBytes(bytes)), { code });
  });
}

/** SETs in each other, in DER, up to `size` octets in all. */
function nestedSets(size: number): Uint8Array {
  const headers: number[][] = [];
  let inside = 0;
  for (;;) {
    const length =
      inside < 0x80 ? [inside] : [0x84, inside >>> 24, (inside >>> 16) & 255, (inside >>> 8) & 255, inside & 255];
    // The shortest form, or the reader ends at the outermost.
    while (length.length > 2 && length[1] === 0) length.splice(0, 2, (length[0] as number) - 1);
    const header = [0x31, ...length];
    if (inside + header.length > size) break;
    headers.push(header);
    inside += header.length;
  }
  return Uint8Array.from(headers.toReversed().flat());
}

/** A made file with these octets as its one certificate. */
function withCertificate(content: Uint8Array): Uint8Array {
  const made = madeBytes();
  const entry = new Uint8Array(Math.ceil((8 + content.length) / 8) * 8);
  const header = new DataView(entry.buffer);
  header.setUint32(0, 8 + content.length, true);
  header.setUint16(4, 0x200, true);
  header.setUint16(6, 2, true);
  entry.set(content, 8);
  const file = concatBytes(made, entry);
  const directory = new DataView(file.buffer);
  directory.setUint32(0x40 + 24 + 112 + 32, made.length, true);
  directory.setUint32(0x40 + 24 + 112 + 36, entry.length, true);
  return file;
}

test('a signature of nested sets, of indefinite lengths or with lengths that lie is a finding, however large it is', () => {
  const large = 4 * 1024 * 1024 - 64;
  const indefinite = new Uint8Array(200_000).map((_, i) => (i < 100_000 ? (i % 2 === 0 ? 0x30 : 0x80) : 0));
  for (const [what, content] of [
    ['nested sets', nestedSets(large)],
    [
      'nested sets in what looks like a message',
      concatBytes(Uint8Array.of(0x30, 0x83, 0x0f, 0x42, 0x40), nestedSets(1_000_000)),
    ],
    ['indefinite lengths', indefinite],
    ['a length beyond the end', Uint8Array.of(0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0)],
    ['a length of 126 octets', Uint8Array.of(0x30, 0xfe, ...new Uint8Array(126).fill(0xff))],
  ] as const) {
    const codes = checkUkiFile(memorySource(withCertificate(content), 'bad.efi'), { secureBoot: { db: [] } }).map(
      ({ code }) => code,
    );
    assert.ok(codes.includes('signature_malformed'), `${what}: ${codes.join()}`);
  }
  // Above the limit nothing of it is looked at.
  assert.throws(() => openBytes(withCertificate(new Uint8Array(10 * 1024 * 1024))), { code: 'limit' });
});

test('octets behind the table, a table not at a multiple of 8 or over a section are errors', KEYS, async () => {
  const bytes = await signed(madeStub({}));
  assert.throws(() => openBytes(concatBytes(bytes, new Uint8Array(8))), { code: 'certificate_table' });
  assert.throws(() => openBytes(bytes.subarray(0, -1)), { code: 'certificate_table' });
  const entry = 0x40 + 24 + 112 + 32;
  for (const shift of [4, -1024]) {
    const moved = Uint8Array.from(bytes);
    const view = new DataView(moved.buffer);
    view.setUint32(entry, view.getUint32(entry, true) + shift, true);
    view.setUint32(entry + 4, view.getUint32(entry + 4, true) - shift, true);
    assert.throws(() => openBytes(moved), { code: 'certificate_table' });
  }
});

test('a table may hold 32 certificates', KEYS, async () => {
  let pe = madeStub({});
  const signature = await createSignature(pe, { signer: await testSigner('db') });
  for (let i = 0; i < 32; i++) {
    const now = pe;
    pe = openBytes(await written((sink) => attachSignature(now, sink, signature)));
  }
  assert.equal(readCertificateTable(pe).length, 32);
  await assert.rejects(
    written((sink) => attachSignature(pe, sink, signature)),
    { code: 'limit' },
  );
});

test('a broken signature does not hide a good one, and every truncation of one is a finding', KEYS, async () => {
  const pe = madeStub({});
  const signature = await createSignature(pe, { signer: await testSigner('db') });
  for (let length = 1; length < signature.length; length += 7) {
    const broken = openBytes(await written((sink) => attachSignature(pe, sink, signature.subarray(0, length))));
    assert.deepEqual(codes(broken, 'db'), ['signature_malformed']);
  }
  const broken = openBytes(await written((sink) => attachSignature(pe, sink, signature.subarray(0, 100))));
  const both = openBytes(await written((sink) => attachSignature(broken, sink, signature)));
  const check = checkSignatures(both, { trusted: [testCertificate('db')] });
  assert.equal(check.isTrusted, true);
  assert.deepEqual(
    check.findings.map(({ code }) => code),
    ['signature_malformed'],
  );
});

test('one changed octet of a signature is never trusted', KEYS, async () => {
  const bytes = await signed(madeStub({}));
  const pe = openBytes(bytes);
  const start = (pe.certificateTable?.start ?? 0) + 8;
  const [entry] = readSignatures(pe);
  const info = entry?.signature?.signedData.signers[0];
  assert.ok(info?.signedAttributes);
  // From the signed attributes on; certificates and algorithm lists before them are no part of what is signed.
  const from = start + info.signedAttributes.element.offset;
  for (let at = from; at < start + (entry?.signature?.bytes.length ?? 0); at += 3) {
    const changed = Uint8Array.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 0x01;
    assert.notDeepEqual(codes(openBytes(changed), 'db'), [], String(at));
  }
});

test('DER of indefinite length, and 10 MB of nested sets, end at once with a finding', KEYS, async () => {
  const pe = madeStub({});
  const attach = async (der: Uint8Array): Promise<PeFile> =>
    openBytes(await written((sink) => attachSignature(pe, sink, der)));
  assert.deepEqual(codes(await attach(Uint8Array.of(0x30, 0x80, 0, 0)), 'db'), ['signature_malformed']);
  const nested = new Uint8Array(4 * 1024 * 1024 - 64);
  for (let at = 0; at + 6 <= nested.length; at += 6) {
    const left = nested.length - at - 6;
    nested.set([at === 0 ? 0x30 : 0x31, 0x84, left >>> 24, (left >>> 16) & 255, (left >>> 8) & 255, left & 255], at);
  }
  assert.deepEqual(codes(await attach(nested), 'db'), ['signature_malformed']);
  await assert.rejects(attach(new Uint8Array(10_000_000).fill(0x31)), { code: 'limit' });
  await assert.rejects(attach(new Uint8Array()), { code: 'options_invalid' });
});

test('sbverify accepts what we sign, once and twice', needsTool('sbverify'), async (t) => {
  if (KEYS.skip !== undefined) return t.skip(KEYS.skip);
  const dir = tempDir(t);
  const verify = (name: string, bytes: Uint8Array, key: string): number | null => {
    const path = join(dir, name);
    writeFileSync(path, bytes);
    return spawnSync('sbverify', ['--cert', imagePath('uki', 'keys', `${key}.crt`), path]).status;
  };
  const files = {
    made: madeStub({}),
    odd: openBytes(Uint8Array.from([...madeBytes(), 1, 2, 3])),
    stub252: openImage('uki', 'stubs', 'linuxx64-252.39.efi.stub'),
    pe32: openImage('pe', 'stubs', '252.39-i386', 'linuxia32.efi.stub'),
    uki: openImage('sign', 'unsigned-uki.efi'),
  };
  for (const [name, pe] of Object.entries(files)) {
    const once = await signed(pe, 'db', 1_700_000_000_000);
    assert.equal(verify(`${name}.efi`, once, 'db'), 0, name);
    assert.notEqual(verify(`${name}.efi`, once, 'KEK'), 0, name);
    const twice = await signed(openBytes(once), 'KEK');
    assert.equal(verify(`${name}.2.efi`, twice, 'db'), 0, name);
    assert.equal(verify(`${name}.2.efi`, twice, 'KEK'), 0, name);
  }
});

test('osslsigncode accepts what we sign, and we what it signs with SHA-384', needsTool('osslsigncode'), async (t) => {
  if (KEYS.skip !== undefined) return t.skip(KEYS.skip);
  const dir = tempDir(t);
  const [input, ours, theirs] = ['in.efi', 'ours.efi', 'theirs.efi'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(input, readImage('sign', 'unsigned-uki.efi'));
  writeFileSync(ours, await signed(openImage('sign', 'unsigned-uki.efi'), 'db', 1_700_000_000_000));
  const keys = (name: string): string => imagePath('uki', 'keys', name);
  const out = spawnSync('osslsigncode', ['verify', '-CAfile', keys('db.crt'), '-in', ours], { encoding: 'utf8' });
  assert.match(out.stdout, /Signature verification: ok/);
  const sign = ['sign', '-h', 'sha384', '-certs', keys('db.crt'), '-key', keys('db.key'), '-in', input, '-out', theirs];
  execFileSync('osslsigncode', sign, { stdio: 'ignore' });
  const check = checkSignatures(openBytes(new Uint8Array(readFileSync(theirs))), { trusted: [testCertificate('db')] });
  assert.deepEqual(check.findings, []);
  assert.equal(check.results[0]?.signature?.indirectData.digestAlgorithm, 'sha384');
});

test(
  'an authority in db is enough, through one that the message carries; one that is none is not',
  needsTool('openssl'),
  async (t) => {
    const dir = tempDir(t);
    const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
    const issue = (name: string, isCa: boolean, issuer?: string): void => {
      writeFileSync(join(dir, `${name}.ext`), `basicConstraints=critical,CA:${isCa ? 'TRUE' : 'FALSE'}\n`);
      openssl(
        'req',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        `${name}.key`,
        '-subj',
        `/CN=${name}`,
        '-out',
        `${name}.csr`,
      );
      const by =
        issuer === undefined
          ? ['-signkey', `${name}.key`]
          : ['-CA', `${issuer}.crt`, '-CAkey', `${issuer}.key`, '-set_serial', '7'];
      openssl(
        'x509',
        '-req',
        '-in',
        `${name}.csr`,
        ...by,
        '-days',
        '1',
        '-extfile',
        `${name}.ext`,
        '-out',
        `${name}.crt`,
      );
    };
    issue('root', true);
    issue('middle', true, 'root');
    issue('leaf', false, 'middle');
    issue('below', false, 'leaf');
    const certificates = (name: string) => decodeCertificates(new Uint8Array(readFileSync(join(dir, `${name}.crt`))));
    const sign = async (name: string, chain: string[]): Promise<PeFile> => {
      const signer = await openKeyFileSigner({
        keyPath: join(dir, `${name}.key`),
        certificatePath: join(dir, `${name}.crt`),
      });
      const options = { signer, chain: chain.flatMap(certificates) };
      return openBytes(await written((sink) => signPe(madeStub({}), sink, options)));
    };
    const outcome = (pe: PeFile, name: string): string | undefined => {
      const check = checkSignatures(pe, { trusted: certificates(name) });
      return check.results[0]?.anchor?.subject.text ?? check.findings[0]?.code;
    };
    const whole = await sign('leaf', ['middle']);
    assert.equal(outcome(whole, 'root'), 'CN=root');
    assert.equal(outcome(whole, 'middle'), 'CN=middle');
    assert.equal(outcome(whole, 'leaf'), 'CN=leaf');
    assert.equal(outcome(await sign('leaf', []), 'root'), 'signer_unknown');
    assert.equal(outcome(await sign('below', ['leaf', 'middle']), 'root'), 'signer_unknown');
  },
);
