// SPDX-License-Identifier: Apache-2.0
import { concatBytes, parseUtf8, TextError, utf8 } from '@vouchsafe/base';
import { encodeBase64 } from '@vouchsafe/pki';
import type { FuzzTarget } from '@vouchsafe/testing';
import {
  formatSealedFile,
  nameOf,
  nvAttributes,
  nvPublicArea,
  parseClevisJwe,
  parsePcrlockPolicy,
  parseSealedFile,
  parseSystemdToken,
  pcrlockPolicyDigest,
  SRK_PARENT,
  sealedTemplate,
  srkTemplate,
  TpmError,
} from '@vouchsafe/tpm';

const sized = (bytes: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes);
const word = (value: number): Uint8Array =>
  Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);

const NV = 0x0180_0001;
const srk = srkTemplate('ecc');
const area = sealedTemplate({ authPolicy: new Uint8Array(32).fill(1) });
const { bytes: nvBytes } = nvPublicArea({
  nvIndex: NV,
  nameAlg: 'sha256',
  attributes: nvAttributes('ordinary', 'ownerRead'),
  authPolicy: new Uint8Array(),
  dataSize: 34,
});
const nvHandle = encodeBase64(concatBytes(word(NV), sized(new Uint8Array(34)), word(2), sized(nvBytes)));
const TOKEN = {
  type: 'systemd-tpm2',
  keyslots: ['1'],
  'tpm2-blob': encodeBase64(concatBytes(sized(new Uint8Array(64).fill(2)), sized(area.bytes))),
  'tpm2-pcrs': [7],
  'tpm2-policy-hash': '01'.repeat(32),
  'tpm2-pin': true,
  tpm2_salt: encodeBase64(new Uint8Array(32).fill(3)),
  tpm2_srk: encodeBase64(concatBytes(word(0x8100_0001), sized(nameOf(srk)), word(1), sized(srk.bytes))),
  tpm2_pcrlock: true,
  tpm2_pcrlock_nv: nvHandle,
};
const PCRLOCK = {
  pcrBank: 'sha256',
  pcrValues: [
    { pcr: 4, values: ['04'.repeat(32)] },
    { pcr: 11, values: ['01'.repeat(32), '02'.repeat(32)] },
  ],
  nvIndex: NV,
  nvHandle,
};
const FILE = formatSealedFile({
  sealed: {
    area,
    private: new Uint8Array(64).fill(2),
    parent: SRK_PARENT,
    policy: { hash: 'sha256', pcrs: [{ bank: 'sha256', pcrs: [7] }], withPin: true },
  },
  sealedTo: [{ bank: 'sha256', pcr: 7, value: new Uint8Array(32) }],
});

/** What holds a sealed secret, in each of its forms: read, or a TpmError. A pcrlock policy that was read has a digest. */
export const target: FuzzTarget = {
  name: 'tpm-sealed',
  seeds: () => [JSON.stringify(TOKEN), JSON.stringify(PCRLOCK), FILE].map(utf8),
  run(bytes) {
    let text: string;
    try {
      text = parseUtf8(bytes);
    } catch (error) {
      if (error instanceof TextError) return;
      throw error;
    }
    const forms: readonly (() => unknown)[] = [
      () => parseSystemdToken(jsonOf(text), 'token'),
      () => pcrlockPolicyDigest(parsePcrlockPolicy(text, 'pcrlock')),
      () => parseSealedFile(text, 'file'),
      () => parseClevisJwe(text, 'jwe'),
    ];
    for (const form of forms) {
      try {
        form();
      } catch (error) {
        if (!(error instanceof TpmError)) throw error;
      }
    }
  },
};

/** A token comes out of LUKS2's metadata, which is JSON already. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
