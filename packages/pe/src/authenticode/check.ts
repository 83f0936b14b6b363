// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, type Finding, toHex } from '@vouchsafe/base';
import type { DigestAlgorithm } from '@vouchsafe/crypto';
import { type Certificate, type KeySource, PkiError, type VerifiedSigner, verifySignedData } from '@vouchsafe/pki';
import type { PeFile } from '../read/pe-file.ts';
import { type AuthenticodeAlgorithm, digestCoveredBySignature } from './digest.ts';
import { isFirmwareScheme } from './firmware-scheme.ts';
import { type AuthenticodeSignature, readSignatures, type SignatureEntry } from './signature.ts';
import { signersTrustedThrough } from './signer-chain.ts';

export type SignatureFindingCode =
  | 'unsigned' // no signature at all
  | 'signature_malformed' // an entry that is no Authenticode signature
  | 'digest_refused' // a digest that is not accepted
  | 'digest_mismatch' // the file is not the one that was signed
  | 'signer_unknown' // nobody trusted has signed
  | 'scheme_refused' // a signature that firmware has no means to verify
  | 'chain_limit' // more certificates of the same names than can be tried
  | 'signature_invalid'; // the signature does not hold

/** What became of one signature. */
export interface SignatureResult {
  readonly entry: SignatureEntry['entry'];
  readonly signature: AuthenticodeSignature | undefined;
  /** Who has signed, when the signature is good. */
  readonly signers: readonly VerifiedSigner[];
  /** The trusted certificate that the first signer's leads to, itself perhaps. */
  readonly anchor: Certificate | undefined;
  /** Empty when the signature is good. */
  readonly findings: readonly Finding<SignatureFindingCode>[];
}

export interface SignatureCheck {
  /** True when at least one signature is good, which is what firmware asks for. */
  readonly isTrusted: boolean;
  readonly results: readonly SignatureResult[];
  /** Of the file and of all signatures. */
  readonly findings: readonly Finding<SignatureFindingCode>[];
}

export interface SignatureCheckOptions {
  /** Certificates as they would be in db: of signers, or of authorities that issued theirs. */
  readonly trusted: readonly Certificate[];
  /** SHA-2 with 256 bits or more when left out. */
  readonly digests?: readonly AuthenticodeAlgorithm[];
  readonly keys?: KeySource;
}

const ACCEPTED_DIGESTS: readonly AuthenticodeAlgorithm[] = ['sha256', 'sha384', 'sha512'];

/**
 * Checks every signature of the file as firmware does (UEFI 2.10, 32.5.3.3): the digest, the signature, and that a trusted
 * certificate is the signer's or issued it. Validity periods and time stamps are passed over, as firmware does, which has
 * no clock to trust. Whether dbx forbids the file is another check.
 * @throws {PeError} 'certificate_table' and 'limit' when the table cannot be read.
 */
export function checkSignatures(pe: PeFile, options: SignatureCheckOptions): SignatureCheck {
  return checkSignaturesWith(pe, options, new Map());
}

/** The same, with digests of the file that are known already; what is computed is added. */
export function checkSignaturesWith(
  pe: PeFile,
  options: SignatureCheckOptions,
  digests: Map<DigestAlgorithm, Uint8Array>,
): SignatureCheck {
  const results = readSignatures(pe).map((entry) => checkSignature(pe, entry, options, digests));
  const findings = results.flatMap((result) => result.findings);
  if (results.length === 0) {
    findings.push({
      code: 'unsigned',
      severity: 'error',
      where: { artefact: pe.source.label },
      expected: 'a signature',
      actual: 'none',
      hint: 'with Secure Boot on, firmware loads it only if its digest is in db; sign it',
    });
  }
  return { isTrusted: results.some((result) => result.findings.length === 0), results, findings };
}

function checkSignature(
  pe: PeFile,
  { entry, signature, error }: SignatureEntry,
  options: SignatureCheckOptions,
  digests: Map<DigestAlgorithm, Uint8Array>,
): SignatureResult {
  const failed = (code: SignatureFindingCode, hint: string, expected?: string, actual?: string): SignatureResult => {
    const where = { artefact: pe.source.label, offset: entry.offset };
    const values = { ...(expected === undefined ? {} : { expected }), ...(actual === undefined ? {} : { actual }) };
    return {
      entry,
      signature,
      signers: [],
      anchor: undefined,
      findings: [{ code, severity: 'error', where, ...values, hint }],
    };
  };
  if (signature === undefined) return failed('signature_malformed', error.message);
  const accepted = options.digests ?? ACCEPTED_DIGESTS;
  const { digestAlgorithm, digest } = signature.indirectData;
  const algorithm = accepted.find((name) => name === digestAlgorithm);
  if (algorithm === undefined) {
    return failed('digest_refused', 'sign it again with SHA-256', accepted.join(' or '), digestAlgorithm);
  }
  let found = digests.get(algorithm);
  if (found === undefined) {
    found = digestCoveredBySignature(pe, algorithm);
    digests.set(algorithm, found);
  }
  if (!bytesEqual(digest, found)) {
    const hint = 'the file was changed after it was signed, or the signature is of another file';
    return failed('digest_mismatch', hint, toHex(digest), toHex(found));
  }
  try {
    const { trusted, anchorOf } = signersTrustedThrough(signature.signedData, options.trusted, options.keys);
    const keys = options.keys === undefined ? {} : { keys: options.keys };
    // The digest of the message, not of the file: the same ones are accepted.
    const { signers } = verifySignedData(signature.signedData, { trusted, digests: [...accepted, 'sha512'], ...keys });
    const { scheme, certificate } = signers[0];
    if (!isFirmwareScheme(scheme)) {
      const expected = 'RSA (PKCS #1 v1.5) or ECDSA';
      return failed('scheme_refused', 'firmware cannot verify it; sign with a key of RSA', expected, scheme.kind);
    }
    return { entry, signature, signers, anchor: anchorOf(certificate), findings: [] };
  } catch (cause) {
    if (!(cause instanceof PkiError)) throw cause;
    if (cause.code === 'signer_unknown') {
      return failed('signer_unknown', `${cause.message}; sign it with a key whose certificate is in db`);
    }
    if (cause.code === 'input_limit') return failed('chain_limit', cause.message);
    return failed('signature_invalid', cause.message);
  }
}
