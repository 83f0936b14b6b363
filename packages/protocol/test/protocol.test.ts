// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkMessage,
  encodeBase64url,
  enrolmentProof,
  enrolmentRequest,
  formatJoinToken,
  ProtocolError,
  parseBase64url,
  parseJoinToken,
} from '@vouchsafe/protocol';
import fc from 'fast-check';

const AREA = encodeBase64url(new Uint8Array(90).fill(7));
const REQUEST = {
  joining: { kind: 'token', token: 'a-token-of-some-length' },
  endorsement: { publicArea: AREA, certificates: [AREA] },
  platformCertificates: [],
  attestationKey: AREA,
};

const refused = (pointer: string) => (error: unknown) =>
  error instanceof ProtocolError && error.code === 'message_malformed' && (error.pointer ?? '').startsWith(pointer);

test('base64url is what Node makes of it, both ways', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = encodeBase64url(bytes);
      assert.equal(text, Buffer.from(bytes).toString('base64url'));
      assert.deepEqual(parseBase64url(text), bytes);
    }),
  );
});

test('a text has one reading: no padding, no other digits, no bits that nothing reads', () => {
  for (const text of ['QQ==', 'QR', 'Q', 'Q+', 'Q/', 'Q Q', 'Q\u{e9}', 'QQ\n', 'AAB']) {
    assert.throws(() => parseBase64url(text), { code: 'base64_malformed' }, text);
  }
});

test('a request of the right form is taken', () => {
  assert.deepEqual(checkMessage(enrolmentRequest, REQUEST), REQUEST);
});

test('members that nobody knows, missing ones and others of the wrong kind are refused with their place', () => {
  const { attestationKey, ...rest } = REQUEST;
  assert.throws(() => checkMessage(enrolmentRequest, rest), refused(''));
  assert.throws(() => checkMessage(enrolmentRequest, { ...REQUEST, isAdmin: true }), refused(''));
  assert.throws(
    () => checkMessage(enrolmentRequest, { ...REQUEST, attestationKey: `${attestationKey}=` }),
    refused('/attestationKey'),
  );
  assert.throws(() => checkMessage(enrolmentRequest, { ...REQUEST, joining: { kind: 'open' } }), refused('/joining'));
  assert.throws(
    () => checkMessage(enrolmentRequest, { ...REQUEST, endorsement: { publicArea: AREA, certificates: [] } }),
    refused('/endorsement/certificates'),
  );
  for (const proposedId of ['', 'A', '-a', 'a-', 'a.b', 'a/b', 'x\n2026 INFO ok', 'a'.repeat(64)]) {
    assert.throws(() => checkMessage(enrolmentRequest, { ...REQUEST, proposedId }), refused('/proposedId'), proposedId);
  }
});

test('a refusal does not repeat what was sent, as that may be a secret', () => {
  const secret = '*** not base64 but a secret ***';
  assert.throws(
    () => checkMessage(enrolmentProof, { secret }),
    (error) => error instanceof ProtocolError && !error.message.includes(secret),
  );
});

test('a token to join with is one word, read back as it was', () => {
  const token = { url: 'https://vouchsafe.example:8443', caSha256: 'ab'.repeat(32), token: 'one-time-and-random' };
  const text = formatJoinToken(token);
  assert.match(text, /^vs1\.[A-Za-z0-9_-]+$/);
  assert.deepEqual(parseJoinToken(text), token);
});

test('a token that was cut, changed or leads elsewhere is refused, and nothing of it is repeated', () => {
  const good = { url: 'https://[::1]:8443', caSha256: 'ab'.repeat(32), token: 'one-time-and-random' };
  const text = formatJoinToken(good);
  const texts = Array.from({ length: text.length }, (_, length) => text.slice(0, length));
  const others = [
    { ...good, url: 'http://plain.example' },
    { ...good, url: 'https://user@other.example' },
    { ...good, url: 'https://a.example/path' },
    { ...good, caSha256: 'AB'.repeat(32) },
    { ...good, token: 'short' },
  ].map((one) => formatJoinToken(one));
  const extra = `vs1.${encodeBase64url(Buffer.from(JSON.stringify({ ...good, more: 1 })))}`;
  for (const wrong of [...texts, ...others, extra, `${text}A`, 'vs1.bm90IGpzb24']) {
    assert.throws(
      () => parseJoinToken(wrong),
      (error) =>
        error instanceof ProtocolError && error.code === 'join_token_malformed' && !error.message.includes(good.token),
      wrong,
    );
  }
});
