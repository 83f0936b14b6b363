// SPDX-License-Identifier: Apache-2.0
// What a machine asks for with its evidence: keys of its TPM to be certified, secrets.
import { generateKeyPair } from '@vouchsafe/crypto/signing';
import { type Challenge, encodeBase64url, parseBase64url } from '@vouchsafe/protocol';
import {
  clientKeyTemplate,
  decryptionKeyTemplate,
  type PublicArea,
  publicArea,
  publicAreaFromSpki,
} from '@vouchsafe/tpm';
import type { Answer } from './client.ts';
import type { Machine } from './machine.ts';

export interface MadeKey {
  readonly area: PublicArea;
  readonly privateKeyPem: string;
}

/** A key like those that the agent has the TPM make. */
export function keyLike(template: PublicArea): MadeKey {
  const { publicKey, privateKeyPem } = generateKeyPair(template.value.type === 'rsa' ? 'rsa-2048' : 'P-256');
  const { objectAttributes } = template.value;
  return {
    area: publicArea(publicAreaFromSpki(publicKey.spki, { nameAlg: 'sha256', objectAttributes })),
    privateKeyPem,
  };
}

/** TPM2_Certify over the nonce of a challenge, as messages have it. */
export function certified({ tpm }: Machine, { area }: MadeKey, { nonce }: Challenge) {
  const { publicArea: bytes, attest, signature } = tpm.certify(area, parseBase64url(nonce));
  return { publicArea: encodeBase64url(bytes), attest: encodeBase64url(attest), signature: encodeBase64url(signature) };
}

/** Attests, has both keys certified, and asks for secrets. */
export async function attestAsking(machine: Machine, ...secrets: readonly string[]): Promise<Answer> {
  const challenge = await machine.freshChallenge();
  const keys = {
    client: certified(machine, keyLike(clientKeyTemplate('P-256')), challenge),
    decryption: certified(machine, keyLike(decryptionKeyTemplate()), challenge),
  };
  return machine.attest({ challenge, edit: (message) => ({ ...message, keys, secrets }) });
}
