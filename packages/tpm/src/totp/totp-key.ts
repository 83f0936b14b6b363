// SPDX-License-Identifier: Apache-2.0
import { CodecError, decode, encode, type Infer, optional, struct, u32be } from '@vouchsafe/codec';
import { TpmError } from '../error.ts';
import { PCR_COUNT, type PcrSelection } from '../pcr-selection.ts';
import { tpm2bPublic } from '../structures/public.ts';
import { tpm2bPrivate } from '../structures/sensitive.ts';

/**
 * What tpm2-totp keeps in NV: the HMAC key, and the same secret under a password where there is one. tpm2-totp,
 * src/libtpm2-totp.c (tpm2totp_generateKey). Neither pcrs nor banks can be trusted: whoever may write the index chooses
 * them, so they are compared with what the caller wants and never used.
 */
export const totpBlob = struct('tpm2-totp key', {
  pcrs: [u32be, 'a bit for each PCR; untrusted'],
  banks: [u32be, 'bit 0 SHA-1, 1 SHA-256, 2 SHA-384; untrusted'],
  hmacPublic: tpm2bPublic,
  hmacPrivate: tpm2bPrivate,
  recovery: [
    optional(struct('recovery', { sealPublic: tpm2bPublic, sealPrivate: tpm2bPrivate })),
    'the secret sealed to a password alone',
  ],
});
export type TotpBlob = Infer<typeof totpBlob>;

/** Where tpm2-totp keeps its key unless told otherwise. */
export const TOTP_NV_INDEX = 0x0180_94af;

const BANK_BITS = { sha1: 1, sha256: 2, sha384: 4 } as const;
export type TotpBank = keyof typeof BANK_BITS;

/** PCRs that a code depends on: the same ones in each bank, as tpm2-totp has it. */
export interface TotpPcrs {
  readonly banks: readonly TotpBank[];
  readonly pcrs: readonly number[];
}

/** @throws {TpmError} 'sealed_malformed' */
export function decodeTotpBlob(bytes: Uint8Array): TotpBlob {
  try {
    return decode(totpBlob, bytes);
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause;
    throw new TpmError('sealed_malformed', `expected a key of tpm2-totp: ${cause.message}`, { cause });
  }
}

export const encodeTotpBlob = (blob: TotpBlob): Uint8Array => encode(totpBlob, blob);

/** The banks in tpm2-totp's order. */
export function totpSelection({ banks, pcrs }: TotpPcrs): PcrSelection[] {
  return (Object.keys(BANK_BITS) as TotpBank[]).filter((bank) => banks.includes(bank)).map((bank) => ({ bank, pcrs }));
}

/** The masks as tpm2-totp writes them. @throws {TpmError} 'argument_invalid' for no PCR, no bank, or a PCR above 23 */
export function totpMasks({ banks, pcrs }: TotpPcrs): { readonly pcrs: number; readonly banks: number } {
  const areValid = pcrs.every((pcr) => Number.isInteger(pcr) && pcr >= 0 && pcr < PCR_COUNT);
  if (pcrs.length === 0 || banks.length === 0 || !areValid) {
    throw new TpmError('argument_invalid', 'expected at least one bank, and one PCR from 0 to 23');
  }
  return {
    pcrs: pcrs.reduce((mask, pcr) => mask | (1 << pcr), 0),
    banks: banks.reduce((mask, bank) => mask | BANK_BITS[bank], 0),
  };
}

/** @throws {TpmError} 'totp_pcrs' when the stored key is for other PCRs than the caller wants (attack A61) */
export function requireTotpPcrs(blob: TotpBlob, wanted: TotpPcrs): void {
  const masks = totpMasks(wanted);
  if (blob.pcrs === masks.pcrs && blob.banks === masks.banks) return;
  const list = Array.from({ length: PCR_COUNT }, (_, pcr) => pcr).filter((pcr) => ((blob.pcrs >>> pcr) & 1) === 1);
  throw new TpmError(
    'totp_pcrs',
    `expected a key for the PCRs ${wanted.pcrs.join(',')} of ${wanted.banks.join(', ')}, found one for ${list.join(',') || 'none'} (banks 0x${blob.banks.toString(16)}); if you made it so, name these PCRs, else somebody replaced it`,
  );
}
