// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, concatBytes, toHex } from '@vouchsafe/base';
import { decode } from '@vouchsafe/codec';
import { TpmError } from '../error.ts';
import { tpmDigest } from '../hash.ts';
import { decodePcrSelection, formatPcrSelection, type PcrSelection } from '../pcr-selection.ts';
import { type PcrValue, selectPcrValues } from '../pcr-values.ts';
import { isTpmSignature, signatureHash, type TpmSigningKey } from '../signing-key.ts';
import { formatBank, type TpmHash } from '../structures/algorithm.ts';
import { TPM_GENERATED_VALUE, TPM_ST_ATTEST, type TpmsQuote, tpmsAttest } from '../structures/attest.ts';
import type { TpmtSignature } from '../structures/signature.ts';

/**
 * The checks of a quote, one function each. Each takes what only the one before gives, so that a caller cannot skip one
 * or change their order; the brand exists in types alone. Nothing in the signed bytes is looked at before the signature
 * over exactly these bytes has held.
 */
declare const step: unique symbol;

/** Step 1: these octets were signed by the key. Of what kind they are is not known yet. */
export interface SignedAttest {
  readonly [step]: 'signed';
  readonly bytes: Uint8Array;
  /** The hash of the signing scheme, which the PCR digest is made with. */
  readonly hash: TpmHash;
}

/** Step 2: a TPM made them, and they are a quote. */
export interface SignedQuote extends Omit<SignedAttest, typeof step> {
  readonly [step]: 'quote';
  readonly attest: TpmsQuote;
}

/** Step 3: it covers exactly the PCRs that were asked for. */
export interface SelectedQuote extends Omit<SignedQuote, typeof step> {
  readonly [step]: 'selected';
  /** In the order of the signed bytes. */
  readonly selection: readonly PcrSelection[];
}

/** Step 4: it answers this challenge. */
export interface FreshQuote extends Omit<SelectedQuote, typeof step> {
  readonly [step]: 'fresh';
}

/** Step 5, the last: the PCR values are those that the TPM signed for. */
export interface VerifiedQuote extends Omit<FreshQuote, typeof step> {
  readonly [step]: 'verified';
  /** Exactly the quoted PCRs; values that were sent beside them are not here. */
  readonly pcrs: readonly PcrValue[];
}

/** Hashes accepted in signatures unless the caller says otherwise: no SHA-1. */
export const DEFAULT_SIGNATURE_HASHES: readonly TpmHash[] = [
  'sha256',
  'sha384',
  'sha512',
  'sha3_256',
  'sha3_384',
  'sha3_512',
];

/**
 * Step 1: the signature over the exact bytes.
 * @throws {TpmError} 'signature_scheme', 'signature_invalid', 'algorithm_unsupported'
 */
export function verifyAttestSignature(
  bytes: Uint8Array,
  signature: TpmtSignature,
  key: TpmSigningKey,
  hashes: readonly TpmHash[] = DEFAULT_SIGNATURE_HASHES,
): SignedAttest {
  const hash = signatureHash(signature);
  if (hash === undefined || !hashes.includes(hash)) {
    const found = hash ?? signature.sigAlg;
    throw new TpmError('signature_scheme', `expected a signature by ${hashes.join(', ')}, found ${found}`);
  }
  // A copy: what was signed must not change in a caller's hands while the later steps read it.
  const signed = bytes.slice();
  if (!isTpmSignature(key, signed, signature)) {
    throw new TpmError(
      'signature_invalid',
      'expected a signature by the attestation key over these bytes, found another',
    );
  }
  return { bytes: signed, hash } as SignedAttest;
}

/**
 * Step 2: magic and type, then the rest of the structure. An unrestricted key signs anything, also bytes that only look
 * like a quote: the magic is worth nothing unless the key is restricted, see `checkAttestationKey`.
 * @throws {TpmError} 'quote_magic', 'quote_type'
 * @throws {CodecError} for a quote that is malformed after these
 */
export function verifyQuoteType(signed: SignedAttest): SignedQuote {
  const { bytes } = signed;
  if (bigEndian(bytes, 0, 4) !== TPM_GENERATED_VALUE) {
    const found = toHex(bytes.subarray(0, 4));
    throw new TpmError(
      'quote_magic',
      `expected ${TPM_GENERATED_VALUE.toString(16)}, which only a TPM signs, found '${found}'`,
    );
  }
  const type = bigEndian(bytes, 4, 6);
  if (type !== TPM_ST_ATTEST.quote) {
    const [name = 'another type'] = Object.entries(TPM_ST_ATTEST).find(([, value]) => value === type) ?? [];
    throw new TpmError('quote_type', `expected a quote, found ${name}`);
  }
  const attest = decode(tpmsAttest, bytes);
  if (attest.type !== 'quote') throw new TpmError('quote_type', `expected a quote, found ${attest.type}`);
  return { ...signed, attest } as unknown as SignedQuote;
}

