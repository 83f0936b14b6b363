// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '@vouchsafe/base';
import type { TpmaObject, TpmtPublic } from '@vouchsafe/tpm';

/** What a certified key is for: to sign TLS handshakes, or to open what is encrypted to the machine. */
export type CertifiedKeyUse = 'client' | 'decryption';

export type CertifiedKeyFindingCode =
  | 'key_attribute' // an attribute without which the key may be known outside its TPM, or that forbids or widens its use
  | 'key_algorithm' // no algorithm that this use is for
  | 'key_weak' // a key, scheme or name algorithm below today's strength
  | 'key_scheme'; // a scheme that TLS, or our wrapping, does not use

/**
 * Where the private part is: in this TPM, made by it, and never leaving. TPM 2.0 Library, Part 1, section 25 (Object
 * Attributes).
 */
const RESIDENT: readonly (keyof TpmaObject)[] = ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin'];

/** What else each use wants set, and what it must not have: a key is for one thing. */
const USES: Readonly<
  Record<
    CertifiedKeyUse,
    { readonly set: readonly (keyof TpmaObject)[]; readonly clear: readonly (keyof TpmaObject)[] }
  >
> = {
  // A restricted key signs only what its TPM has hashed, so no handshake; x509sign leaves it certificates alone.
  client: { set: ['signEncrypt'], clear: ['decrypt', 'restricted', 'x509sign'] },
  // A restricted decryption key is a storage key: it opens objects and not messages.
  decryption: { set: ['decrypt'], clear: ['signEncrypt', 'restricted', 'x509sign'] },
};

const MIN_RSA_BITS = 2048;
const CLIENT_CURVES: readonly unknown[] = ['nistP256', 'nistP384', 'nistP521'];
const CLIENT_SCHEMES: readonly string[] = ['null', 'rsassa', 'rsapss', 'ecdsa'];

/** Everything about a public area that speaks against that use; empty when it is fit. That it is in a TPM is not said here. */
export function checkCertifiedKey(
  area: TpmtPublic,
  use: CertifiedKeyUse,
  artefact = `${use} key`,
): Finding<CertifiedKeyFindingCode>[] {
  const findings: Finding<CertifiedKeyFindingCode>[] = [];
  const add = (code: CertifiedKeyFindingCode, path: string, expected: string, actual: string): void => {
    findings.push({ code, severity: 'error', where: { artefact, path }, expected, actual, hint: HINTS[code] });
  };
  const { set, clear } = USES[use];
  const { objectAttributes: attributes } = area;
  for (const name of [...RESIDENT, ...set]) {
    if (!attributes[name]) add('key_attribute', `objectAttributes.${name}`, 'set', 'clear');
  }
  for (const name of clear) if (attributes[name]) add('key_attribute', `objectAttributes.${name}`, 'clear', 'set');
  if (!attributes.userWithAuth && area.authPolicy.length === 0) {
    add(
      'key_attribute',
      'objectAttributes.userWithAuth',
      'set, or a policy',
      'clear, and no policy: nobody can use it',
    );
  }
  if (area.nameAlg === 'sha1' || area.nameAlg === 'null') {
    add('key_weak', 'nameAlg', 'sha256 or stronger', area.nameAlg);
  }
  checkAlgorithm(area, use, add);
  return findings;
}

function checkAlgorithm(
  area: TpmtPublic,
  use: CertifiedKeyUse,
  add: (code: CertifiedKeyFindingCode, path: string, expected: string, actual: string) => void,
): void {
  const wanted = use === 'client' ? 'ecc or rsa' : 'rsa';
  if (area.type !== 'rsa' && !(area.type === 'ecc' && use === 'client')) {
    add('key_algorithm', 'type', wanted, area.type);
    return;
  }
  if (area.type === 'ecc' && !CLIENT_CURVES.includes(area.parameters.curveID)) {
    add('key_algorithm', 'parameters.curveID', CLIENT_CURVES.join(', '), String(area.parameters.curveID));
  }
  if (area.type === 'rsa' && area.parameters.keyBits < MIN_RSA_BITS) {
    add('key_weak', 'parameters.keyBits', `${MIN_RSA_BITS} or more`, String(area.parameters.keyBits));
  }
  const { scheme } = area.parameters;
  const schemes = use === 'client' ? CLIENT_SCHEMES : ['null', 'oaep'];
  if (!schemes.includes(scheme.scheme)) add('key_scheme', 'parameters.scheme', schemes.join(', '), scheme.scheme);
  const hash = 'hashAlg' in scheme.details ? scheme.details.hashAlg : undefined;
  if (hash === 'sha1') add('key_weak', 'parameters.scheme.hashAlg', 'sha256 or stronger', hash);
  // What the service wraps is RSAES-OAEP with SHA-256, and a fixed scheme opens nothing else.
  else if (use === 'decryption' && hash !== undefined && hash !== 'sha256') {
    add('key_scheme', 'parameters.scheme.hashAlg', 'sha256', hash);
  }
}

const HINTS: Readonly<Record<CertifiedKeyFindingCode, string>> = {
  key_attribute: "Create the key inside the machine's TPM for this use alone (the agent does) and certify that",
  key_algorithm: 'Create a key on P-256, or an RSA key; for decryption RSA',
  key_weak: 'Create the key with SHA-256 and, for RSA, 2,048 bits or more',
  key_scheme: 'Create the key without a fixed scheme, or with one that this use has',
};
