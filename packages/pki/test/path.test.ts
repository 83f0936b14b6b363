// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ascii } from '@vouchsafe/base';
import {
  type Certificate,
  decodeCertificate,
  encodeNull,
  encodeSequence,
  issueSelfSigned,
  OID,
  type PathOptions,
  validatePath,
} from '@vouchsafe/pki';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import { below, END, input, leafOf, NOW, newSigner, type Party, root, START } from '@vouchsafe/testing/authorities';
import { placeOf, testdataPath, withOctet } from './helpers.ts';

const PURPOSE = '2.23.133.8.1';

function check(leaf: Certificate, anchors: Party[], intermediates: Party[], change: Partial<PathOptions> = {}) {
  const certificates = (parties: Party[]) => parties.map(({ certificate }) => certificate);
  return validatePath(leaf, {
    anchors: certificates(anchors),
    intermediates: certificates(intermediates),
    atMs: NOW,
    ...change,
  });
}

/** The codes of what stood against the path, with the place in it: 'expired@0'. */
function problems(...given: Parameters<typeof check>): string[] {
  const result = check(...given);
  return result.ok ? [] : result.problems.map(({ code, depth }) => `${code}@${depth}`);
}

test('a path over intermediates is found, whatever their order, and ends at the anchor', async () => {
  const anchor = await root('anchor');
  const first = await below(anchor, 'first');
  const second = await below(first, 'second');
  const leaf = await leafOf(second, 'leaf');
  for (const intermediates of [
    [first, second],
    [second, first],
    [second, await root('other'), first],
  ]) {
    const result = check(leaf, [await root('stranger'), anchor], intermediates);
    assert.ok(result.ok);
    assert.deepEqual(
      result.path.certificates.map(({ subject }) => subject.text),
      ['CN=leaf', 'CN=second', 'CN=first', 'CN=anchor'],
    );
    assert.equal(result.path.leaf, leaf);
    assert.equal(result.path.anchor, anchor.certificate);
  }
  // An authority in the middle can be trusted too: then nobody needs what is above it.
  assert.deepEqual(problems(leaf, [second], []), []);
});

test('what is missing is named: the furthest certificate whose issuer nobody gave', async () => {
  const anchor = await root('anchor');
  const first = await below(anchor, 'first');
  const second = await below(first, 'second');
  const leaf = await leafOf(second, 'leaf');
  const result = check(leaf, [anchor], [second]);
  assert.ok(!result.ok);
  const [problem] = result.problems;
  assert.equal(problem?.code, 'issuer_missing');
  assert.equal(problem.depth, 1);
  assert.equal(problem.certificate.subject.text, 'CN=second');
  assert.match(problem.message, /CN=first/);
  assert.deepEqual(problems(leaf, [anchor], []), ['issuer_missing@0']);
  assert.deepEqual(problems(leaf, [], [first, second, anchor]), ['issuer_missing@3']);
});

test('A33: a lookalike with the name of the authority and another key is not it', async () => {
  const anchor = await root('maker');
  const lookalike = await root('maker');
  const leaf = await leafOf(lookalike, 'leaf');
  assert.deepEqual(problems(leaf, [anchor], []), ['signature_invalid@0']);
  assert.deepEqual(problems(leaf, [anchor], [lookalike]), ['signature_invalid@1']);
  // Beside the real one it does no harm.
  assert.deepEqual(problems(await leafOf(anchor, 'leaf'), [lookalike, anchor], [lookalike]), []);
});

test('one changed octet breaks the path', async () => {
  const anchor = await root('anchor');
  const leaf = await leafOf(anchor, 'leaf');
  const changed = decodeCertificate(withOctet(leaf.bytes, placeOf(leaf.bytes, ascii('leaf')), 0x4c));
  assert.equal(changed.subject.text, 'CN=Leaf');
  assert.deepEqual(problems(changed, [anchor], []), ['signature_invalid@0']);
});

test('A33: the period of every certificate counts, both ends included', async () => {
  const anchor = await root('anchor', { validity: { notBeforeMs: START, notAfterMs: NOW } });
  const leaf = await leafOf(anchor, 'leaf', { validity: { notBeforeMs: NOW - 1000, notAfterMs: END } });
  assert.deepEqual(problems(leaf, [anchor], []), []);
  assert.deepEqual(problems(leaf, [anchor], [], { atMs: NOW - 1000 }), []);
  assert.deepEqual(problems(leaf, [anchor], [], { atMs: NOW - 1001 }), ['not_yet_valid@0']);
  assert.deepEqual(problems(leaf, [anchor], [], { atMs: NOW + 1 }), ['expired@1']);
  assert.deepEqual(problems(leaf, [anchor], [], { atMs: END + 1 }), ['expired@0', 'expired@1']);
});

test('A33: a leaf that issues is no authority', async () => {
  const anchor = await root('anchor');
  const leaf = await below(anchor, 'leaf', { basicConstraints: { isCa: false, pathLength: undefined } });
  assert.deepEqual(problems(await leafOf(leaf, 'forged'), [anchor], [leaf]), ['not_an_authority@1']);
  const signsOnly = await below(anchor, 'signs only', { keyUsage: ['digitalSignature'] });
  assert.deepEqual(problems(await leafOf(signsOnly, 'forged'), [anchor], [signsOnly]), ['not_an_authority@1']);
  const noUsage = await below(anchor, 'no usage', { keyUsage: [] });
  assert.deepEqual(problems(await leafOf(noUsage, 'fine'), [anchor], [noUsage]), []);
});

