// SPDX-License-Identifier: Apache-2.0
import { type PublicArea, publicArea } from './name.ts';
import type { TpmHash } from './structures/algorithm.ts';
import { objectAttributes, type TpmaObject } from './structures/attributes.ts';
import type { TpmtPublic } from './structures/public.ts';

const EMPTY = new Uint8Array();
const NULL_SCHEME = { scheme: 'null', details: {} } as const;
const NULL_SYMMETRIC = { algorithm: 'null', details: {} } as const;

/** AES in CFB mode, which parents protect their children with. */
export function aesCfb(keyBits: 128 | 256): { algorithm: 'aes'; details: { keyBits: number; mode: 'cfb' } } {
  return { algorithm: 'aes', details: { keyBits, mode: 'cfb' } };
}

/** A key that wraps other objects: restricted, and for decryption alone. */
const STORAGE = ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'userWithAuth', 'restricted', 'decrypt'] as const;

/**
 * The storage root key that the TCG has machines share: every program that asks for it gets the same key. TCG TPM v2.0
 * Provisioning Guidance (SRK templates); the unique field is of zeros, as long as the key.
 */
export function srkTemplate(kind: 'ecc' | 'rsa'): PublicArea {
  const attributes = objectAttributes(...STORAGE, 'noDA');
  return kind === 'ecc'
    ? eccArea({ objectAttributes: attributes, uniqueBytes: 32, isParent: true })
    : rsaArea({ objectAttributes: attributes, uniqueBytes: 256, isParent: true });
}

/**
 * The storage key that tpm2_createprimary makes unless told otherwise, and systemd up to version 253: as the SRK, but
 * under dictionary attack protection, and with an empty unique field.
 */
export function storageTemplate(
  kind: 'ecc' | 'rsa',
  nameAlg: TpmHash = 'sha256',
  { noDA = false }: { readonly noDA?: boolean } = {},
): PublicArea {
  const attributes = objectAttributes(...STORAGE, ...(noDA ? (['noDA'] as const) : []));
  const options: AreaOptions = { objectAttributes: attributes, isParent: true, nameAlg };
  return kind === 'ecc' ? eccArea(options) : rsaArea(options);
}

interface AreaOptions {
  readonly objectAttributes: TpmaObject;
  readonly uniqueBytes?: number;
  readonly isParent?: boolean;
  readonly nameAlg?: TpmHash;
  readonly authPolicy?: Uint8Array;
}

type EccParameters = Extract<TpmtPublic, { type: 'ecc' }>['parameters'];
type RsaParameters = Extract<TpmtPublic, { type: 'rsa' }>['parameters'];

/** An ECC area on P-256 unless the parameters say otherwise. */
function eccArea(options: AreaOptions, parameters: Partial<EccParameters> = {}): PublicArea {
  const { objectAttributes: attributes, uniqueBytes = 0, isParent = false, nameAlg = 'sha256' } = options;
  return publicArea({
    type: 'ecc',
    nameAlg,
    objectAttributes: attributes,
    authPolicy: options.authPolicy ?? EMPTY,
    parameters: {
      symmetric: isParent ? aesCfb(128) : NULL_SYMMETRIC,
      scheme: NULL_SCHEME,
      curveID: 'nistP256',
      kdf: NULL_SCHEME,
      ...parameters,
    },
    unique: { x: new Uint8Array(uniqueBytes), y: new Uint8Array(uniqueBytes) },
  });
}

/** An RSA area of 2,048 bits unless the parameters say otherwise. */
function rsaArea(options: AreaOptions, parameters: Partial<RsaParameters> = {}): PublicArea {
  const { objectAttributes: attributes, uniqueBytes = 0, isParent = false, nameAlg = 'sha256' } = options;
  return publicArea({
    type: 'rsa',
    nameAlg,
    objectAttributes: attributes,
    authPolicy: options.authPolicy ?? EMPTY,
    parameters: {
      symmetric: isParent ? aesCfb(128) : NULL_SYMMETRIC,
      scheme: NULL_SCHEME,
      keyBits: 2048,
      exponent: 0,
      ...parameters,
    },
    unique: new Uint8Array(uniqueBytes),
  });
}

