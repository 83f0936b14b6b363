// SPDX-License-Identifier: Apache-2.0
import { enumOf, type Infer, openEnumOf, select, struct, u16be, u32be, withBytes } from '@vouchsafe/codec';
import { TPM_ALG, tpmiAlgHashOrNull } from './algorithm.ts';
import { tpmaObject } from './attributes.ts';
import { tpm2b, tpm2bDigest } from './buffer.ts';
import { tpmtEccScheme, tpmtKdfScheme, tpmtKeyedhashScheme, tpmtRsaScheme, tpmtSymDefObject } from './scheme.ts';
import { tpm2bEccParameter, tpm2bPublicKeyRsa } from './signature.ts';

/** TPM_ECC_CURVE. TPM 2.0 Library, Part 2, section 6.4. */
export const tpmEccCurve = openEnumOf(u16be, {
  nistP192: 0x0001,
  nistP224: 0x0002,
  nistP256: 0x0003,
  nistP384: 0x0004,
  nistP521: 0x0005,
  bnP256: 0x0010,
  bnP638: 0x0011,
  sm2P256: 0x0020,
});

/** Part 2, section 11.1.9. */
export const tpmsSymcipherParms = struct('TPMS_SYMCIPHER_PARMS', { sym: tpmtSymDefObject });

/** Part 2, section 12.2.3.3. */
export const tpmsKeyedhashParms = struct('TPMS_KEYEDHASH_PARMS', { scheme: tpmtKeyedhashScheme });

/** Part 2, section 12.2.3.5. */
export const tpmsRsaParms = struct('TPMS_RSA_PARMS', {
  symmetric: [tpmtSymDefObject, 'for a restricted decryption key, else null'],
  scheme: tpmtRsaScheme,
  keyBits: [u16be, 'bits of the modulus'],
  exponent: [u32be, '0 stands for 65,537'],
});

/** Part 2, section 12.2.3.6. */
export const tpmsEccParms = struct('TPMS_ECC_PARMS', {
  symmetric: [tpmtSymDefObject, 'for a restricted decryption key, else null'],
  scheme: tpmtEccScheme,
  curveID: tpmEccCurve,
  kdf: tpmtKdfScheme,
});

/** Part 2, section 11.2.5.2. */
export const tpmsEccPoint = struct('TPMS_ECC_POINT', { x: tpm2bEccParameter, y: tpm2bEccParameter });

/** Octets of a TPMS_ECC_POINT at most. */
const MAX_POINT_BYTES = 2 * (2 + 80);

/** TPM2B_ECC_POINT. Part 2, section 11.2.5.3. */
export const tpm2bEccPoint = tpm2b(tpmsEccPoint, MAX_POINT_BYTES);

const { rsa, ecc, keyedhash, symcipher } = TPM_ALG;

/** TPM 2.0 Library, Part 2, section 12.2.4. */
export const tpmtPublic = struct('TPMT_PUBLIC', {
  type: [enumOf(u16be, { rsa, keyedhash, ecc, symcipher }), 'selects parameters and unique'],
  nameAlg: [tpmiAlgHashOrNull, 'hash of the name and of the policy'],
  objectAttributes: tpmaObject,
  authPolicy: [tpm2bDigest, 'empty, or a digest of nameAlg'],
  parameters: select('type', {
    rsa: tpmsRsaParms,
    keyedhash: tpmsKeyedhashParms,
    ecc: tpmsEccParms,
    symcipher: tpmsSymcipherParms,
  }),
  unique: [
    select('type', { rsa: tpm2bPublicKeyRsa, keyedhash: tpm2bDigest, ecc: tpmsEccPoint, symcipher: tpm2bDigest }),
    'the public key, or a digest that stands for the secret one',
  ],
});
export type TpmtPublic = Infer<typeof tpmtPublic>;

/** Octets of a TPMT_PUBLIC at most; an RSA-4096 key's takes 610. */
const MAX_PUBLIC_BYTES = 1024;

/** TPM2B_PUBLIC, with the exact octets of the area inside, which names are made of. Part 2, section 12.2.5. */
export const tpm2bPublic = tpm2b(withBytes(tpmtPublic), MAX_PUBLIC_BYTES);
