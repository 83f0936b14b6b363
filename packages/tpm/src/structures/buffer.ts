// SPDX-License-Identifier: Apache-2.0
import { type Codec, checked, list, mapped, rest, sized, u8, u16be, u32be } from '@vouchsafe/codec';

/** All that `tpm2b` has made. */
const buffers = new WeakSet<Codec<unknown>>();

/** A TPM2B structure: a 16-bit size in octets, then that many. TPM 2.0 Library, Part 2, section 10.4.1. */
export function tpm2b<T>(inner: Codec<T>, maxBytes: number): Codec<T> {
  const codec = sized(u16be, inner, maxBytes);
  buffers.add(codec);
  return codec;
}

/**
 * True for a TPM2B: the only kind of parameter that a session can encrypt. TPM 2.0 Library, Part 1, section 21
 * (Session-based encryption).
 */
export function isTpm2b(codec: Codec<unknown>): boolean {
  return buffers.has(codec);
}

/** The largest digest, SHA-512's. Part 2, section 10.3.1 (TPMU_HA). */
const MAX_DIGEST_BYTES = 64;
/** A TPMT_HA: algorithm and digest. Part 2, section 10.3.2; it bounds TPM2B_DATA and names. */
const MAX_HA_BYTES = 2 + MAX_DIGEST_BYTES;

/** TPM2B_DIGEST. Part 2, section 10.4.2. */
export const tpm2bDigest = tpm2b(rest, MAX_DIGEST_BYTES);
/** TPM2B_DATA: what a caller has a signature made over, at most a TPMT_HA. Part 2, section 10.4.3. */
export const tpm2bData = tpm2b(rest, MAX_HA_BYTES);
/** TPM2B_NAME: a TPMT_HA, or a handle of four octets. Part 2, section 10.5.3. */
export const tpm2bName = tpm2b(rest, MAX_HA_BYTES);

/** The digests a TPML_DIGEST holds at most. Part 2, section 10.9.5; TPM2_PolicyOR takes 8. */
const MAX_DIGESTS = 8;

/** TPML_DIGEST. Part 2, section 10.9.5. */
export const tpmlDigest = list(u32be, tpm2bDigest, MAX_DIGESTS);

/** Octets of a message in one command at most, MAX_DIGEST_BUFFER of the common TPMs. */
const MAX_BUFFER_BYTES = 2048;

/** TPM2B_MAX_BUFFER. Part 2, section 10.4.8. */
export const tpm2bMaxBuffer = tpm2b(rest, MAX_BUFFER_BYTES);
/** TPM2B_EVENT: at most 1,024 octets. Part 2, section 10.4.7. */
export const tpm2bEvent = tpm2b(rest, 1024);

/** TPMI_YES_NO. Part 2, section 9.2. */
export const tpmiYesNo: Codec<boolean> = mapped(
  'TPMI_YES_NO',
  checked(u8, (n) => n < 2, '0 or 1'),
  (n) => n === 1,
  Number,
);
