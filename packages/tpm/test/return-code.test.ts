// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { needsTool } from '@vouchsafe/testing';
import { decodeReturnCode, formatReturnCode, TpmError, TpmResponseError } from '@vouchsafe/tpm';
import fc from 'fast-check';

test('format one names the handle, parameter or session and counts it', () => {
  const cases = [
    [0x02c4, 'TPM_RC_VALUE', { kind: 'parameter', index: 2 }],
    [0x018b, 'TPM_RC_HANDLE', { kind: 'handle', index: 1 }],
    [0x098e, 'TPM_RC_AUTH_FAIL', { kind: 'session', index: 1 }],
    [0x0fd5, 'TPM_RC_SIZE', { kind: 'parameter', index: 15 }],
    [0x0084, 'TPM_RC_VALUE', { kind: 'handle' }],
    [0x02d2, 'TPM_RC_SCHEME', { kind: 'parameter', index: 2 }],
  ] as const;
  for (const [value, name, subject] of cases) {
    const code = decodeReturnCode(value);
    assert.equal(code.name, name);
    assert.deepEqual(code.subject, subject);
    assert.equal(code.isWarning, false);
  }
});

test('format zero, warnings, TPM 1.2, vendors and software layers', () => {
  assert.equal(decodeReturnCode(0).name, 'TPM_RC_SUCCESS');
  assert.equal(decodeReturnCode(0x100).name, 'TPM_RC_INITIALIZE');
  assert.equal(decodeReturnCode(0x101).name, 'TPM_RC_FAILURE');
  assert.deepEqual([decodeReturnCode(0x922).name, decodeReturnCode(0x922).isWarning], ['TPM_RC_RETRY', true]);
  assert.equal(decodeReturnCode(0x902).name, 'TPM_RC_OBJECT_MEMORY');
  assert.equal(decodeReturnCode(0x916).name, 'TPM_RC_REFERENCE_H6');
  assert.equal(decodeReturnCode(0x91e).name, 'TPM_RC_REFERENCE_S6');
  assert.equal(decodeReturnCode(0x01e).name, 'TPM_RC_BAD_TAG');
  assert.equal(decodeReturnCode(0x501).name, 'TPM_RC_VENDOR_0x501');
  assert.equal(decodeReturnCode(0x17f).name, 'TPM_RC_0x17f');
  const layered = decodeReturnCode(0x000b_0902);
  assert.deepEqual([layered.layer, layered.name], [11, 'TPM_RC_OBJECT_MEMORY']);
});

test('an error carries the code taken apart, and says it in words', () => {
  const error = new TpmResponseError('TPM2_Quote', decodeReturnCode(0x2c4));
  assert.ok(error instanceof TpmError);
  assert.equal(error.code, 'response_code');
  assert.equal(error.returnCode.subject?.index, 2);
  assert.match(error.message, /^TPM2_Quote: TPM_RC_VALUE \(0x2c4\), parameter 2: /);
});

test('any 32-bit value has a name and a text', () => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), (value) => {
      const code = decodeReturnCode(value);
      assert.equal(code.value, value);
      assert.match(code.name, /^TPM_RC_\w+$/);
      assert.notEqual(formatReturnCode(code), '');
    }),
  );
});

test('tpm2_rc_decode takes the same codes apart in the same way', needsTool('tpm2_rc_decode'), () => {
  const values = [
    0x100, 0x101, 0x120, 0x143, 0x14a, 0x155, 0x084, 0x18b, 0x2c4, 0x3d5, 0x98e, 0xa8f, 0x1df, 0x902, 0x921, 0x922,
  ];
  for (const value of values) {
    const said = execFileSync('tpm2_rc_decode', [`0x${value.toString(16)}`], { encoding: 'utf8' }).trim();
    const { subject, isWarning } = decodeReturnCode(value);
    if (subject === undefined) assert.match(said, isWarning ? /^tpm:warn\(2\.0\)/ : /^tpm:error\(2\.0\)/);
    else
      assert.ok(said.startsWith(`tpm:${subject.kind}(${subject.index ?? 'unk'})`), `${said} for ${value.toString(16)}`);
  }
});
