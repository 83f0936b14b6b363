// SPDX-License-Identifier: Apache-2.0
// Internal: the files of src/signature/.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { concatBytes, parseHex } from '@vouchsafe/base';
import {
  type Certificate,
  type DigestSigner,
  decodeCertificates,
  PkiError,
  type PkiErrorCode,
  type Signer,
} from '@vouchsafe/pki';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import { needsTool, needsVectors, tempDir, vectorPath } from '@vouchsafe/testing';
import fc from 'fast-check';
import { VerityError, type VerityErrorCode } from '../src/error.ts';
import {
  encodeFormattedDigest,
  signFileDigest,
  verifyFileDigestSignature,
} from '../src/signature/fs-verity-signature.ts';
import {
  rootHashSignatureContent,
  signRootHash,
  verifyRootHashSignature,
} from '../src/signature/root-hash-signature.ts';
import { decodeVeritySigPartition } from '../src/signature/verity-sig-partition.ts';

const path = (name: string): string => fileURLToPath(new URL(`../testdata/signature/${name}`, import.meta.url));
const read = (name: string): Uint8Array => Uint8Array.from(readFileSync(path(name)));

const rootHash = Uint8Array.from({ length: 32 }, (_, i) => i);
const fileDigest = { algorithm: 'sha256', digest: rootHash } as const;
const trusted = decodeCertificates(read('test-only.pem'));
const openSigner = (): Promise<Signer> =>
  openKeyFileSigner({ keyPath: path('test-only.key'), certificatePath: path('test-only.pem') });

function verityError(code: VerityErrorCode, cause?: PkiErrorCode): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof VerityError, String(error));
    assert.equal(error.code, code, error.message);
    if (cause !== undefined)
      assert.ok(error.cause instanceof PkiError && error.cause.code === cause, String(error.cause));
    return true;
  };
}

test('the octets that are signed', () => {
  assert.deepEqual(
    rootHashSignatureContent(parseHex(`0A${'ff'.repeat(31)}`)),
    Uint8Array.from(Buffer.from(`0a${'ff'.repeat(31)}`)),
  );
  for (const length of [16, 64]) assert.equal(rootHashSignatureContent(new Uint8Array(length)).length, 2 * length);
  for (const length of [0, 15, 65]) {
    assert.throws(() => rootHashSignatureContent(new Uint8Array(length)), verityError('options_invalid'));
  }
  assert.deepEqual(encodeFormattedDigest(fileDigest), read('formatted-digest.bin'));
  const sha512 = encodeFormattedDigest({ algorithm: 'sha512', digest: new Uint8Array(64) });
  assert.deepEqual([...sha512.subarray(8, 12), sha512.length], [2, 0, 64, 0, 76]);
  for (const length of [31, 33]) {
    assert.throws(
      () => encodeFormattedDigest({ algorithm: 'sha256', digest: new Uint8Array(length) }),
      verityError('options_invalid'),
    );
  }
});

test('signatures are those of openssl, byte for byte', async () => {
  const signer = await openSigner();
  assert.deepEqual(await signRootHash(rootHash, signer), read('root-hash.p7s'));
  assert.deepEqual(await signFileDigest(fileDigest, signer), read('fs-verity.p7s'));
});

test('a signature holds over its own root hash, by a trusted certificate', () => {
  const verified = verifyRootHashSignature(rootHash, read('root-hash.p7s'), trusted);
  assert.equal(verified.certificate.subject.text, 'CN=test-only verity');
  assert.deepEqual(verified.rootHash, rootHash);
  const file = verifyFileDigestSignature(fileDigest, read('fs-verity.p7s'), trusted);
  assert.deepEqual([file.algorithm, file.digest], ['sha256', rootHash]);

  const other = rootHash.toReversed();
  const otherFile = { ...fileDigest, digest: other };
  assert.throws(
    () => verifyRootHashSignature(other, read('root-hash.p7s'), trusted),
    verityError('signature_invalid', 'signature_invalid'),
  );
  assert.throws(
    () => verifyRootHashSignature(rootHash, read('root-hash.p7s'), []),
    verityError('signature_invalid', 'signer_unknown'),
  );
  assert.throws(
    () => verifyRootHashSignature(rootHash, read('fs-verity.p7s'), trusted),
    verityError('signature_invalid'),
  );
  assert.throws(
    () => verifyFileDigestSignature(otherFile, read('fs-verity.p7s'), trusted),
    verityError('signature_invalid'),
  );
  assert.throws(
    () => verifyFileDigestSignature(fileDigest, read('root-hash.p7s'), trusted),
    verityError('signature_invalid'),
  );
});

