// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { PublicKey } from '../types.ts';
import { adopt, type PrivateKey, publicKeyOf } from './private-key.ts';

/** What can be generated. RSA gets the exponent 65,537, which is all that a TPM takes by default. */
export type GeneratedKeyType = 'rsa-2048' | 'rsa-3072' | 'rsa-4096' | 'P-256' | 'P-384' | 'P-521' | 'ed25519';

export interface GeneratedKeyPair {
  readonly privateKey: PrivateKey;
  readonly publicKey: PublicKey;
  /** PKCS#8, not encrypted (RFC 7468, section 10): a secret, to be written to a file that only its owner can read. */
  readonly privateKeyPem: string;
}

const GENERATORS: Readonly<Record<GeneratedKeyType, () => { privateKey: KeyObject }>> = {
  'rsa-2048': () => generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 65537 }),
  'rsa-3072': () => generateKeyPairSync('rsa', { modulusLength: 3072, publicExponent: 65537 }),
  'rsa-4096': () => generateKeyPairSync('rsa', { modulusLength: 4096, publicExponent: 65537 }),
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'P-521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  ed25519: () => generateKeyPairSync('ed25519'),
};

/** A new key pair, random. RSA of 4,096 bits takes from a tenth of a second to some seconds. */
export function generateKeyPair(type: GeneratedKeyType): GeneratedKeyPair {
  const { privateKey: handle } = GENERATORS[type]();
  const privateKey = adopt(handle);
  const privateKeyPem = handle.export({ format: 'pem', type: 'pkcs8' }) as string;
  return { privateKey, publicKey: publicKeyOf(privateKey), privateKeyPem };
}
