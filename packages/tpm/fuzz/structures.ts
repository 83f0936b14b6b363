// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { bytesEqual } from '@vouchsafe/base';
import { type Codec, CodecError, decode, encode } from '@vouchsafe/codec';
import type { FuzzTarget } from '@vouchsafe/testing';
import {
  checkAttestationKey,
  findStoredCertificates,
  importSigningKey,
  TpmError,
  tpm2bCreationData,
  tpm2bNvPublic,
  tpm2bPublic,
  tpm2bSensitive,
  tpmlPcrSelection,
  tpmsAttest,
  tpmsCapabilityData,
  tpmsContext,
  tpmsCreationData,
  tpmsIdObject,
  tpmsNvPublic,
  tpmtPublic,
  tpmtSensitive,
  tpmtSignature,
  tpmtTicket,
} from '@vouchsafe/tpm';

const CODECS: readonly Codec<unknown>[] = [
  tpmsAttest,
  tpmtSignature,
  tpm2bPublic,
  tpmtPublic,
  tpmlPcrSelection,
  tpm2bNvPublic,
  tpmsNvPublic,
  tpm2bCreationData,
  tpmsCreationData,
  tpm2bSensitive,
  tpmtSensitive,
  tpmsCapabilityData,
  tpmsContext,
  tpmsIdObject,
  tpmtTicket,
];
const FILES = ['ecc-ecdsa', 'rsa-rsassa'].flatMap((kind) => [`${kind}.sig`, `${kind}.attest`, `${kind}.pub`]);

/** Every structure that a machine sends: it decodes and is written back as it was, or is a CodecError. */
export const target: FuzzTarget = {
  name: 'tpm-structures',
  seeds: () =>
    FILES.map((name) => Uint8Array.from(readFileSync(new URL(`../testdata/quote/${name}`, import.meta.url)))),
  run(bytes) {
    for (const codec of CODECS) {
      try {
        const value = decode(codec, bytes);
        if (!bytesEqual(encode(codec, value), bytes)) throw new Error(`${codec.name} is written back as other bytes`);
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
      }
    }
    findStoredCertificates(bytes);
    try {
      const { value } = decode(tpm2bPublic, bytes);
      checkAttestationKey(value);
      importSigningKey(value);
    } catch (error) {
      if (!(error instanceof CodecError || error instanceof TpmError)) throw error;
    }
  },
};
