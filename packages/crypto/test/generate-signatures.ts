// SPDX-License-Identifier: Apache-2.0
/**
 * Writes testdata/signatures.json anew, with new keys, by the openssl command. See PROVENANCE.md there.
 * The private keys live in a temporary folder and are gone afterwards.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SignatureScheme } from '@vouchsafe/crypto';
import type { SignatureVector, SignatureVectors } from './suite/vectors.ts';

const dir = mkdtempSync(join(tmpdir(), 'vouchsafe-signatures-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
const file = (name: string) => join(dir, name);
const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });

const RSA = ['rsa-1024', 'rsa-2048', 'rsa-2048-e3', 'rsa-1537', 'rsa-3072', 'rsa-4096-e3'];
const CURVE_NAMES = { 'p-256': 'P-256', 'p-384': 'P-384', 'p-521': 'P-521' };
const SIZES: Record<string, number> = { 'p-256': 32, 'p-384': 48, 'p-521': 66 };
const message = Buffer.from('Vouchsafe signs this to check that it can be checked');

const keys: Record<string, string> = {};
const vectors: SignatureVector[] = [];

function makeKey(name: string, ...options: string[]): void {
  openssl('genpkey', ...options, '-out', file(name));
  keys[name] = openssl('pkey', '-in', file(name), '-pubout', '-outform', 'DER').toString('hex');
}

function add(name: string, key: string, scheme: SignatureScheme, signature: Uint8Array, isGood = true): void {
  const vector = {
    name,
    key,
    scheme,
    message: message.toString('hex'),
    signature: Buffer.from(signature).toString('hex'),
  };
  vectors.push({ ...vector, isGood });
}

function sign(key: string, hash: string, ...options: string[]): Buffer {
  writeFileSync(file('message'), message);
  const args = [
    'dgst',
    `-${hash}`,
    '-sign',
    file(key),
    ...options.flatMap((option) => ['-sigopt', option]),
    file('message'),
  ];
  return openssl(...args);
}

/** The private power alone, on an encoding that was made by hand. */
function signRaw(key: string, encoded: Uint8Array): Buffer {
  writeFileSync(file('encoded'), encoded);
  return openssl(
    'pkeyutl',
    '-decrypt',
    '-inkey',
    file(key),
    '-in',
    file('encoded'),
    '-pkeyopt',
    'rsa_padding_mode:none',
  );
}

/**
 * ECDSA-Sig-Value to r || s; openssl wrote it, so it is well-formed and its lengths are below 128 but for P-521's
 * outer.
 */
function toRaw(der: Buffer, sizeBytes: number): Buffer {
  const at = der[1] === 0x81 ? 3 : 2;
  const rSize = der[at + 1]!;
  const r = der.subarray(at + 2, at + 2 + rSize);
  const s = der.subarray(at + 4 + rSize);
  const fit = (x: Buffer) => Buffer.concat([Buffer.alloc(sizeBytes), x]).subarray(-sizeBytes);
  return Buffer.concat([fit(r), fit(s)]);
}

