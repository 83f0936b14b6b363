// SPDX-License-Identifier: Apache-2.0
import { type PublicArea, publicArea } from '../name.ts';
import { objectAttributes } from '../structures/attributes.ts';
import { aesCfb } from '../templates.ts';
import { type EkHash, ekPolicyA, ekPolicyB } from './policies.ts';

/** The default templates of TCG EK Credential Profile 2.x, annex B, by their names there; H-5, on SM2, is not made here. */
export type EkTemplateName = 'L-1' | 'L-2' | 'H-1' | 'H-2' | 'H-3' | 'H-4' | 'H-6' | 'H-7';

/** An endorsement key that a TPM may have been given. */
export interface EkTemplate {
  readonly name: EkTemplateName;
  /** 'RSA 2048', 'ECC NIST P-256'. */
  readonly label: string;
  /** Its policy: PolicyA in the low range, PolicyB, and the authValue too, in the high range. */
  readonly range: 'low' | 'high';
  readonly hash: EkHash;
  readonly template: PublicArea;
  /** NV index of the certificate. TCG EK Credential Profile 2.3, section 2.2.1.4 (low range) and after. */
  readonly certificateIndex: number;
  /** NV index of a TPMT_PUBLIC to take in place of the template, where the maker has one. */
  readonly templateIndex: number;
  /** NV index of what goes into the template's unique field; low range only. */
  readonly nonceIndex?: number;
  /** Where makers and tools keep the key. TCG TPM v2.0 Provisioning Guidance (handles), and the profile. */
  readonly persistentHandle: number;
}

const LOW = ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'adminWithPolicy', 'restricted', 'decrypt'] as const;
const HIGH = [...LOW, 'userWithAuth'] as const;
const NULL_SCHEME = { scheme: 'null', details: {} } as const;

type Shape = { readonly hash: EkHash; readonly range: EkTemplate['range']; readonly aesBits: 128 | 256 };

function common({ hash, range }: Shape) {
  return {
    nameAlg: hash,
    objectAttributes: objectAttributes(...(range === 'low' ? LOW : HIGH)),
    authPolicy: (range === 'low' ? ekPolicyA(hash) : ekPolicyB(hash)).digest,
  };
}

/** The low range fills the unique field with zeros, as long as the key; the high range leaves it empty. */
function rsa(keyBits: number, shape: Shape): PublicArea {
  return publicArea({
    type: 'rsa',
    ...common(shape),
    parameters: { symmetric: aesCfb(shape.aesBits), scheme: NULL_SCHEME, keyBits, exponent: 0 },
    unique: new Uint8Array(shape.range === 'low' ? keyBits / 8 : 0),
  });
}

function ecc(curveID: 'nistP256' | 'nistP384' | 'nistP521', shape: Shape): PublicArea {
  const size = shape.range === 'low' ? 32 : 0;
  return publicArea({
    type: 'ecc',
    ...common(shape),
    parameters: { symmetric: aesCfb(shape.aesBits), scheme: NULL_SCHEME, curveID, kdf: NULL_SCHEME },
    unique: { x: new Uint8Array(size), y: new Uint8Array(size) },
  });
}

const low: Shape = { hash: 'sha256', range: 'low', aesBits: 128 };
const high = (hash: EkHash, aesBits: 128 | 256): Shape => ({ hash, range: 'high', aesBits });

function highTemplate(
  name: EkTemplateName,
  label: string,
  number: number,
  hash: EkHash,
  template: PublicArea,
): EkTemplate {
  const certificateIndex = 0x01c0_0000 + number;
  const range = 'high';
  return {
    name,
    label,
    range,
    hash,
    template,
    certificateIndex,
    templateIndex: certificateIndex + 1,
    persistentHandle: 0x8101_0000 + number,
  };
}

/** In the order of the profile. */
export const EK_TEMPLATES: readonly EkTemplate[] = [
  {
    name: 'L-1',
    label: 'RSA 2048',
    range: 'low',
    hash: 'sha256',
    template: rsa(2048, low),
    certificateIndex: 0x01c0_0002,
    nonceIndex: 0x01c0_0003,
    templateIndex: 0x01c0_0004,
    persistentHandle: 0x8101_0001,
  },
  {
    name: 'L-2',
    label: 'ECC NIST P-256',
    range: 'low',
    hash: 'sha256',
    template: ecc('nistP256', low),
    certificateIndex: 0x01c0_000a,
    nonceIndex: 0x01c0_000b,
    templateIndex: 0x01c0_000c,
    persistentHandle: 0x8101_0002,
  },
  highTemplate('H-1', 'RSA 2048', 0x12, 'sha256', rsa(2048, high('sha256', 128))),
  highTemplate('H-2', 'ECC NIST P-256', 0x14, 'sha256', ecc('nistP256', high('sha256', 128))),
  highTemplate('H-3', 'ECC NIST P-384', 0x16, 'sha384', ecc('nistP384', high('sha384', 256))),
  highTemplate('H-4', 'ECC NIST P-521', 0x18, 'sha512', ecc('nistP521', high('sha512', 256))),
  highTemplate('H-6', 'RSA 3072', 0x1c, 'sha384', rsa(3072, high('sha384', 256))),
  highTemplate('H-7', 'RSA 4096', 0x1e, 'sha384', rsa(4096, high('sha384', 256))),
];

/** The template of a name. */
export function ekTemplate(name: EkTemplateName): EkTemplate {
  return EK_TEMPLATES.find((template) => template.name === name) as EkTemplate;
}
