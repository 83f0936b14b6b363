// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesEqual, concatBytes } from '@vouchsafe/base';
import { encode, u32be } from '@vouchsafe/codec';
import { execute, prepare, TpmError, TpmResponseError, tpm2GetRandom, tpm2Unseal } from '@vouchsafe/tpm';
import { codeOf } from './support.ts';
import { COMMANDS, type Exchange, inputOf, readTranscript } from './transcript.ts';

const PLAIN = { allowPlaintext: true } as const;
const TRANSCRIPT = readTranscript();

const prepared = (exchange: Exchange) => prepare(exchange.command, inputOf(exchange) as never, PLAIN);

test('a recorded TPM: the same inputs are the same octets, and its answers are read and written back', () => {
  assert.ok(TRANSCRIPT.length >= 75 && TRANSCRIPT.length >= COMMANDS.size - 5);
  for (const exchange of TRANSCRIPT) {
    const { command, request, response } = exchange;
    const { request: again, finish } = prepared(exchange);
    assert.deepEqual(again, request, command.name);
    const output = finish(response);
    const parameters = encode(command.response, output);
    assert.ok(bytesEqual(parameters, responseParameters(exchange)), command.name);
  }
});

/** The parameters of an answer: after the handles, before the authorizations. */
function responseParameters({ command, response }: Exchange): Uint8Array {
  const at = 10 + 4 * command.responseHandles.length;
  if (response[1] === 1) return response.subarray(at);
  const size = new DataView(response.buffer, response.byteOffset).getUint32(at);
  return response.subarray(at + 4, at + 4 + size);
}

/** The response with the size in its header made right. */
function resized(response: Uint8Array): Uint8Array {
  return concatBytes(response.subarray(0, 2), encode(u32be, response.length), response.subarray(6));
}

test('every truncation of every answer, and an octet more, is malformed, whatever size its header says', () => {
  for (const exchange of TRANSCRIPT) {
    const { command, response } = exchange;
    const { finish } = prepared(exchange);
    for (let size = 0; size < response.length; size++) {
      const cut = response.subarray(0, size);
      assert.equal(
        codeOf(() => finish(cut)),
        'response_malformed',
        `${command.name}, ${size} octets`,
      );
      if (size < 10) continue;
      assert.equal(
        codeOf(() => finish(resized(cut))),
        'response_malformed',
        `${command.name}, ${size} octets`,
      );
    }
    const longer = concatBytes(response, Uint8Array.of(0));
    assert.equal(
      codeOf(() => finish(longer)),
      'response_malformed',
    );
    assert.equal(
      codeOf(() => finish(resized(longer))),
      'response_malformed',
    );
  }
});

test('an answer of another tag, of a TPM 1.2, or with another return code', () => {
  const { finish } = prepare(tpm2GetRandom, { bytesRequested: 1 }, {});
  const answer = (tag: number, code: number): Uint8Array =>
    concatBytes(Uint8Array.of(tag >> 8, tag & 0xff), encode(u32be, 10), encode(u32be, code));
  assert.equal(
    codeOf(() => finish(answer(0x8003, 0))),
    'response_malformed',
  );
  assert.equal(
    codeOf(() => finish(answer(0x8002, 0))),
    'response_malformed',
  );
  assert.throws(() => finish(answer(0x00c4, 0x1e)), TpmResponseError);
  for (const code of [0x101, 0x922, 0x98e, 0x5d5, 0xffff_ffff]) {
    assert.equal(
      codeOf(() => finish(answer(0x8001, code))),
      'response_code',
    );
  }
});

test('a password is answered with an empty authorization and nothing else', () => {
  const exchange = TRANSCRIPT.find(({ command }) => command.name === tpm2Unseal.name);
  assert.ok(exchange !== undefined);
  const { finish } = prepared(exchange);
  const { response } = exchange;
  const auth = response.subarray(-5);
  assert.deepEqual(auth, Uint8Array.of(0, 0, 1, 0, 0));
  const other = (area: Uint8Array): Uint8Array => resized(concatBytes(response.subarray(0, -5), area));
  const withHmac = Uint8Array.of(0, 0, 1, 0, 1, 9);
  const withNonce = Uint8Array.of(0, 1, 9, 1, 0, 0);
  for (const area of [withHmac, withNonce])
    assert.equal(
      codeOf(() => finish(other(area))),
      'session_hmac',
    );
  for (const area of [new Uint8Array(), concatBytes(auth, auth)]) {
    assert.equal(
      codeOf(() => finish(other(area))),
      'response_malformed',
    );
  }
});

test('a transport that fails is what its caller hears', async () => {
  const fault = new TpmError('io', 'gone');
  const run = execute({ send: () => Promise.reject(fault) }, tpm2GetRandom, { bytesRequested: 1 });
  await assert.rejects(run, fault);
});