test('path lengths count authorities below, and not the self-issued ones', async () => {
  const anchor = await root('anchor', { basicConstraints: { isCa: true, pathLength: 1 } });
  const first = await below(anchor, 'first');
  const second = await below(first, 'second');
  assert.deepEqual(problems(await leafOf(first, 'leaf'), [anchor], [first]), []);
  assert.deepEqual(problems(await leafOf(second, 'leaf'), [anchor], [first, second]), ['path_length@3']);
  const again = await below(first, 'first');
  assert.deepEqual(problems(await leafOf(again, 'leaf'), [anchor], [first, again]), []);
});

test('A33: the purpose must be named by the leaf, and not be excluded above it', async () => {
  const anchor = await root('anchor');
  const purpose = { purpose: PURPOSE };
  const named = { extKeyUsage: [PURPOSE] };
  assert.deepEqual(problems(await leafOf(anchor, 'leaf', named), [anchor], [], purpose), []);
  assert.deepEqual(problems(await leafOf(anchor, 'leaf'), [anchor], [], purpose), ['purpose_missing@0']);
  const any = await leafOf(anchor, 'leaf', { extKeyUsage: [OID.anyExtendedKeyUsage] });
  assert.deepEqual(problems(any, [anchor], [], purpose), ['purpose_missing@0']);
  for (const [extKeyUsage, expected] of [
    [[OID.serverAuth], ['purpose_missing@1']],
    [[OID.serverAuth, PURPOSE], []],
    [[OID.anyExtendedKeyUsage], []],
  ] as const) {
    const between = await below(anchor, 'between', { extKeyUsage });
    assert.deepEqual(problems(await leafOf(between, 'leaf', named), [anchor], [between], purpose), expected);
  }
});

test('a critical extension that nobody knows refuses, on any certificate of the path', async () => {
  const unknown = { extensions: [{ oid: '1.2.3.4', critical: true, value: encodeNull() }] };
  const harmless = { extensions: [{ oid: '1.2.3.4', critical: false, value: encodeNull() }] };
  const anchor = await root('anchor', unknown);
  const between = await below(anchor, 'between', unknown);
  const leaf = await leafOf(between, 'leaf', unknown);
  const all = ['extension_unknown@0', 'extension_unknown@1', 'extension_unknown@2'];
  assert.deepEqual(problems(leaf, [anchor], [between]), all);
  // The caller vouches for what it reads in the leaf, not for authorities.
  assert.deepEqual(problems(leaf, [anchor], [between], { knownCritical: ['1.2.3.4'] }), all.slice(1));
  const plain = await root('plain', harmless);
  assert.deepEqual(problems(await leafOf(plain, 'leaf', harmless), [plain], []), []);
});

test('constraints that are not checked refuse, critical or not; policies do not', async () => {
  for (const oid of [OID.nameConstraints, OID.policyConstraints]) {
    const anchor = await root('anchor', { extensions: [{ oid, critical: false, value: encodeSequence() }] });
    assert.deepEqual(problems(await leafOf(anchor, 'leaf'), [anchor], []), ['constraint_unsupported@1']);
  }
  const policies = { oid: OID.certificatePolicies, critical: true, value: encodeSequence() };
  const anchor = await root('anchor', { extensions: [policies] });
  assert.deepEqual(problems(await leafOf(anchor, 'leaf'), [anchor], []), []);
});

test('A33: weak digests and keys refuse where they count', async () => {
  const anchor = await root('anchor');
  const leaf = await leafOf(anchor, 'leaf');
  assert.deepEqual(problems(leaf, [anchor], [], { digests: ['sha384'] }), ['algorithm_weak@0']);
  assert.deepEqual(problems(leaf, [anchor], [], { curves: ['P-384'] }), ['key_weak@0', 'key_weak@1']);
  const rsa = await openKeyFileSigner({ keyPath: testdataPath('keys/rsa.test-only.key') });
  const rsaAnchor = { signer: rsa, certificate: await issueSelfSigned(input('rsa'), rsa) };
  const below = await leafOf(rsaAnchor, 'leaf');
  assert.deepEqual(problems(below, [rsaAnchor], []), []);
  assert.deepEqual(problems(below, [rsaAnchor], [], { minRsaBits: 2049 }), ['key_weak@1']);
});

test('names match in another spelling, and never replace the signature', async () => {
  const signer = newSigner();
  const named = async (text: string) => ({ signer, certificate: await issueSelfSigned(input(text), signer) });
  const written = await named('TPM  Maker Root');
  const leaf = await leafOf(await named('tpm maker ROOT '), 'leaf');
  assert.notDeepEqual(leaf.issuer.bytes, written.certificate.subject.bytes);
  assert.deepEqual(problems(leaf, [written], []), []);
  assert.deepEqual(problems(leaf, [await named('tpm maker root 2')], []), ['issuer_missing@0']);
});

test('searches end: circles, long chains, and crowds of one name', async () => {
  const one = await root('one');
  const two = await below(one, 'two');
  // The same key certified by the one that it certified.
  const circle = await below(two, 'one');
  const leaf = await leafOf(circle, 'leaf');
  assert.equal(check(leaf, [], [one, two, circle]).ok, false);
  let last = await root('0');
  const chain = [last];
  for (let i = 1; i < 12; i++) {
    last = await below(last, String(i));
    chain.push(last);
  }
  const [anchor, ...between] = chain;
  assert.ok(anchor);
  assert.deepEqual(problems(between[7]!.certificate, [anchor], between), []);
  assert.equal(check(between[9]!.certificate, [anchor], between).ok, false);
  const crowd = await Promise.all(Array.from({ length: 70 }, () => root('crowd')));
  assert.deepEqual(problems(await leafOf(crowd[0]!, 'leaf'), crowd.slice(1), []), ['search_limit@0']);
});
