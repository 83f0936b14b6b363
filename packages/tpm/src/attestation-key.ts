// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '@vouchsafe/base';
import { isTpmCurve } from './spki.ts';
import type { TpmaObject } from './structures/attributes.ts';
import type { TpmtPublic } from './structures/public.ts';

export type AttestationKeyFindingCode =
  | 'ak_attribute' // an attribute without which the key is not the TPM's own, or signs what is not the TPM's
  | 'ak_algorithm' // no RSA or NIST-curve key
  | 'ak_weak' // a key, scheme or name algorithm below today's strength
  | 'ak_scheme'; // no fixed signing scheme

/**
 * What makes a key fit for attestation. Without `restricted` it signs bytes that imitate a quote; without `fixedTPM`,
 * `fixedParent` and `sensitiveDataOrigin` its private part may be known outside this TPM. TPM 2.0 Library, Part 1,
 * section 25 (Object Attributes).
 */
const REQUIRED: readonly (keyof TpmaObject)[] = [
  'fixedTPM',
  'fixedParent',
  'sensitiveDataOrigin',
  'restricted',
  'signEncrypt',
];

const MIN_RSA_BITS = 2048;

/** Everything about a public area that speaks against its use as an attestation key; empty when it is fit. */
export function checkAttestationKey(
  area: TpmtPublic,
  artefact = 'attestation key',
): Finding<AttestationKeyFindingCode>[] {
  const findings: Finding<AttestationKeyFindingCode>[] = [];
  const add = (code: AttestationKeyFindingCode, path: string, expected: string, actual: string): void => {
    findings.push({ code, severity: 'error', where: { artefact, path }, expected, actual, hint: HINTS[code] });
  };
  for (const name of REQUIRED) {
    if (!area.objectAttributes[name]) add('ak_attribute', `objectAttributes.${name}`, 'set', 'clear');
  }
  // A restricted decryption key is a storage key; TPMs do not make one that signs too, so this is forged.
  if (area.objectAttributes.decrypt) add('ak_attribute', 'objectAttributes.decrypt', 'clear', 'set');
  if (area.nameAlg === 'sha1' || area.nameAlg === 'null') add('ak_weak', 'nameAlg', 'sha256 or stronger', area.nameAlg);
  if (area.type === 'rsa') {
    const { keyBits } = area.parameters;
    if (keyBits < MIN_RSA_BITS) add('ak_weak', 'parameters.keyBits', `${MIN_RSA_BITS} or more`, String(keyBits));
  } else if (area.type !== 'ecc') {
    add('ak_algorithm', 'type', 'rsa or ecc', area.type);
    return findings;
  } else if (!isTpmCurve(area.parameters.curveID)) {
    add('ak_algorithm', 'parameters.curveID', 'nistP256, nistP384 or nistP521', String(area.parameters.curveID));
  }
  const { scheme } = area.parameters;
  if (scheme.scheme !== 'rsassa' && scheme.scheme !== 'rsapss' && scheme.scheme !== 'ecdsa') {
    add('ak_scheme', 'parameters.scheme', 'rsassa, rsapss or ecdsa', scheme.scheme);
  } else if (scheme.details.hashAlg === 'sha1') {
    add('ak_weak', 'parameters.scheme.hashAlg', 'sha256 or stronger', 'sha1');
  }
  return findings;
}

const HINTS: Readonly<Record<AttestationKeyFindingCode, string>> = {
  ak_attribute: 'Create the key inside the TPM as a restricted signing key (tpm2_createak does) and enrol that',
  ak_algorithm: 'Create an RSA key, or an ECC key on P-256, P-384 or P-521',
  ak_weak: 'Create the key with SHA-256 and, for RSA, 2,048 bits or more',
  ak_scheme: 'Create the key with a fixed signing scheme',
};
