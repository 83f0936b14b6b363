// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type TpmErrorCode =
  | 'signature_invalid' // the signature is not the key's over these bytes
  | 'signature_scheme' // a signature of another scheme or digest than the key or the caller allows
  | 'quote_magic' // signed bytes that were not made inside a TPM
  | 'quote_type' // an attestation of another kind than a quote
  | 'quote_selection' // the quote covers other PCRs or banks than were asked for
  | 'quote_nonce' // the quote was made for another challenge
  | 'quote_pcr_digest' // the PCR values given are not those that were quoted
  | 'attest_magic' // signed bytes that were not made inside a TPM
  | 'attest_type' // an attestation of another kind than was asked for
  | 'attest_signer' // an attestation by a key at another place among the TPM's keys
  | 'attest_nonce' // an attestation for another challenge
  | 'attest_name' // an attestation about another object or NV index
  | 'attest_creation' // creation data other than those that were attested
  | 'pcr_value_missing' // no value is given for a PCR that is selected
  | 'pcr_value_repeated' // two values are given for one PCR
  | 'pcr_value_size' // a PCR value that is not as long as its bank's digest
  | 'key_unsupported' // a public area that cannot check signatures here, or at all
  | 'algorithm_unsupported' // an algorithm that this product or this runtime does not have
  | 'argument_invalid' // a value given by the caller that makes no sense
  | 'response_code' // the TPM answered a command with an error; `returnCode` says which
  | 'response_malformed' // bytes that are not an answer to the command sent
  | 'session_hmac' // an answer that the TPM did not authorize: something between changed it, or the authValue is wrong
  | 'session_closed' // a session that was flushed, or ended with its last command
  | 'secret_in_clear' // a secret would have travelled where a probe on the bus reads it
  | 'policy_unsigned' // no signature fits the PCRs as they are
  | 'policy_failed' // the machine is not in the state that a secret was sealed to
  | 'policy_unsupported' // a policy that needs a command which this TPM does not have
  | 'auth_failed' // a wrong PIN or authValue
  | 'auth_locked' // too many wrong ones: the TPM refuses all for some time
  | 'object_foreign' // an object of another TPM, or from before this one was cleared
  | 'totp_pcrs' // a TOTP key for other PCRs than the caller wants: somebody replaced it
  | 'sealed_malformed' // bytes that are not a sealed object in the form expected
  | 'io'; // the host could not reach the TPM

export class TpmError extends VouchsafeError<TpmErrorCode> {
  override readonly name: string = 'TpmError';
  readonly code: TpmErrorCode;

  constructor(code: TpmErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
