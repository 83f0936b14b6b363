// SPDX-License-Identifier: Apache-2.0
/**
 * Private keys, for Node only: what builds images, manifests and certificates. No check of evidence needs any of it.
 */
export { type GeneratedKeyPair, type GeneratedKeyType, generateKeyPair } from './generate.ts';
export { encryptWithPassphrase, type PassphraseEncryption } from './passphrase-encryption.ts';
export { importPrivateKey, type PrivateKey, publicKeyOf } from './private-key.ts';
export { randomBytes } from './random.ts';
export { type DigestSigningScheme, type SigningScheme, signDigest, signMessage } from './sign.ts';
