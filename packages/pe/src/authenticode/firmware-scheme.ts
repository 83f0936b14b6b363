// SPDX-License-Identifier: Apache-2.0
import type { SignatureScheme } from '@vouchsafe/crypto';
import { PeError } from '../error.ts';

/**
 * Whether firmware can verify the scheme: EDK II leaves PKCS #7 to OpenSSL's PKCS7_verify (CryptoPkg, BaseCryptLib,
 * CryptPkcs7VerifyBase.c), which knows neither Ed25519, that needs the message whole, nor the parameters of RSASSA-PSS.
 */
export function isFirmwareScheme({ kind }: SignatureScheme): boolean {
  return kind === 'rsa-pkcs1' || kind === 'ecdsa';
}

/** @throws {PeError} 'options_invalid' for a key whose signatures firmware does not verify. */
export function requireFirmwareScheme(scheme: SignatureScheme): void {
  if (isFirmwareScheme(scheme)) return;
  const message = `expected a key that firmware verifies, RSA (PKCS #1 v1.5) or ECDSA, found ${scheme.kind}`;
  throw new PeError('options_invalid', message);
}
