// SPDX-License-Identifier: Apache-2.0
// A TPM is input too: one that contradicts itself, or never comes to an end, is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes } from '@vouchsafe/base';
import { decode, encode } from '@vouchsafe/codec';
import {
  EK_TEMPLATES,
  encodePcrSelection,
  nameOf,
  nvAttributes,
  nvNameOf,
  nvPublicArea,
  readBanks,
  readEkStore,
  readHandles,
  readNv,
  readNvIndex,
  readObject,
  readPcrs,
  readProperties,
  responseHeader,
  srkTemplate,
  TPM_PT,
  type TpmTransport,
} from '@vouchsafe/tpm';
import { codeOf } from './support.ts';
import { COMMANDS } from './transcript.ts';

/** Answers by a command's name, as the specification names the parameters; a number is a return code. */
type Answers = Readonly<Record<string, (input: never) => object | number>>;

/** A TPM that answers so; a command that it has no answer for is one too many. */
function tpmOf(answers: Answers): TpmTransport & { asked: number } {
  const tpm = {
    asked: 0,
    send: async (request: Uint8Array): Promise<Uint8Array> => {
      tpm.asked++;
      const view = new DataView(request.buffer, request.byteOffset, request.byteLength);
      const command = COMMANDS.get(view.getUint32(6));
      const answer = command && answers[command.name];
      if (command === undefined || answer === undefined) throw new Error(`unexpected: ${command?.name}`);
      let at = 10 + 4 * command.handles.length;
      const hasSessions = request[1] === 2;
      if (hasSessions) at += 4 + view.getUint32(at);
      const output = answer(decode(command.parameters, request.subarray(at)) as never);
      const tag = typeof output !== 'number' && hasSessions ? 'sessions' : 'noSessions';
      const parameters = typeof output === 'number' ? new Uint8Array() : encode(command.response, output);
      const body =
        tag === 'sessions'
          ? concatBytes(
              Uint8Array.of(0, 0, parameters.length >> 8, parameters.length & 0xff),
              parameters,
              Uint8Array.of(0, 0, 1, 0, 0),
            )
          : parameters;
      const responseCode = typeof output === 'number' ? output : 0;
      return concatBytes(encode(responseHeader, { tag, responseSize: 10 + body.length, responseCode }), body);
    },
  };
  return tpm;
}

async function rejectionOf(run: Promise<unknown>): Promise<string> {
  const [result] = await Promise.allSettled([run]);
  return codeOf(() => {
    if (result.status === 'rejected') throw result.reason;
  });
}

test('a list of capabilities without an end, or of something else', async () => {
  const endless = tpmOf({
    TPM2_GetCapability: ({ property }: { property: number }) => ({
      moreData: true,
      capabilityData: { capability: 'handles', data: [property] },
    }),
  });
  assert.equal(await rejectionOf(readHandles(endless, 'transient')), 'response_malformed');
  assert.ok(endless.asked <= 64);
  const other = tpmOf({
    TPM2_GetCapability: () => ({ moreData: false, capabilityData: { capability: 'eccCurves', data: [] } }),
  });
  assert.equal(await rejectionOf(readHandles(other, 'transient')), 'response_malformed');
  assert.equal(await rejectionOf(readBanks(other)), 'response_malformed');
  // More data, but none now: an end all the same.
  const empty = tpmOf({
    TPM2_GetCapability: () => ({ moreData: true, capabilityData: { capability: 'tpmProperties', data: [] } }),
  });
  assert.equal((await readProperties(empty, 'fixed')).size, 0);
});

test('PCR values that were not asked for, twice, or without a value', async () => {
  const digest = new Uint8Array(32);
  const answering = (pcrs: readonly number[], count: number, bank: 'sha1' | 'sha256' = 'sha256'): TpmTransport =>
    tpmOf({
      TPM2_PCR_Read: () => ({
        pcrUpdateCounter: 1,
        pcrSelectionOut: [encodePcrSelection({ bank, pcrs })],
        pcrValues: Array(count).fill(digest),
      }),
    });
  const asked = [{ bank: 'sha256', pcrs: [0, 1] }] as const;
  assert.equal((await readPcrs(answering([0, 1], 2), asked)).values.length, 2);
  for (const tpm of [answering([2], 1), answering([0, 1], 1), answering([0], 2)]) {
    assert.equal(await rejectionOf(readPcrs(tpm, asked)), 'response_malformed');
  }
  const twice = tpmOf({
    TPM2_PCR_Read: () => ({
      pcrUpdateCounter: 1,
      pcrSelectionOut: [0, 0].map((pcr) => encodePcrSelection({ bank: 'sha256', pcrs: [pcr] })),
      pcrValues: [digest, digest],
    }),
  });
  assert.equal(await rejectionOf(readPcrs(twice, asked)), 'response_malformed');
  // Of another bank: as good as none, and so the TPM does not have them.
  await assert.rejects(readPcrs(answering([0, 1], 2, 'sha1'), asked), { code: 'response_malformed' });
});

