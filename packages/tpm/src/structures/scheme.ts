// SPDX-License-Identifier: Apache-2.0
import { enumOf, type Infer, select, struct, u16be } from '@vouchsafe/codec';
import { TPM_ALG, tpmAlgId, tpmiAlgHash } from './algorithm.ts';

/** TPMS_EMPTY. TPM 2.0 Library, Part 2, section 10.1. */
export const tpmsEmpty = struct('TPMS_EMPTY', {});

/** Part 2, section 11.1.17. */
const tpmsSchemeHash = struct('TPMS_SCHEME_HASH', { hashAlg: tpmiAlgHash });
/** Part 2, section 11.1.18. */
const tpmsSchemeEcdaa = struct('TPMS_SCHEME_ECDAA', { hashAlg: tpmiAlgHash, count: u16be });
/** Part 2, section 11.1.21. */
const tpmsSchemeXor = struct('TPMS_SCHEME_XOR', { hashAlg: tpmiAlgHash, kdf: tpmAlgId });

/** TPMT_KEYEDHASH_SCHEME. Part 2, section 11.1.23. */
export const tpmtKeyedhashScheme = struct('TPMT_KEYEDHASH_SCHEME', {
  scheme: enumOf(u16be, { null: TPM_ALG.null, hmac: TPM_ALG.hmac, xor: TPM_ALG.xor }),
  details: select('scheme', { null: tpmsEmpty, hmac: tpmsSchemeHash, xor: tpmsSchemeXor }),
});

const { rsassa, rsapss, rsaes, oaep } = TPM_ALG;

/** TPMT_RSA_SCHEME. Part 2, section 11.2.4.2. */
export const tpmtRsaScheme = struct('TPMT_RSA_SCHEME', {
  scheme: enumOf(u16be, { null: TPM_ALG.null, rsassa, rsapss, rsaes, oaep }),
  details: select('scheme', {
    null: tpmsEmpty,
    rsassa: tpmsSchemeHash,
    rsapss: tpmsSchemeHash,
    rsaes: tpmsEmpty,
    oaep: tpmsSchemeHash,
  }),
});

const { ecdsa, ecdh, ecdaa, sm2, ecschnorr, ecmqv } = TPM_ALG;

/** TPMT_ECC_SCHEME. Part 2, section 11.2.5.6. */
export const tpmtEccScheme = struct('TPMT_ECC_SCHEME', {
  scheme: enumOf(u16be, { null: TPM_ALG.null, ecdsa, ecdh, ecdaa, sm2, ecschnorr, ecmqv }),
  details: select('scheme', {
    null: tpmsEmpty,
    ecdsa: tpmsSchemeHash,
    ecdh: tpmsSchemeHash,
    ecdaa: tpmsSchemeEcdaa,
    sm2: tpmsSchemeHash,
    ecschnorr: tpmsSchemeHash,
    ecmqv: tpmsSchemeHash,
  }),
});

const { mgf1, kdf1_sp800_56a, kdf2, kdf1_sp800_108 } = TPM_ALG;

/** TPMT_KDF_SCHEME. Part 2, section 11.2.3.3. */
export const tpmtKdfScheme = struct('TPMT_KDF_SCHEME', {
  scheme: enumOf(u16be, { null: TPM_ALG.null, mgf1, kdf1_sp800_56a, kdf2, kdf1_sp800_108 }),
  details: select('scheme', {
    null: tpmsEmpty,
    mgf1: tpmsSchemeHash,
    kdf1_sp800_56a: tpmsSchemeHash,
    kdf2: tpmsSchemeHash,
    kdf1_sp800_108: tpmsSchemeHash,
  }),
});

/** Key size and mode of a block cipher: TPMU_SYM_KEY_BITS and TPMU_SYM_MODE. Part 2, sections 11.1.3 and 11.1.4. */
export const tpmuSymCipher = struct('TPMU_SYM_KEY_BITS, TPMU_SYM_MODE', {
  keyBits: [u16be, 'bits'],
  mode: enumOf(u16be, {
    null: TPM_ALG.null,
    ctr: TPM_ALG.ctr,
    ofb: TPM_ALG.ofb,
    cbc: TPM_ALG.cbc,
    cfb: TPM_ALG.cfb,
    ecb: TPM_ALG.ecb,
  }),
});

const { aes, sm4, camellia, tdes } = TPM_ALG;

/** TPMT_SYM_DEF_OBJECT. Part 2, section 11.1.7. */
export const tpmtSymDefObject = struct('TPMT_SYM_DEF_OBJECT', {
  algorithm: enumOf(u16be, { null: TPM_ALG.null, aes, sm4, camellia, tdes }),
  details: select('algorithm', {
    null: tpmsEmpty,
    aes: tpmuSymCipher,
    sm4: tpmuSymCipher,
    camellia: tpmuSymCipher,
    tdes: tpmuSymCipher,
  }),
});

/** TPMT_SIG_SCHEME. Part 2, section 11.2.1.5. */
export const tpmtSigScheme = struct('TPMT_SIG_SCHEME', {
  scheme: enumOf(u16be, { null: TPM_ALG.null, rsassa, rsapss, ecdsa, ecdaa, sm2, ecschnorr, hmac: TPM_ALG.hmac }),
  details: select('scheme', {
    null: tpmsEmpty,
    rsassa: tpmsSchemeHash,
    rsapss: tpmsSchemeHash,
    ecdsa: tpmsSchemeHash,
    ecdaa: tpmsSchemeEcdaa,
    sm2: tpmsSchemeHash,
    ecschnorr: tpmsSchemeHash,
    hmac: tpmsSchemeHash,
  }),
});

/** TPMT_RSA_DECRYPT. Part 2, section 11.2.4.4. */
export const tpmtRsaDecrypt = struct('TPMT_RSA_DECRYPT', {
  scheme: enumOf(u16be, { null: TPM_ALG.null, rsaes, oaep }),
  details: select('scheme', { null: tpmsEmpty, rsaes: tpmsEmpty, oaep: tpmsSchemeHash }),
});

export type TpmtRsaScheme = Infer<typeof tpmtRsaScheme>;
export type TpmtEccScheme = Infer<typeof tpmtEccScheme>;