for (const name of RSA) {
  const [, bits = '', exponent] = name.split('-');
  makeKey(
    name,
    '-algorithm',
    'RSA',
    '-pkeyopt',
    `rsa_keygen_bits:${bits}`,
    ...(exponent ? ['-pkeyopt', 'rsa_keygen_pubexp:3'] : []),
  );
}
for (const [name, curve] of Object.entries(CURVE_NAMES))
  makeKey(name, '-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${curve}`);
makeKey('ed25519', '-algorithm', 'ED25519');

for (const key of RSA) add(`${key} pkcs1 sha256`, key, { kind: 'rsa-pkcs1', hash: 'sha256' }, sign(key, 'sha256'));
for (const hash of [
  'sha1',
  'sha224',
  'sha384',
  'sha512',
  'sha3-224',
  'sha3-256',
  'sha3-384',
  'sha3-512',
  'ripemd160',
] as const) {
  add(`rsa-2048 pkcs1 ${hash}`, 'rsa-2048', { kind: 'rsa-pkcs1', hash }, sign('rsa-2048', hash));
}
for (const key of RSA) {
  for (const [hash, saltSize] of [
    ['sha256', 32],
    ['sha1', 0],
    ['sha384', 17],
  ] as const) {
    const signature = sign(key, hash, 'rsa_padding_mode:pss', `rsa_pss_saltlen:${saltSize}`);
    add(`${key} pss ${hash} salt ${saltSize}`, key, { kind: 'rsa-pss', hash, saltSize }, signature);
    add(`${key} pss ${hash} any salt`, key, { kind: 'rsa-pss', hash, saltSize: 'any' }, signature);
    const other: SignatureScheme = { kind: 'rsa-pss', hash, saltSize: saltSize + 1 };
    add(`${key} pss ${hash} salt ${saltSize + 1} asked for`, key, other, signature, false);
  }
  const longest = sign(key, 'sha256', 'rsa_padding_mode:pss', 'rsa_pss_saltlen:max');
  add(`${key} pss sha256 the longest salt`, key, { kind: 'rsa-pss', hash: 'sha256', saltSize: 'any' }, longest);
}
for (const key of Object.keys(CURVE_NAMES)) {
  for (const hash of ['sha1', 'sha256', 'sha384', 'sha512', 'sha3-256'] as const) {
    const der = sign(key, hash);
    add(`${key} ecdsa ${hash} der`, key, { kind: 'ecdsa', hash, encoding: 'der' }, der);
    add(`${key} ecdsa ${hash} raw`, key, { kind: 'ecdsa', hash, encoding: 'raw' }, toRaw(der, SIZES[key]!));
  }
}
writeFileSync(file('message'), message);
const ed = openssl('pkeyutl', '-sign', '-inkey', file('ed25519'), '-rawin', '-in', file('message'));
add('ed25519', 'ed25519', { kind: 'ed25519' }, ed);

// Encodings that the key's owner made, each wrong in one place: what a lenient parser would let through.
const OID = '0609608648016503040201';
const digest = createHash('sha256').update(message).digest();
const info = (hex: string) => Buffer.concat([Buffer.from(hex, 'hex'), digest]);
const standard = info(`3031300d${OID}05000420`);
const pad = (tail: Buffer, lead = '0001', filler = 0xff) => {
  const head = Buffer.from(lead, 'hex');
  return Buffer.concat([head, Buffer.alloc(256 - head.length - 1 - tail.length, filler), Buffer.alloc(1), tail]);
};
const wrongPkcs1: Record<string, Buffer> = {
  'no NULL parameters': pad(info(`302f300b${OID}0420`)),
  'long form of the length': pad(info(`308131300d${OID}05000420`)),
  'another digest named': pad(info('3031300d060960864801650304020205000420')),
  'bare digest without DigestInfo': pad(digest),
  'block type 2': pad(standard, '0002'),
  'block type 0': pad(standard, '0000', 0),
  'a padding octet that is not ff': pad(standard).fill(0xfe, 20, 21),
  'short padding and garbage after the digest': Buffer.concat([
    Buffer.from('0001ffffffffffffffff00', 'hex'),
    standard,
    Buffer.alloc(256 - 11 - standard.length, 0xa5),
  ]),
  'garbage inside the parameters': pad(info(`3041301d${OID}0510${'a5'.repeat(16)}0420`)),
  'a trailing octet in DigestInfo': pad(Buffer.concat([info(`3032300d${OID}05000420`), Buffer.alloc(1)])),
};
for (const [defect, encoded] of Object.entries(wrongPkcs1)) {
  add(
    `rsa-2048 pkcs1 ${defect}`,
    'rsa-2048',
    { kind: 'rsa-pkcs1', hash: 'sha256' },
    signRaw('rsa-2048', encoded),
    false,
  );
}

const mask = (seed: Buffer, size: number) => {
  const blocks = Array.from({ length: Math.ceil(size / 32) }, (_, i) =>
    createHash('sha256')
      .update(seed)
      .update(Buffer.from([0, 0, 0, i]))
      .digest(),
  );
  return Buffer.concat(blocks).subarray(0, size);
};
/**
 * EMSA-PSS with a salt of 32 octets (RFC 8017, section 9.1.1); `spoil` changes DB before it is masked, or EM at the
 * end.
 */
function pss(
  size: number,
  spoilDb: (db: Buffer) => void,
  spoilEm: (em: Buffer) => void,
  topMask = 0x7f,
  fill = 0x5a,
): Buffer {
  const salt = Buffer.alloc(32, fill);
  const h = createHash('sha256').update(Buffer.alloc(8)).update(digest).update(salt).digest();
  const db = Buffer.concat([Buffer.alloc(size - 66), Buffer.from([1]), salt]);
  spoilDb(db);
  const masked = db.map((octet, i) => octet ^ mask(h, db.length)[i]!);
  masked[0]! &= topMask;
  const em = Buffer.concat([masked, h, Buffer.from([0xbc])]);
  spoilEm(em);
  return em;
}
const nothing = () => undefined;
const set = (at: number, value: number) => (bytes: Buffer) => {
  bytes[at < 0 ? bytes.length + at : at] = value;
};
/** EM whose first octet is so small that a bit set above it still leaves a number below the modulus. */
function lowPss(size: number, topMask: number): Buffer {
  for (let fill = 0; fill < 256; fill++) {
    const em = pss(size, nothing, nothing, topMask, fill);
    if (em[0]! < 0x08) return em;
  }
  throw new Error('no salt gives a small first octet');
}
const setTopBit = (em: Buffer) => Buffer.concat([Buffer.from([em[0]! | 0x80]), em.subarray(1)]);
const pssCases: [string, boolean, Buffer][] = [
  ['made by hand', true, pss(256, nothing, nothing)],
  ['trailer is not bc', false, pss(256, nothing, set(-1, 0xcc))],
  ['an octet before the salt is not zero', false, pss(256, set(9, 2), nothing)],
  ['a 01 too early', false, pss(256, set(9, 1), nothing)],
  ['no 01 before the salt', false, pss(256, set(-33, 0), nothing)],
  ['another salt than was hashed', false, pss(256, set(-1, 0x5b), nothing)],
  ['a small first octet', true, lowPss(256, 0x7f)],
  ['the bit above emBits set', false, setTopBit(lowPss(256, 0x7f))],
];
for (const [what, isGood, encoded] of pssCases) {
  const signature = signRaw('rsa-2048', encoded);
  add(
    `rsa-2048 pss ${what}, salt 32`,
    'rsa-2048',
    { kind: 'rsa-pss', hash: 'sha256', saltSize: 32 },
    signature,
    isGood,
  );
  add(
    `rsa-2048 pss ${what}, any salt`,
    'rsa-2048',
    { kind: 'rsa-pss', hash: 'sha256', saltSize: 'any' },
    signature,
    isGood,
  );
}
// With 1,537 bits EM is one octet shorter than the modulus, and the octet in front of it must be zero.
const shorter = lowPss(192, 0xff);
const odd: SignatureScheme = { kind: 'rsa-pss', hash: 'sha256', saltSize: 32 };
for (const lead of [0, 1]) {
  const name = `rsa-1537 pss made by hand, ${lead} in front of EM`;
  add(name, 'rsa-1537', odd, signRaw('rsa-1537', Buffer.concat([Buffer.from([lead]), shorter])), lead === 0);
}

const out: SignatureVectors = { keys, vectors };
writeFileSync(new URL('../testdata/signatures.json', import.meta.url), `${JSON.stringify(out, null, 1)}\n`);
const version = openssl('version').toString().trim();
console.log(
  `${vectors.length} vectors, ${readFileSync(new URL('../testdata/signatures.json', import.meta.url)).length} octets, ${version}`,
);
