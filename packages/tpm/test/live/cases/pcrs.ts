// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { ascii, concatBytes } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import {
  attestationKeyTemplate,
  checkAttestationKey,
  createObject,
  encodePcrSelection,
  execute,
  importSigningKey,
  loadObject,
  type PcrSelection,
  readBanks,
  readPcrs,
  type TpmTransport,
  tpm2PcrEvent,
  tpm2PcrExtend,
  tpm2PcrRead,
  tpm2PcrReset,
  tpm2Quote,
  tpmDigest,
  tpmtSignature,
  verifyQuote,
  withFlushed,
} from '@vouchsafe/tpm';
import { errorCodeOf, NULL_SCHEME, returnCodeOf, withSrk } from '../tpm.ts';

export async function pcrCases(t: TestContext, tpm: TpmTransport): Promise<void> {
  const selection: PcrSelection[] = [{ bank: 'sha256', pcrs: [16] }];
  const value = async (): Promise<Uint8Array | undefined> => (await readPcrs(tpm, selection)).values[0]?.value;

  await t.test('PCR_Extend', async () => {
    const digest = new Uint8Array(32).fill(1);
    await execute(tpm, tpm2PcrExtend, { pcrHandle: 16, digests: [{ hashAlg: 'sha256', digest }] });
    assert.deepEqual(await value(), tpmDigest('sha256', concatBytes(new Uint8Array(32), digest)));
    const dynamic = execute(tpm, tpm2PcrExtend, { pcrHandle: 17, digests: [{ hashAlg: 'sha256', digest }] });
    assert.equal(await returnCodeOf(dynamic), 'TPM_RC_LOCALITY');
  });

  await t.test('PCR_Reset', async () => {
    await execute(tpm, tpm2PcrReset, { pcrHandle: 16 });
    assert.deepEqual(await value(), new Uint8Array(32));
    assert.equal(await returnCodeOf(execute(tpm, tpm2PcrReset, { pcrHandle: 0 })), 'TPM_RC_LOCALITY');
  });

  await t.test('PCR_Event', async () => {
    const eventData = ascii('event');
    const { digests } = await execute(tpm, tpm2PcrEvent, { pcrHandle: 16, eventData });
    const banks = (await readBanks(tpm)).map(({ bank }) => bank);
    assert.deepEqual(digests.map(({ hashAlg }) => hashAlg).sort(), banks.sort());
    for (const { hashAlg, digest } of digests) assert.deepEqual(digest, tpmDigest(hashAlg, eventData));
    const dynamic = execute(tpm, tpm2PcrEvent, { pcrHandle: 17, eventData });
    assert.equal(await returnCodeOf(dynamic), 'TPM_RC_LOCALITY');
  });

  await t.test('PCR_Read: every PCR of every bank, 8 at a time, and banks that are not there', async () => {
    const banks = await readBanks(tpm);
    assert.ok(banks.length >= 2);
    const { values, missing } = await readPcrs(tpm, [...banks, { bank: 'sm3_256', pcrs: [0, 1] }]);
    assert.equal(values.length, 24 * banks.length);
    assert.deepEqual(missing, [
      { bank: 'sm3_256', pcr: 0 },
      { bank: 'sm3_256', pcr: 1 },
    ]);
    const places = values.map(({ bank, pcr }) => `${bank}:${pcr}`);
    assert.deepEqual(
      places,
      banks.flatMap(({ bank, pcrs }) => pcrs.map((pcr) => `${bank}:${pcr}`)),
    );
    // A hash that the TPM does not have at all.
    const wrong = [{ hash: 0x7777, pcrSelect: Uint8Array.of(1, 0, 0) }];
    assert.equal(await returnCodeOf(execute(tpm, tpm2PcrRead, { pcrSelectionIn: wrong })), 'TPM_RC_HASH');
  });

  await t.test(
    'PCRs that are extended while they are read are read again; ones that never stand still are refused',
    async () => {
      let asked = 0;
      const busy = (untilRound: number) => ({
        send: async (command: Uint8Array): Promise<Uint8Array> => {
          if (asked++ < untilRound) await execute(tpm, tpm2PcrEvent, { pcrHandle: 10, eventData: ascii('x') });
          return tpm.send(command);
        },
      });
      const all: PcrSelection[] = [{ bank: 'sha256', pcrs: Array.from({ length: 24 }, (_, pcr) => pcr) }];
      const { values } = await readPcrs(busy(2), all);
      assert.deepEqual(values, (await readPcrs(tpm, all)).values);
      asked = 0;
      assert.equal(await errorCodeOf(readPcrs(busy(1000), all)), 'pcr_value_missing');
    },
  );

  await t.test('Quote: of every kind of attestation key', () =>
    withSrk(tpm, async (srk) => {
      const banks = await readBanks(tpm);
      const quoted = banks.filter(({ bank }) => bank === 'sha256' || bank === 'sha384');
      const { values } = await readPcrs(tpm, quoted);
      for (const kind of ['ecdsa-p256', 'ecdsa-p384', 'rsassa-2048', 'rsapss-2048'] as const) {
        const created = await createObject(tpm, srk, { template: attestationKeyTemplate(kind) });
        const ak = await loadObject(tpm, srk, created);
        await withFlushed(tpm, ak, async () => {
          assert.deepEqual(checkAttestationKey(ak.area.value), []);
          const nonce = ascii('nonce');
          const PCRselect = quoted.map(encodePcrSelection);
          const input = { signHandle: ak, qualifyingData: nonce, inScheme: NULL_SCHEME, PCRselect };
          const { quoted: attest, signature } = await execute(tpm, tpm2Quote, input);
          const evidence = { attest, signature: encode(tpmtSignature, signature), pcrs: values };
          const verified = verifyQuote(evidence, { key: importSigningKey(ak.area.value), selection: quoted, nonce });
          assert.equal(verified.pcrs.length, values.length);
        });
      }
      const input = { signHandle: srk, qualifyingData: new Uint8Array(), inScheme: NULL_SCHEME, PCRselect: [] };
      assert.equal(await returnCodeOf(execute(tpm, tpm2Quote, input)), 'TPM_RC_KEY');
    }),
  );
}
