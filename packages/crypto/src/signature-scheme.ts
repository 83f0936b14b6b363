// SPDX-License-Identifier: Apache-2.0

import { isSignatureHash } from './emsa-pkcs1.ts';
import { CryptoError } from './error.ts';
import type { KeyAlgorithm, SignatureScheme } from './types.ts';

const KEY_KINDS: Readonly<Record<SignatureScheme['kind'], KeyAlgorithm['kind']>> = {
  'rsa-pkcs1': 'rsa',
  'rsa-pss': 'rsa',
  ecdsa: 'ec',
  ed25519: 'ed25519',
};

/**
 * The one place that decides which key goes with which scheme and which digests are signed, for both runtimes.
 * @throws {CryptoError} 'key_mismatch', 'unsupported'
 */
export function requireScheme(algorithm: KeyAlgorithm, scheme: SignatureScheme): void {
  const needed = KEY_KINDS[scheme.kind];
  if (needed !== algorithm.kind) {
    throw new CryptoError(
      'key_mismatch',
      `${scheme.kind} needs a key of kind ${needed}, found ${formatKeyAlgorithm(algorithm)}`,
    );
  }
  if (scheme.kind === 'ed25519') return;
  if (!isSignatureHash(scheme.hash)) {
    throw new CryptoError('unsupported', `no ${scheme.kind} signature is defined over a ${scheme.hash} digest`);
  }
  if (
    scheme.kind === 'rsa-pss' &&
    scheme.saltSize !== 'any' &&
    !(Number.isInteger(scheme.saltSize) && scheme.saltSize >= 0)
  ) {
    // Node reads a negative length as 'of the digest' or 'any': it must not get one from a certificate.
    throw new CryptoError('unsupported', `expected a PSS salt of 0 octets or more, found ${scheme.saltSize}`);
  }
}

/** For messages: 'RSA-2048', 'EC P-256', 'Ed25519'. */
function formatKeyAlgorithm(algorithm: KeyAlgorithm): string {
  if (algorithm.kind === 'rsa') return `RSA-${algorithm.bits}`;
  return algorithm.kind === 'ec' ? `EC ${algorithm.curve}` : 'Ed25519';
}
