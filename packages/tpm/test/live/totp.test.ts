// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { ascii } from '@vouchsafe/base';
import { needsTool } from '@vouchsafe/testing';
import {
  createTotp,
  decodeTotpBlob,
  encodeTotpBlob,
  execute,
  hotpDigits,
  loadTotp,
  removeTotp,
  resealTotp,
  storeTotp,
  TOTP_NV_INDEX,
  totpCode,
  tpm2PcrExtend,
} from '@vouchsafe/tpm';
import { errorCodeOf, liveTpm, random, returnCodeOf } from './tpm.ts';

/** RFC 6238, by Node's own HMAC. */
function expectedCode(secret: Uint8Array, timeMs: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(timeMs / 30_000)));
  return hotpDigits(createHmac('sha1', secret).update(counter).digest());
}

test('the digits of RFC 4226, appendix D, and RFC 6238, appendix B', () => {
  const secret = ascii('12345678901234567890');
  for (const [timeMs, code] of [
    [59_000, '287082'],
    [1_111_111_109_000, '081804'],
    [20_000_000_000_000, '353130'],
  ] as const)
    assert.equal(expectedCode(secret, timeMs), code);
});

test(
  'A61: a code while the machine is as it was, and none after, nor for a key that somebody put there',
  needsTool('swtpm'),
  async (t) => {
    const { tpm } = await liveTpm(t);
    const wanted = { banks: ['sha1', 'sha256'], pcrs: [0, 2, 4] } as const;
    const password = ascii('recover');
    const { blob, secret } = await createTotp(tpm, wanted, random, password);
    await storeTotp(tpm, TOTP_NV_INDEX, encodeTotpBlob(blob));
    assert.equal(await returnCodeOf(storeTotp(tpm, TOTP_NV_INDEX, new Uint8Array(4))), 'TPM_RC_NV_DEFINED');
    const stored = decodeTotpBlob(await loadTotp(tpm, TOTP_NV_INDEX));
    const timeMs = 1_800_000_000_000;
    assert.equal(await totpCode(tpm, stored, wanted, timeMs, random), expectedCode(secret, timeMs));
    assert.equal(await totpCode(tpm, stored, wanted, timeMs + 30_000, random), expectedCode(secret, timeMs + 30_000));
    // The selection in NV is not what decides. A key for fewer PCRs, put there by somebody, gives no code.
    const weak = await createTotp(tpm, { banks: ['sha256'], pcrs: [23] }, random);
    assert.equal(await errorCodeOf(totpCode(tpm, weak.blob, wanted, timeMs, random)), 'totp_pcrs');
    const disguised = { ...weak.blob, pcrs: blob.pcrs, banks: blob.banks };
    assert.equal(await errorCodeOf(totpCode(tpm, disguised, wanted, timeMs, random)), 'policy_failed');
    // Another kernel: no code, until the owner seals it anew with the password.
    const digests = [{ hashAlg: 'sha256', digest: new Uint8Array(32).fill(4) }] as const;
    await execute(tpm, tpm2PcrExtend, { pcrHandle: 4, digests: [...digests] });
    assert.equal(await errorCodeOf(totpCode(tpm, stored, wanted, timeMs, random)), 'policy_failed');
    assert.equal(await errorCodeOf(resealTotp(tpm, stored, wanted, random, ascii('guess'))), 'auth_failed');
    const resealed = await resealTotp(tpm, stored, wanted, random, password);
    assert.equal(await totpCode(tpm, resealed, wanted, timeMs, random), expectedCode(secret, timeMs));
    assert.equal(await errorCodeOf(resealTotp(tpm, weak.blob, wanted, random, password)), 'sealed_malformed');
    await removeTotp(tpm, TOTP_NV_INDEX);
    await storeTotp(tpm, TOTP_NV_INDEX, encodeTotpBlob(resealed));
    for (let length = 0; length < 200; length++) {
      assert.throws(() => decodeTotpBlob(encodeTotpBlob(blob).subarray(0, length)), { code: 'sealed_malformed' });
    }
  },
);
