// SPDX-License-Identifier: Apache-2.0

import { decode, encode } from '@vouchsafe/codec';
import { generateKeyPair, signMessage } from '@vouchsafe/crypto/signing';
import { type Challenge, type Evidence, encodeBase64url, parseBase64url } from '@vouchsafe/protocol';
import { tpmsAttest, tpmtSignature } from '@vouchsafe/tpm';

/** What a machine has sent, quoted anew for another challenge: by a key that is in no TPM, as its own only signs in there. */
export function quotedInSoftware(evidence: Evidence, { nonce }: Pick<Challenge, 'nonce'>): Evidence {
  const { privateKey } = generateKeyPair('P-256');
  const attested = decode(tpmsAttest, parseBase64url(evidence.quote.attest));
  const attest = encode(tpmsAttest, { ...attested, extraData: parseBase64url(nonce) });
  const raw = signMessage(privateKey, { kind: 'ecdsa', hash: 'sha256', encoding: 'raw' }, attest);
  const signature = encode(tpmtSignature, {
    sigAlg: 'ecdsa',
    signature: { hash: 'sha256', signatureR: raw.subarray(0, 32), signatureS: raw.subarray(32) },
  });
  return {
    ...evidence,
    nonce,
    quote: { attest: encodeBase64url(attest), signature: encodeBase64url(signature) },
  };
}
