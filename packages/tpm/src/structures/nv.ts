// SPDX-License-Identifier: Apache-2.0
import { type Captured, type Infer, mapped, openFlags, rest, struct, u16be, u32be, withBytes } from '@vouchsafe/codec';
import { tpmiAlgHash } from './algorithm.ts';
import { tpm2b, tpm2bDigest } from './buffer.ts';

/** TPM_NT: what an index holds. TPM 2.0 Library, Part 2, section 13.2. */
export const TPM_NT = { ordinary: 0x0, counter: 0x1, bits: 0x2, extend: 0x4, pinFail: 0x8, pinPass: 0x9 } as const;

const NV_BITS = {
  ppWrite: 0,
  ownerWrite: 1,
  authWrite: 2,
  policyWrite: 3,
  policyDelete: 10,
  writeLocked: 11,
  writeAll: 12,
  writeDefine: 13,
  writeStClear: 14,
  globalLock: 15,
  ppRead: 16,
  ownerRead: 17,
  authRead: 18,
  policyRead: 19,
  noDA: 25,
  orderly: 26,
  clearStClear: 27,
  readLocked: 28,
  written: 29,
  platformCreate: 30,
  readStClear: 31,
} as const;

/** Bits 4 to 7: TPM_NT. */
const TYPE_SHIFT = 4n;
const TYPE_MASK = 0xfn;

/** TPMA_NV as it reads: what kind of index, and the bits that are set. */
export type TpmaNv = { readonly [K in keyof typeof NV_BITS]: boolean } & { readonly type: keyof typeof TPM_NT };

const NT_NAMES = new Map<number, keyof typeof TPM_NT>(
  Object.entries(TPM_NT).map(([name, value]) => [value, name as keyof typeof TPM_NT]),
);

/** TPMA_NV. TPM 2.0 Library, Part 2, section 13.4. The bits 8, 9 and 20 to 24 are reserved. */
const tpmaNv = mapped(
  'TPMA_NV',
  openFlags(u32be, NV_BITS),
  ({ unnamed, ...bits }): TpmaNv => {
    const type = NT_NAMES.get(Number((unnamed >> TYPE_SHIFT) & TYPE_MASK));
    if (type === undefined || (unnamed & ~(TYPE_MASK << TYPE_SHIFT)) !== 0n) {
      throw new Error(`expected a type of TPM_NT and no reserved bits, found 0x${unnamed.toString(16)}`);
    }
    return { ...bits, type };
  },
  ({ type, ...bits }) => ({ ...bits, unnamed: BigInt(TPM_NT[type]) << TYPE_SHIFT }),
);

/** The attributes given, all others clear. */
export function nvAttributes(type: keyof typeof TPM_NT, ...set: readonly (keyof typeof NV_BITS)[]): TpmaNv {
  const bits = Object.fromEntries(
    (Object.keys(NV_BITS) as (keyof typeof NV_BITS)[]).map((name) => [name, set.includes(name)]),
  ) as { [K in keyof typeof NV_BITS]: boolean };
  return { ...bits, type };
}

/** TPMS_NV_PUBLIC. TPM 2.0 Library, Part 2, section 13.5. */
export const tpmsNvPublic = struct('TPMS_NV_PUBLIC', {
  nvIndex: [u32be, 'its handle'],
  nameAlg: [tpmiAlgHash, 'of the name, the policy, and the contents of an index that is extended'],
  attributes: tpmaNv,
  authPolicy: [tpm2bDigest, 'empty, or a digest of nameAlg'],
  dataSize: [u16be, 'octets of its contents'],
});
export type TpmsNvPublic = Infer<typeof tpmsNvPublic>;

/** Octets of a TPMS_NV_PUBLIC at most. */
const MAX_NV_PUBLIC_BYTES = 4 + 2 + 4 + 2 + 64 + 2;

/** TPM2B_NV_PUBLIC, with the exact octets inside, which the name is made of. Part 2, section 13.6. */
export const tpm2bNvPublic = tpm2b(withBytes(tpmsNvPublic), MAX_NV_PUBLIC_BYTES);
export type NvPublic = Captured<TpmsNvPublic>;

/** Octets of NV contents in one command at most, MAX_NV_BUFFER_SIZE of the common TPMs. */
export const MAX_NV_BUFFER_BYTES = 2048;

/** TPM2B_MAX_NV_BUFFER. TPM 2.0 Library, Part 2, section 10.4.9. */
export const tpm2bMaxNvBuffer = tpm2b(rest, MAX_NV_BUFFER_BYTES);
