// SPDX-License-Identifier: Apache-2.0
import { enumOf, type Infer, openEnumOf, u16be } from '@vouchsafe/codec';

/**
 * TPM_ALG_ID, by the names of the TCG Algorithm Registry in lower case. TPM 2.0 Library, Part 2, section 6.3.
 */
export const TPM_ALG = {
  rsa: 0x0001,
  tdes: 0x0003,
  sha1: 0x0004,
  hmac: 0x0005,
  aes: 0x0006,
  mgf1: 0x0007,
  keyedhash: 0x0008,
  xor: 0x000a,
  sha256: 0x000b,
  sha384: 0x000c,
  sha512: 0x000d,
  sha256_192: 0x000e,
  null: 0x0010,
  sm3_256: 0x0012,
  sm4: 0x0013,
  rsassa: 0x0014,
  rsaes: 0x0015,
  rsapss: 0x0016,
  oaep: 0x0017,
  ecdsa: 0x0018,
  ecdh: 0x0019,
  ecdaa: 0x001a,
  sm2: 0x001b,
  ecschnorr: 0x001c,
  ecmqv: 0x001d,
  kdf1_sp800_56a: 0x0020,
  kdf2: 0x0021,
  kdf1_sp800_108: 0x0022,
  ecc: 0x0023,
  symcipher: 0x0025,
  camellia: 0x0026,
  sha3_256: 0x0027,
  sha3_384: 0x0028,
  sha3_512: 0x0029,
  cmac: 0x003f,
  ctr: 0x0040,
  ofb: 0x0041,
  cbc: 0x0042,
  cfb: 0x0043,
  ecb: 0x0044,
} as const;

/** Open: a new algorithm in the registry must not make a whole structure unreadable. */
export const tpmAlgId = openEnumOf(u16be, TPM_ALG);
/** The registry's name, or the number where we have none. */
export type TpmAlgId = Infer<typeof tpmAlgId>;

/** The hash algorithms, TPMI_ALG_HASH: what PCR banks are named by. Part 2, section 9.27. */
export const TPM_HASH = {
  sha1: TPM_ALG.sha1,
  sha256: TPM_ALG.sha256,
  sha384: TPM_ALG.sha384,
  sha512: TPM_ALG.sha512,
  sm3_256: TPM_ALG.sm3_256,
  sha3_256: TPM_ALG.sha3_256,
  sha3_384: TPM_ALG.sha3_384,
  sha3_512: TPM_ALG.sha3_512,
} as const;

/** TPMI_ALG_HASH where an unknown one can mean nothing: in signatures and key parameters. Part 2, section 9.27. */
export const tpmiAlgHash = enumOf(u16be, TPM_HASH);
export type TpmHash = Infer<typeof tpmiAlgHash>;

/** TPMI_ALG_HASH+: a hash, or TPM_ALG_NULL. Part 2, section 9.27. */
export const tpmiAlgHashOrNull = enumOf(u16be, { ...TPM_HASH, null: TPM_ALG.null });

/** TPMI_ALG_HASH in lists of PCR banks, where an unknown bank is kept as its number. */
export const tpmiAlgHashOpen = openEnumOf(u16be, TPM_HASH);
/** A PCR bank: the hash's name, or the number of one that we do not know. */
export type TpmBank = Infer<typeof tpmiAlgHashOpen>;

/** True for a hash we have a name for. */
export function isTpmHash(name: unknown): name is TpmHash {
  return typeof name === 'string' && Object.hasOwn(TPM_HASH, name);
}

/** A bank for messages: 'sha256', or '0x002f' for one without a name here. */
export function formatBank(bank: TpmBank): string {
  return typeof bank === 'string' ? bank : `0x${bank.toString(16).padStart(4, '0')}`;
}
