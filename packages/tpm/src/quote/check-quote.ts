// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '@vouchsafe/base';
import { CodecError } from '@vouchsafe/codec';
import { TpmError, type TpmErrorCode } from '../error.ts';
import type { VerifiedQuote } from './steps.ts';
import { type QuoteEvidence, type QuoteExpectation, verifyQuote } from './verify-quote.ts';

/** The codes of refused quotes. */
export type QuoteFindingCode =
  | Extract<TpmErrorCode, `quote_${string}` | `signature_${string}` | `pcr_value_${string}`>
  | 'quote_malformed' // bytes that are no TPMS_ATTEST or TPMT_SIGNATURE
  | 'algorithm_unsupported';

/** A quote that holds, or why it does not. */
export type QuoteOutcome =
  | { readonly isGood: true; readonly quote: VerifiedQuote }
  | { readonly isGood: false; readonly findings: readonly [Finding<QuoteFindingCode>] };

/** What each refusal means and what to do. */
const HINTS: Readonly<Record<QuoteFindingCode, string>> = {
  signature_invalid: 'The quote was not made with the enrolled key, or was changed on the way; ask for a new one',
  signature_scheme: 'The key signs in another way than enrolled or allowed; enrol a key with an accepted scheme',
  quote_magic: 'The key signed bytes from outside the TPM, so it is not restricted; enrol a restricted key',
  quote_type: 'The agent sent another kind of attestation as a quote; ask for a quote',
  quote_selection: 'The quote leaves out or adds PCRs; the agent must quote what the challenge asks for',
  quote_nonce: 'The quote is an answer to another challenge, perhaps replayed; ask for a new one',
  pcr_value_missing: 'Send a value for each quoted PCR',
  pcr_value_repeated: 'Send one value for each quoted PCR',
  pcr_value_size: 'Send PCR values of the bank that was quoted',
  quote_pcr_digest: 'A PCR changed between quote and reading, or the values are forged; quote again',
  quote_malformed: 'The bytes are not what a TPM writes; see the path',
  algorithm_unsupported: 'This verifier cannot compute that algorithm; quote in another bank or with another key',
};

/**
 * `verifyQuote` with the refusal as a value, for appraisal. There is one finding: a check is made only on what the checks
 * before it have shown to be the TPM's.
 * @param artefact what to call the quote in the finding
 * @throws {TpmError} 'argument_invalid', as that is the verifier's mistake and not the machine's
 */
export function checkQuote(evidence: QuoteEvidence, expected: QuoteExpectation, artefact = 'quote'): QuoteOutcome {
  try {
    return { isGood: true, quote: verifyQuote(evidence, expected) };
  } catch (error) {
    if (error instanceof CodecError) {
      const where = { artefact, path: error.path, offset: error.offset };
      return refused({
        code: 'quote_malformed',
        severity: 'error',
        where,
        actual: error.message,
        hint: HINTS.quote_malformed,
      });
    }
    if (!(error instanceof TpmError) || !isQuoteFindingCode(error.code)) throw error;
    const { code } = error;
    return refused({ code, severity: 'error', where: { artefact }, actual: error.message, hint: HINTS[code] });
  }
}

const refused = (finding: Finding<QuoteFindingCode>): QuoteOutcome => ({ isGood: false, findings: [finding] });

function isQuoteFindingCode(code: string): code is QuoteFindingCode {
  return Object.hasOwn(HINTS, code);
}
