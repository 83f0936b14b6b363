// SPDX-License-Identifier: Apache-2.0
export { DIGEST_ALGORITHMS, digestSize, isDigestAlgorithm } from '../digest-size.ts';
export { CryptoError, type CryptoErrorCode } from '../error.ts';
export type {
  DigestAlgorithm,
  DigestSignatureScheme,
  EcCurve,
  IncrementalDigest,
  KeyAlgorithm,
  PublicKey,
  SignatureScheme,
} from '../types.ts';
export { decryptAesCfb, encryptAesCfb } from './aes-cfb.ts';
export { decryptAesGcm, encryptAesGcm } from './aes-gcm.ts';
export { digest, digestWriter, hmac, isDigestAvailable, latin1Digester, startDigest } from './digest.ts';
export { ecdhSharedX, ecPointOf } from './ecdh.ts';
export { pbkdf2 } from './pbkdf2.ts';
export { importPublicKey, PublicKeyCache } from './public-key.ts';
export { encryptRsaOaep } from './rsa-oaep.ts';
export { verifyDigest, verifySignature } from './signature.ts';
