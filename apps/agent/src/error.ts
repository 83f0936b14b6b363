// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type AgentErrorCode =
  | 'not_enrolled' // this machine has joined no service yet
  | 'already_enrolled' // it has joined one, and was not told to leave it
  | 'awaiting_approval' // an operator has not looked at it yet
  | 'state_malformed' // a file in the state folder that this program did not write
  | 'state_exposed' // a state folder that belongs to somebody else
  | 'tpm_missing' // no TPM device
  | 'tpm_changed' // keys of another TPM, or of before this one was cleared
  | 'endorsement_missing' // no certificate of an endorsement key, or none that belongs to a key of this TPM
  | 'credential_refused' // a credential that was not made for this TPM and this attestation key
  | 'log_missing' // the service asks for a boot log, and this system has none
  | 'server_unreachable' // no connection, or none that lasted until the answer
  | 'server_untrusted' // a certificate that does not lead to the pinned CA, for another name, or out of its time
  | 'server_refused' // the service answered with a problem; `problem` says which
  | 'answer_malformed' // an answer that has not the form that both sides agreed on
  | 'certificate_refused' // the service does not grant a client certificate to this machine now
  | 'secret_refused' // the service does not give this secret to this machine now
  | 'secret_malformed' // a secret that does not open with this machine's key
  | 'proxy_unfit'; // the local proxy cannot run: no certificate, no OpenSSL with the provider tpm2, or something else where its socket would be

/** What an RFC 9457 answer said, as far as the agent acts on it. */
export interface ServiceProblem {
  readonly status: number;
  readonly code: string;
  /** The service's wish, in milliseconds from the answer on. */
  readonly retryAfterMs?: number;
}

export class AgentError extends VouchsafeError<AgentErrorCode> {
  override readonly name = 'AgentError';
  readonly code: AgentErrorCode;
  readonly problem: ServiceProblem | undefined;

  constructor(
    code: AgentErrorCode,
    message: string,
    options: ErrorOptions & { readonly problem?: ServiceProblem } = {},
  ) {
    super(message, options);
    this.code = code;
    this.problem = options.problem;
  }
}
