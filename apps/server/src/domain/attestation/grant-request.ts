// SPDX-License-Identifier: Apache-2.0
import type { Verdict } from '@vouchsafe/appraise';
import type { KeyEvidence } from '@vouchsafe/identity';
import { type Evidence, type KeyCertification, parseBase64url } from '@vouchsafe/protocol';
import type { GrantRequest } from '../grants.ts';
import type { KnownDevice } from './device-cache.ts';
import type { IssuedNonce } from './nonce.ts';

/** What the machine asks for beside the verdict. */
export function grantRequest(
  { row, key, grants }: KnownDevice,
  verdict: Verdict,
  { nonce, keys = {}, secrets }: Evidence,
  { issuedAtMs }: IssuedNonce,
  nowMs: number,
): GrantRequest {
  const { client, decryption } = keys;
  return {
    deviceId: row.id,
    verdict,
    before: row.verdict_status === null ? undefined : { status: row.verdict_status, isTrusted: row.is_trusted === 1 },
    nowMs,
    held: grants,
    attestationKey: key,
    nonce: parseBase64url(nonce),
    challengeIssuedAtMs: issuedAtMs,
    keys: {
      ...(client === undefined ? {} : { client: keyEvidence(client) }),
      ...(decryption === undefined ? {} : { decryption: keyEvidence(decryption) }),
    },
    ...(secrets === undefined ? {} : { secrets }),
  };
}

const keyEvidence = ({ publicArea, attest: signed, signature }: KeyCertification): KeyEvidence => ({
  publicArea: parseBase64url(publicArea),
  attest: parseBase64url(signed),
  signature: parseBase64url(signature),
});