test('a name that is not that of the public area, or an index that is another', async () => {
  const outPublic = srkTemplate('ecc');
  const name = nameOf(outPublic);
  const readPublic = (said: Uint8Array): TpmTransport =>
    tpmOf({ TPM2_ReadPublic: () => ({ outPublic, name: said, qualifiedName: said }) });
  assert.deepEqual((await readObject(readPublic(name), 0x8100_0001)).name, name);
  assert.equal(await rejectionOf(readObject(readPublic(name.with(5, 0)), 0x8100_0001)), 'response_malformed');
  const nvPublic = indexOf(0x0180_0001, 8);
  const nvName = nvNameOf(nvPublic);
  const honest = tpmOf({ TPM2_NV_ReadPublic: () => ({ nvPublic, nvName }) });
  assert.deepEqual((await readNvIndex(honest, 0x0180_0001)).name, nvName);
  assert.equal(await rejectionOf(readNvIndex(honest, 0x0180_0002)), 'response_malformed');
  const lying = tpmOf({ TPM2_NV_ReadPublic: () => ({ nvPublic, nvName: nvName.with(9, 0) }) });
  assert.equal(await rejectionOf(readNvIndex(lying, 0x0180_0001)), 'response_malformed');
});

function indexOf(nvIndex: number, dataSize: number) {
  const attributes = nvAttributes('ordinary', 'authRead', 'ownerRead', 'noDA', 'written');
  return nvPublicArea({ nvIndex, nameAlg: 'sha256', attributes, authPolicy: new Uint8Array(), dataSize });
}

test('a TPM that says it gives nothing at a time, or everything, is read in pieces that we choose', async () => {
  for (const [nvBufferMax, reads] of [
    [0, 8],
    [0xffff_ffff, 2],
    [1000, 5],
  ] as const) {
    let count = 0;
    const tpm = tpmOf({
      TPM2_GetCapability: () => ({
        moreData: false,
        capabilityData: { capability: 'tpmProperties', data: [{ property: TPM_PT.nvBufferMax, value: nvBufferMax }] },
      }),
      TPM2_NV_Read: ({ size }: { size: number }) => {
        count++;
        return { data: new Uint8Array(size) };
      },
    });
    const area = indexOf(0x0180_0001, 4096);
    const contents = await readNv(tpm, { handle: 0x0180_0001, name: nvNameOf(area), area });
    assert.deepEqual([contents.length, count], [4096, reads]);
  }
});

test('contents of another length than asked for', async () => {
  const tpm = tpmOf({
    TPM2_GetCapability: () => ({ moreData: false, capabilityData: { capability: 'tpmProperties', data: [] } }),
    TPM2_NV_Read: () => ({ data: new Uint8Array(3) }),
  });
  const area = indexOf(0x0180_0001, 8);
  const run = readNv(tpm, { handle: 0x0180_0001, name: nvNameOf(area), area });
  assert.equal(await rejectionOf(run), 'response_malformed');
});

test('an index that nobody may read does not hide the other certificates', async () => {
  const [low, , high] = EK_TEMPLATES;
  assert.ok(low !== undefined && high !== undefined);
  const certificate = Uint8Array.of(0x30, 4, 1, 2, 3, 4);
  const tpm = tpmOf({
    TPM2_GetCapability: ({ capability }: { capability: string }) => ({
      moreData: false,
      capabilityData:
        capability === 'handles'
          ? { capability, data: [low.certificateIndex, high.certificateIndex] }
          : { capability, data: [] },
    }),
    TPM2_NV_ReadPublic: () => {
      asked++;
      const index = asked === 1 ? low.certificateIndex : high.certificateIndex;
      const nvPublic = indexOf(index, certificate.length);
      return { nvPublic, nvName: nvNameOf(nvPublic) };
    },
    // TPM_RC_NV_LOCKED for the first.
    TPM2_NV_Read: () => (asked === 1 ? 0x148 : { data: certificate }),
  });
  let asked = 0;
  const store = await readEkStore(tpm);
  assert.deepEqual(store.unreadable, [low.certificateIndex]);
  assert.deepEqual(
    store.certificates.map(({ template }) => template.name),
    [high.name],
  );
});
