// SPDX-License-Identifier: Apache-2.0
import { HexError, parseHex } from '@vouchsafe/base';
import { type DigestAlgorithm, digest, type PublicKey } from '@vouchsafe/crypto';
import {
  decodeOctetBits,
  importKey,
  isSignatureBy,
  type KeySource,
  openDerSequence,
  PkiError,
  parseBase64,
  parsePem,
  TAG,
} from '@vouchsafe/pki';
import { PeError } from '../error.ts';
import { MAX_PCR_SIGNATURES } from '../limits.ts';

/** One signed PCR policy of .pcrsig. systemd, systemd-measure(1) and src/shared/tpm2-util.c, tpm2_load_pcr_signature. */
export interface PcrSignature {
  /** The PCR bank, by the name that systemd gives it: 'sha256'. */
  readonly bank: string;
  readonly pcrs: readonly number[];
  /** SHA-256 of the signer's public key as RSAPublicKey (RFC 8017, A.1.1), not as SubjectPublicKeyInfo. */
  readonly keyFingerprint: Uint8Array;
  /** PolicyPCR's digest, SHA-256 whatever the bank. */
  readonly policy: Uint8Array;
  readonly signature: Uint8Array;
  /** Of the policy, since systemd 262; it is part of what is signed. */
  readonly reference: string | undefined;
}

const FINGERPRINT_BYTES = 32;
const POLICY_BYTES = 32;
const MAX_SIGNATURE_BYTES = 2048;
const MAX_PCR = 23;
const BANKS: readonly DigestAlgorithm[] = ['sha1', 'sha256', 'sha384', 'sha512'];

/**
 * The signatures in the JSON of .pcrsig, in its order; nothing is verified.
 * @throws {PeError} 'pcrsig_malformed', 'limit'.
 */
export function parsePcrSignatures(text: string): PcrSignature[] {
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/\0+$/, ''));
  } catch (cause) {
    throw new PeError('pcrsig_malformed', 'expected JSON in .pcrsig', { cause });
  }
  if (!isObject(json)) throw malformed('expected an object of PCR banks');
  const signatures: PcrSignature[] = [];
  for (const [bank, entries] of Object.entries(json)) {
    if (!Array.isArray(entries)) throw malformed(`expected an array of signatures for bank ${bank.slice(0, 40)}`);
    for (const entry of entries) {
      if (signatures.length === MAX_PCR_SIGNATURES) {
        throw new PeError('limit', `expected at most ${MAX_PCR_SIGNATURES} PCR signatures, found more`);
      }
      signatures.push(parseSignature(bank, entry));
    }
  }
  return signatures;
}

function parseSignature(bank: string, entry: unknown): PcrSignature {
  if (!isObject(entry)) throw malformed(`expected objects as signatures of bank ${bank.slice(0, 40)}`);
  const { pcrs, pkfp, pol, sig, ref } = entry;
  if (!Array.isArray(pcrs) || pcrs.length > MAX_PCR + 1 || !pcrs.every(isPcr)) {
    throw malformed(`expected PCRs from 0 to ${MAX_PCR} in 'pcrs'`);
  }
  if (ref !== undefined && typeof ref !== 'string') throw malformed("expected a string in 'ref'");
  return {
    bank,
    pcrs,
    keyFingerprint: hexField('pkfp', pkfp, FINGERPRINT_BYTES),
    policy: hexField('pol', pol, POLICY_BYTES),
    signature: base64Field(sig),
    reference: ref,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPcr(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_PCR;
}

function hexField(name: string, value: unknown, sizeBytes: number): Uint8Array {
  const problem = `expected ${sizeBytes} octets in hexadecimal in '${name}'`;
  if (typeof value !== 'string' || value.length !== 2 * sizeBytes) throw malformed(problem);
  try {
    return parseHex(value);
  } catch (cause) {
    if (!(cause instanceof HexError)) throw cause;
    throw new PeError('pcrsig_malformed', problem, { cause });
  }
}

function base64Field(value: unknown): Uint8Array {
  const problem = "expected a signature in base64 in 'sig'";
  if (typeof value !== 'string' || value.length > 2 * MAX_SIGNATURE_BYTES) throw malformed(problem);
  try {
    return parseBase64(value);
  } catch (cause) {
    if (!(cause instanceof PkiError)) throw cause;
    throw new PeError('pcrsig_malformed', problem, { cause });
  }
}

function malformed(message: string): PeError {
  return new PeError('pcrsig_malformed', message);
}

/** The key of .pcrpkey, as systemd wants it: an RSA public key in PEM. */
export interface PcrPublicKey {
  readonly key: PublicKey;
  /** As in a signature's `pkfp`. */
  readonly fingerprint: Uint8Array;
}

/** @throws {PeError} 'pcrsig_malformed' for anything but one public key in PEM that can be used. */
export function parsePcrPublicKey(pem: string, keys?: KeySource): PcrPublicKey {
  try {
    const [block, ...more] = parsePem(pem.replace(/\0+$/, ''), 'PUBLIC KEY');
    if (block === undefined || more.length > 0) throw malformed('expected one public key in PEM in .pcrpkey');
    // SubjectPublicKeyInfo. RFC 5280, 4.1.
    const reader = openDerSequence(block.bytes, 'SubjectPublicKeyInfo');
    reader.readSequence('algorithm');
    const key = decodeOctetBits(reader.read('subjectPublicKey', TAG.bitString));
    reader.end();
    return { key: importKey(block.bytes, keys), fingerprint: digest('sha256', key) };
  } catch (cause) {
    if (!(cause instanceof PkiError)) throw cause;
    throw new PeError('pcrsig_malformed', `expected a public key in PEM in .pcrpkey: ${cause.message}`, { cause });
  }
}

/**
 * Whether the key made the signature: RSASSA-PKCS1-v1_5 over the policy's digest, hashed with the bank's algorithm
 * (systemd, src/measure/measure-tool.c, verb_sign). Undefined where it cannot be told: another bank, or a policy
 * reference, which is signed as well.
 */
export function isPcrSignatureBy(
  { bank, policy, signature, reference }: PcrSignature,
  { key }: PcrPublicKey,
): boolean | undefined {
  const hash = BANKS.find((name) => name === bank);
  if (hash === undefined || reference !== undefined) return undefined;
  try {
    return isSignatureBy(key, { kind: 'rsa-pkcs1', hash }, policy, signature);
  } catch (error) {
    if (error instanceof PkiError) return undefined;
    throw error;
  }
}