test('bytes that are no such signature', () => {
  const bytes = read('root-hash.p7s');
  const verify = (signature: Uint8Array) => () => verifyRootHashSignature(rootHash, signature, trusted);
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(verify(bytes.subarray(0, length)), verityError('signature_malformed'), String(length));
  }
  assert.throws(verify(concatBytes(bytes, Uint8Array.of(0))), verityError('signature_malformed', 'der_trailing'));
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ flip;
      try {
        verifyRootHashSignature(rootHash, changed, trusted);
      } catch (error) {
        assert.ok(error instanceof VerityError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test('a message that carries content of its own is no detached signature', needsTool('openssl'), (t) => {
  const output = join(tempDir(t), 'attached');
  const key = ['-signer', path('test-only.pem'), '-inkey', path('test-only.key')];
  const args = ['smime', '-sign', '-binary', '-noattr', '-nodetach', '-outform', 'der', '-out', output, ...key];
  execFileSync('openssl', args, { input: rootHashSignatureContent(rootHash), stdio: 'pipe' });
  assert.throws(
    () => verifyRootHashSignature(rootHash, readFileSync(output), trusted),
    verityError('signature_malformed'),
  );
});

test('only a deterministic scheme signs what goes into an image', async () => {
  const signer = await openSigner();
  assert.ok(signer.input === 'digest');
  const schemes: DigestSigner['scheme'][] = [
    { kind: 'ecdsa', hash: 'sha256', encoding: 'der' },
    { kind: 'rsa-pss', hash: 'sha256', saltSize: 32 },
  ];
  for (const scheme of schemes) {
    await assert.rejects(signRootHash(rootHash, { ...signer, scheme }), verityError('options_invalid'));
    await assert.rejects(signFileDigest(fileDigest, { ...signer, scheme }), verityError('options_invalid'));
  }
  await assert.rejects(signRootHash(new Uint8Array(1), signer), verityError('options_invalid'));
});

test('openssl verifies what is signed here', needsTool('openssl'), async (t) => {
  const folder = tempDir(t);
  const write = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const signer = await openSigner();
  const cases: [Uint8Array, Uint8Array][] = [
    [rootHashSignatureContent(rootHash), await signRootHash(rootHash, signer, { includeCertificate: false })],
    [encodeFormattedDigest(fileDigest), await signFileDigest(fileDigest, signer, { includeCertificate: true })],
  ];
  for (const [content, signature] of cases) {
    const files = ['-in', write('signature', signature), '-content', write('content', content)];
    const keys = ['-certfile', path('test-only.pem'), '-CAfile', path('test-only.pem')];
    for (const command of ['cms', 'smime']) {
      const args = [command, '-verify', '-binary', '-inform', 'der', ...files, ...keys];
      assert.deepEqual(Uint8Array.from(execFileSync('openssl', args, { stdio: 'pipe' })), content);
    }
  }
});

const vectorSigner = (): Promise<Signer> =>
  openKeyFileSigner({
    keyPath: vectorPath('image/uki/keys/verity.key'),
    certificatePath: vectorPath('image/uki/keys/verity.crt'),
  });

const vectorCertificates = (): readonly Certificate[] =>
  decodeCertificates(readFileSync(vectorPath('image/uki/keys/verity.crt')));

test('signatures of systemd-repart verify and are reproduced', needsVectors('image/ddi'), async () => {
  for (const name of ['img-sig', 'foo.sysext', 'bar.confext']) {
    const image = readFileSync(vectorPath(`image/ddi/${name}.trixie.raw`));
    const start = image.indexOf('{"rootHash"');
    assert.ok(start > 0);
    const { rootHash: hash, signature } = decodeVeritySigPartition(image.subarray(start, start + 16384));
    verifyRootHashSignature(hash, signature, vectorCertificates());
    assert.deepEqual(Buffer.from(await signRootHash(hash, await vectorSigner())), Buffer.from(signature), name);
  }
});

test('the signature of fsverity(1) verifies and is reproduced', needsVectors('image/fsverity'), async () => {
  const rows = readFileSync(vectorPath('image/fsverity/vectors.tsv'), 'utf8')
    .split('\n')
    .map((line) => line.split('\t'));
  const digest = rows
    .find(
      ([file, algorithm, block, options]) =>
        file === 'data-1m.bin' && algorithm === 'sha256' && block === '4096' && options === '',
    )
    ?.at(-1);
  assert.ok(digest);
  const signed = { algorithm: 'sha256', digest: parseHex(digest) } as const;
  const signature = readFileSync(vectorPath('image/fsverity/data-1m.sig'));
  verifyFileDigestSignature(signed, signature, vectorCertificates());
  assert.deepEqual(Buffer.from(await signFileDigest(signed, await vectorSigner())), signature);
});
