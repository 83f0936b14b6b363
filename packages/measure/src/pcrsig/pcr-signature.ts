// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import type { Bank } from '@vouchsafe/manifest';
import { encodeBase64, openDerSequence, STRICT_DER } from '@vouchsafe/pki';
import { policyPcr, startPolicy } from '@vouchsafe/tpm';
import { MeasureError } from '../error.ts';
import type { Pcr11Value } from '../pcr11.ts';

/** The one register that these signatures are about. */
export const SIGNED_PCR = 11;

/** Banks in the order in which systemd-measure writes them. */
export const BANKS: readonly Bank[] = ['sha1', 'sha256', 'sha384', 'sha512'];

/** A signed policy, one entry of `.pcrsig`: systemd-measure(1), sign; systemd, src/shared/tpm2-util.c (tpm2_unseal). */
export interface PcrSignature {
  /** The bank of the PCRs, whose hash is the signature's too. */
  readonly bank: Bank;
  readonly pcrs: readonly number[];
  /** pkfp: SHA-256 of the key that signed, see `pcrKeyFingerprint`. */
  readonly keyFingerprint: Uint8Array;
  /** pol: the digest, SHA-256 whatever the bank, of a policy of one TPM2_PolicyPCR. */
  readonly policy: Uint8Array;
  /** sig: RSASSA-PKCS1-v1_5 over `policy`, hashed with the bank's hash. */
  readonly signature: Uint8Array;
}

/** The digest of the policy that PCR 11 has this value. TPM 2.0 Library, Part 3, section 23.7 (TPM2_PolicyPCR). */
export function pcrPolicyOf({ bank, value }: Pcr11Value): Uint8Array {
  const selection = [{ bank, pcrs: [SIGNED_PCR] }];
  return policyPcr(startPolicy('sha256'), selection, [{ bank, pcr: SIGNED_PCR, value }]).digest;
}

/**
 * What `.pcrsig` names an RSA key by: SHA-256 of its RSAPublicKey (RFC 8017, appendix A.1.1), which is what
 * SubjectPublicKeyInfo (RFC 5280, section 4.1) holds in its bit string. systemd, src/shared/openssl-util.c
 * (pubkey_fingerprint).
 * @param spki DER of SubjectPublicKeyInfo. @throws {PkiError} when it is not.
 */
export function pcrKeyFingerprint(spki: Uint8Array): Uint8Array {
  const reader = openDerSequence(spki, 'SubjectPublicKeyInfo', STRICT_DER);
  reader.readSequence('algorithm');
  return digest('sha256', reader.readBitString('subjectPublicKey').bytes);
}

/**
 * The JSON of `.pcrsig`, banks and entries in the order given, octet for octet as ukify embeds it ('embedded', without a line
 * feed) or as `systemd-measure sign --json=pretty` prints it. ukify.py, join_pcrsig; systemd, src/libsystemd/sd-json.
 */
export function formatPcrSignatures(
  signatures: readonly PcrSignature[],
  layout: 'embedded' | 'pretty' = 'embedded',
): string {
  const byBank = new Map<Bank, object[]>();
  for (const { bank, pcrs, keyFingerprint, policy, signature } of signatures) {
    const entries = byBank.get(bank) ?? [];
    // In this order, which is that of systemd-measure.
    entries.push({ pcrs, pkfp: toHex(keyFingerprint), pol: toHex(policy), sig: encodeBase64(signature) });
    byBank.set(bank, entries);
  }
  const value = Object.fromEntries(byBank);
  // No string in here holds a quote, a colon or a comma, so that what separates is found by itself.
  if (layout === 'embedded') return JSON.stringify(value).replaceAll('":', '": ').replaceAll(',', ', ');
  return `${JSON.stringify(value, null, '\t').replaceAll('":', '" :')}\n`;
}

/** @throws {MeasureError} 'pcrsig_malformed' */
export function malformed(label: string, expected: string, found: string, cause?: unknown): MeasureError {
  const message = `${label}: expected ${expected}, found ${found}; make it anew with systemd-measure or vouchsafe`;
  return new MeasureError('pcrsig_malformed', message, cause === undefined ? undefined : { cause });
}