/** The number in these octets; undefined where there are not so many. Not by a DataView: this is done for each quote. */
function bigEndian(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (bytes.length < end) return undefined;
  let value = 0;
  for (let i = start; i < end; i++) value = value * 256 + (bytes[i] as number);
  return value;
}

/**
 * Step 3: the signed selection is the expected one: the same banks, once each and none empty, in any order.
 * @throws {TpmError} 'quote_selection'; 'argument_invalid' when nothing is expected, which anything would satisfy
 */
export function verifyQuoteSelection(quote: SignedQuote, expected: readonly PcrSelection[]): SelectedQuote {
  const wanted = canonical(expected);
  if (wanted === undefined) {
    const found = formatPcrSelection(expected);
    throw new TpmError('argument_invalid', `expected one or more PCRs of each bank, each bank once, found '${found}'`);
  }
  const selection = quote.attest.attested.pcrSelect.map(decodePcrSelection);
  if (!isSame(canonical(selection), wanted)) {
    const found = formatPcrSelection(selection);
    throw new TpmError('quote_selection', `expected a quote over '${formatPcrSelection(expected)}', found '${found}'`);
  }
  return { ...quote, selection } as unknown as SelectedQuote;
}

/**
 * Banks in one order, each with its PCRs once and ascending; undefined for no bank, an empty one, or one that is there
 * twice.
 */
function canonical(selections: readonly PcrSelection[]): readonly PcrSelection[] | undefined {
  if (selections.length === 0 || selections.some(({ pcrs }) => pcrs.length === 0)) return undefined;
  const inOrder = selections.map(({ bank, pcrs }) => ({ bank, pcrs: isAscending(pcrs) ? pcrs : ascending(pcrs) }));
  // Nearly all quotes are over one bank.
  if (inOrder.length === 1) return inOrder;
  if (new Set(selections.map(({ bank }) => bank)).size !== selections.length) return undefined;
  return inOrder.sort((a, b) => (formatBank(a.bank) < formatBank(b.bank) ? -1 : 1));
}

const isAscending = (pcrs: readonly number[]): boolean =>
  pcrs.every((pcr, i) => i === 0 || pcr > (pcrs[i - 1] as number));
const ascending = (pcrs: readonly number[]): number[] => [...new Set(pcrs)].sort((a, b) => a - b);

function isSame(a: readonly PcrSelection[] | undefined, b: readonly PcrSelection[]): boolean {
  return (
    a?.length === b.length &&
    a.every(({ bank, pcrs }, i) => {
      const other = b[i] as PcrSelection;
      if (bank !== other.bank && formatBank(bank) !== formatBank(other.bank)) return false;
      return pcrs.length === other.pcrs.length && pcrs.every((pcr, j) => pcr === other.pcrs[j]);
    })
  );
}

/**
 * Step 4: extraData is the nonce that was given out.
 * @throws {TpmError} 'quote_nonce'
 */
export function verifyQuoteNonce(quote: SelectedQuote, nonce: Uint8Array): FreshQuote {
  if (!bytesEqual(quote.attest.extraData, nonce)) {
    throw new TpmError('quote_nonce', `expected the nonce ${toHex(nonce)}, found ${toHex(quote.attest.extraData)}`);
  }
  return quote as unknown as FreshQuote;
}

/**
 * Step 5: the digest over the values given is the quoted one.
 * @throws {TpmError} 'quote_pcr_digest', 'pcr_value_missing', 'pcr_value_repeated', 'pcr_value_size'
 */
export function verifyQuotePcrs(quote: FreshQuote, values: readonly PcrValue[]): VerifiedQuote {
  // Looked at once, and copied: what was checked must not change in a caller's hands.
  const selected = selectPcrValues(quote.selection, values).map(({ bank, pcr, value }) => ({ bank, pcr, value }));
  const octets = concatBytes(...selected.map(({ value }) => value));
  const digest = tpmDigest(quote.hash, octets);
  const quoted = quote.attest.attested.pcrDigest;
  if (!bytesEqual(digest, quoted)) {
    const message = `expected PCR values with the quoted digest ${toHex(quoted)}, found values with ${toHex(digest)}`;
    throw new TpmError('quote_pcr_digest', message);
  }
  let at = 0;
  const pcrs = selected.map(({ bank, pcr, value }): PcrValue => {
    const start = at;
    at += value.length;
    return { bank, pcr, value: octets.subarray(start, at) };
  });
  return { ...quote, pcrs } as unknown as VerifiedQuote;
}
