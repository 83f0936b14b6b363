// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, toHex } from '@vouchsafe/base';
import { decode } from '@vouchsafe/codec';
import { TpmError } from '../error.ts';
import { verifyAttestSignature } from '../quote/steps.ts';
import type { TpmSigningKey } from '../signing-key.ts';
import type { TpmHash } from '../structures/algorithm.ts';
import { TPM_GENERATED_VALUE, TPM_ST_ATTEST, type TpmsAttest, tpmsAttest } from '../structures/attest.ts';
import { tpmtSignature } from '../structures/signature.ts';

export type AttestType = TpmsAttest['type'];

/** What the machine sent. All of it is untrusted. */
export interface AttestEvidence {
  /** The octets of TPMS_ATTEST, exactly as signed. */
  readonly attest: Uint8Array;
  /** The octets of TPMT_SIGNATURE. */
  readonly signature: Uint8Array;
}

/** What the verifier knows of any attestation. */
export interface AttestExpectation {
  /** The enrolled attestation key; that it is restricted and in a TPM was checked when it was enrolled. */
  readonly key: TpmSigningKey;
  /** The challenge, as given in qualifyingData. */
  readonly nonce: Uint8Array;
  /**
   * The qualified name of the signing key. It says under which parents the key is, up to its hierarchy; a key of the same
   * octets elsewhere has another.
   */
  readonly qualifiedSigner?: Uint8Array;
  /** Hashes that a signature may use; see DEFAULT_SIGNATURE_HASHES. */
  readonly signatureHashes?: readonly TpmHash[];
}

declare const verified: unique symbol;

/** An attestation that the key has signed, of the type that was asked for, in answer to the challenge. */
export type VerifiedAttest<K extends AttestType> = Extract<TpmsAttest, { type: K }> & {
  readonly [verified]: K;
};

/**
 * Checks what all attestations have in common: signature over the exact bytes, magic, type, signer, nonce, in this order.
 * What is attested is the caller's to check. For quotes see `verifyQuote`.
 * @throws {TpmError} 'signature_…', 'attest_magic', 'attest_type', 'attest_signer', 'attest_nonce'
 * @throws {CodecError} for malformed bytes
 */
export function verifyAttest<K extends AttestType>(
  evidence: AttestEvidence,
  type: K,
  expected: AttestExpectation,
): VerifiedAttest<K> {
  const signature = decode(tpmtSignature, evidence.signature);
  const { bytes } = verifyAttestSignature(evidence.attest, signature, expected.key, expected.signatureHashes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // An unrestricted key signs anything: only the magic tells what a TPM made. Part 2, section 6.2.
  if (bytes.length < 4 || view.getUint32(0) !== TPM_GENERATED_VALUE) {
    const found = toHex(bytes.subarray(0, 4));
    const wanted = TPM_GENERATED_VALUE.toString(16);
    throw new TpmError('attest_magic', `expected ${wanted}, which only a TPM signs, found '${found}'`);
  }
  if (bytes.length < 6 || view.getUint16(4) !== TPM_ST_ATTEST[type]) {
    const tag = bytes.length < 6 ? undefined : view.getUint16(4);
    const [name = 'another type'] = Object.entries(TPM_ST_ATTEST).find(([, value]) => value === tag) ?? [];
    throw new TpmError('attest_type', `expected an attestation of the type ${type}, found ${name}`);
  }
  const attest = decode(tpmsAttest, bytes);
  const { qualifiedSigner, nonce } = expected;
  if (qualifiedSigner !== undefined && !bytesEqual(attest.qualifiedSigner, qualifiedSigner)) {
    const found = toHex(attest.qualifiedSigner);
    throw new TpmError('attest_signer', `expected the signer ${toHex(qualifiedSigner)}, found ${found}`);
  }
  if (!bytesEqual(attest.extraData, nonce)) {
    throw new TpmError('attest_nonce', `expected the nonce ${toHex(nonce)}, found ${toHex(attest.extraData)}`);
  }
  return attest as VerifiedAttest<K>;
}