/** The attestation keys that there are templates for. */
export type AttestationKeyKind = 'ecdsa-p256' | 'ecdsa-p384' | 'rsassa-2048' | 'rsapss-2048';

const ATTESTATION = [
  'fixedTPM',
  'fixedParent',
  'sensitiveDataOrigin',
  'userWithAuth',
  'restricted',
  'noDA',
  'signEncrypt',
] as const;

/**
 * A restricted signing key: what it signs as made by the TPM was made by the TPM. See `checkAttestationKey`. Not under
 * dictionary attack protection, as none of these keys that open by an empty authValue are: there is nothing to guess, and a TPM counts each
 * loss of power as a guess, so that a machine with a few of them could not attest any more. TPM 2.0 Library, Part 1,
 * "Dictionary Attack Protection", "Non-orderly Shutdown".
 */
export function attestationKeyTemplate(kind: AttestationKeyKind, authPolicy: Uint8Array = EMPTY): PublicArea {
  const hash = kind === 'ecdsa-p384' ? 'sha384' : 'sha256';
  const options: AreaOptions = { objectAttributes: objectAttributes(...ATTESTATION), nameAlg: 'sha256', authPolicy };
  const details = { hashAlg: hash } as const;
  switch (kind) {
    case 'ecdsa-p256':
      return eccArea(options, { scheme: { scheme: 'ecdsa', details } });
    case 'ecdsa-p384':
      return eccArea(options, { scheme: { scheme: 'ecdsa', details }, curveID: 'nistP384' });
    case 'rsassa-2048':
      return rsaArea(options, { scheme: { scheme: 'rsassa', details } });
    case 'rsapss-2048':
      return rsaArea(options, { scheme: { scheme: 'rsapss', details } });
  }
}

/** A key that works for whoever is on this machine, and nowhere else. */
const OWN = ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'userWithAuth'] as const;

/**
 * A key that signs what it is given, TLS handshakes above all, with the scheme that each signature names. It proves
 * nothing by itself: an attestation key certifies it.
 */
export function clientKeyTemplate(kind: 'P-256' | 'rsa-2048', authPolicy: Uint8Array = EMPTY): PublicArea {
  const options: AreaOptions = { objectAttributes: objectAttributes(...OWN, 'noDA', 'signEncrypt'), authPolicy };
  return kind === 'P-256' ? eccArea(options) : rsaArea(options);
}

/** A key that opens what others encrypt to this machine: RSA-2048, for RSAES-OAEP with SHA-256 alone. */
export function decryptionKeyTemplate(authPolicy: Uint8Array = EMPTY): PublicArea {
  const options: AreaOptions = { objectAttributes: objectAttributes(...OWN, 'noDA', 'decrypt'), authPolicy };
  return rsaArea(options, { scheme: { scheme: 'oaep', details: { hashAlg: 'sha256' } } });
}

/** What may open a sealed object. */
export interface SealedOptions {
  /** Empty for none. */
  readonly authPolicy?: Uint8Array;
  /** True unless given: the authValue alone opens it, whatever the policy says. With a policy it is false. */
  readonly userWithAuth?: boolean;
  /** True exempts it from dictionary attack protection, as is right for an object without a PIN. */
  readonly noDA?: boolean;
}

/**
 * A sealed object, bound to this TPM and this parent. Beside the policy the authValue opens an object only where
 * `userWithAuth` says so: with a policy it is off, since an empty authValue would open it.
 */
export function sealedTemplate(options: SealedOptions = {}): PublicArea {
  const { authPolicy = EMPTY, userWithAuth = authPolicy.length === 0, noDA = false } = options;
  return publicArea({
    type: 'keyedhash',
    nameAlg: 'sha256',
    objectAttributes: objectAttributes(
      'fixedTPM',
      'fixedParent',
      ...(userWithAuth ? (['userWithAuth'] as const) : []),
      ...(noDA ? (['noDA'] as const) : []),
    ),
    authPolicy,
    parameters: { scheme: NULL_SCHEME },
    unique: EMPTY,
  });
}

/** The area with other fields; its octets, and so its name, are made anew. */
export function changedArea<T extends TpmtPublic['type']>(
  area: PublicArea,
  change: Partial<Extract<TpmtPublic, { type: T }>>,
): PublicArea {
  return publicArea({ ...area.value, ...change } as TpmtPublic);
}
