// SPDX-License-Identifier: Apache-2.0
import { decode } from '@vouchsafe/codec';
import type { PcrSelection } from '../pcr-selection.ts';
import type { PcrValue } from '../pcr-values.ts';
import type { TpmSigningKey } from '../signing-key.ts';
import type { TpmHash } from '../structures/algorithm.ts';
import { tpmtSignature } from '../structures/signature.ts';
import {
  type VerifiedQuote,
  verifyAttestSignature,
  verifyQuoteNonce,
  verifyQuotePcrs,
  verifyQuoteSelection,
  verifyQuoteType,
} from './steps.ts';

/** What the machine sent. All of it is untrusted. */
export interface QuoteEvidence {
  /** The octets of TPMS_ATTEST, exactly as signed. */
  readonly attest: Uint8Array;
  /** The octets of TPMT_SIGNATURE. */
  readonly signature: Uint8Array;
  readonly pcrs: readonly PcrValue[];
}

/** What the verifier knows. */
export interface QuoteExpectation {
  /** The enrolled attestation key; that it is restricted and in a TPM was checked when it was enrolled. */
  readonly key: TpmSigningKey;
  readonly selection: readonly PcrSelection[];
  /** The challenge, as given to TPM2_Quote in qualifyingData. */
  readonly nonce: Uint8Array;
  /** Hashes that a signature may use; see DEFAULT_SIGNATURE_HASHES. */
  readonly signatureHashes?: readonly TpmHash[];
}

/**
 * Checks a quote: signature over the exact bytes, magic and type, selection, nonce, PCR digest, in this order. It stops
 * at the first that fails: behind it nothing is known to come from the TPM. `checkQuote` gives the same answer as a
 * value.
 * @throws {TpmError} 'signature_…', 'quote_…' and 'pcr_value_…' when the quote must be refused; 'argument_invalid' for
 *   an expectation that anything would meet; 'algorithm_unsupported'
 * @throws {CodecError} for malformed bytes
 */
export function verifyQuote(evidence: QuoteEvidence, expected: QuoteExpectation): VerifiedQuote {
  const signature = decode(tpmtSignature, evidence.signature);
  const signed = verifyAttestSignature(evidence.attest, signature, expected.key, expected.signatureHashes);
  const quote = verifyQuoteType(signed);
  const selected = verifyQuoteSelection(quote, expected.selection);
  const fresh = verifyQuoteNonce(selected, expected.nonce);
  return verifyQuotePcrs(fresh, evidence.pcrs);
}
