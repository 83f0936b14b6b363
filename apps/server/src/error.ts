// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type ServerErrorCode =
  | 'request_malformed' // a request that has not the form that the interface describes
  | 'body_too_large' // more octets than a request may have
  | 'media_type_unsupported' // a body in another form than JSON
  | 'too_many_requests' // more requests from one place than are served; try again later
  | 'unauthenticated' // no credential of an operator, or one that is not known
  | 'forbidden' // a credential that is known, and not for this
  | 'not_found' // there is no such thing here
  | 'conflict' // it is not in a state in which that can be done
  | 'joining_refused' // no way of joining that this machine may take
  | 'endorsement_refused' // the endorsement key's certificates do not show a genuine TPM; the findings say why
  | 'attestation_key_refused' // the attestation key is not one that only a TPM can use
  | 'identity_taken' // the device id, or the endorsement key, belongs to another identity already
  | 'proof_wrong' // not the secret that only the TPM could tell
  | 'enrolment_expired' // too late: begin anew
  | 'challenge_invalid' // a nonce that was not given to this device by this service
  | 'challenge_expired' // a nonce that is too old: ask for a new one
  | 'challenge_used' // a nonce that was answered before: ask for a new one
  | 'challenge_fresh_needed' // a machine that did not run since it got the challenge: ask for a new one
  | 'evidence_not_authentic' // evidence that the device's attestation key has not signed: it says nothing of the device
  | 'log_wanted' // the service has not got this boot's log: send it
  | 'device_quarantined' // an operator has shut the device out
  | 'device_not_enrolled' // no such device is enrolled
  | 'reference_malformed' // a manifest, part or baseline that cannot be read or whose signature does not hold
  | 'policy_malformed' // a policy that does not compile
  | 'certificate_malformed' // a certificate that cannot be read
  | 'key_refused' // a key that is not the machine's TPM's alone, or not fit for its use
  | 'secret_key_wrong' // what is encrypted at rest does not open with the keys given
  | 'address_refused' // an address that settings do not allow the service to call
  | 'database_unavailable' // the database does not answer; nothing was changed
  | 'database_busy' // somebody else has the database, or waits for us as we do for them; nothing was changed, try again
  | 'database_full' // the disk of the database is full; nothing was changed
  | 'database_read_only' // the database takes no writes: its file's rights, or a standby; nothing was changed
  | 'database_damaged' // the database is not what was written: restore a backup
  | 'internal' // a defect; the service's log has more under the request's id
  | 'configuration_invalid' // a setting of the service that it cannot start with
  | 'state_unsafe'; // files of the state folder that others can read or write

/** What a refusal is over HTTP. The one table: each code, its status and its title. */
export const PROBLEMS = {
  request_malformed: { status: 400, title: 'The request is malformed' },
  body_too_large: { status: 413, title: 'The request is too large' },
  media_type_unsupported: { status: 415, title: 'The request is not JSON' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  unauthenticated: { status: 401, title: 'An operator must sign in' },
  forbidden: { status: 403, title: 'Not allowed' },
  not_found: { status: 404, title: 'Not found' },
  conflict: { status: 409, title: 'Not possible in this state' },
  joining_refused: { status: 403, title: 'The machine may not join' },
  endorsement_refused: { status: 403, title: 'The TPM is not known to be genuine' },
  attestation_key_refused: { status: 403, title: 'The attestation key is not a TPM’s alone' },
  identity_taken: { status: 403, title: 'The identity belongs to another' },
  proof_wrong: { status: 403, title: 'The proof is wrong' },
  enrolment_expired: { status: 410, title: 'The enrolment has expired' },
  challenge_invalid: { status: 403, title: 'The challenge was not made for this device' },
  challenge_expired: { status: 410, title: 'The challenge has expired' },
  challenge_used: { status: 409, title: 'The challenge was answered before' },
  challenge_fresh_needed: { status: 409, title: 'A fresh challenge is needed' },
  evidence_not_authentic: { status: 403, title: 'The evidence is not the device’s' },
  log_wanted: { status: 409, title: 'The boot log is wanted' },
  device_quarantined: { status: 403, title: 'The device is quarantined' },
  device_not_enrolled: { status: 404, title: 'No such device is enrolled' },
  reference_malformed: { status: 400, title: 'The reference cannot be used' },
  policy_malformed: { status: 400, title: 'The policy does not compile' },
  certificate_malformed: { status: 400, title: 'The certificate cannot be read' },
  key_refused: { status: 403, title: 'The key is not one that only the machine’s TPM can use' },
  secret_key_wrong: { status: 500, title: 'The key of what is encrypted at rest is another' },
  address_refused: { status: 400, title: 'The address may not be called' },
  database_unavailable: { status: 503, title: 'The database does not answer' },
  database_busy: { status: 503, title: 'The database is busy' },
  database_full: { status: 503, title: 'The disk of the database is full' },
  database_read_only: { status: 503, title: 'The database takes no writes' },
  database_damaged: { status: 500, title: 'The database is damaged' },
  internal: { status: 500, title: 'Something went wrong here' },
  configuration_invalid: { status: 500, title: 'The configuration is invalid' },
  state_unsafe: { status: 500, title: 'The state folder is not safe' },
} as const satisfies Readonly<Record<ServerErrorCode, { readonly status: number; readonly title: string }>>;

export class ServerError extends VouchsafeError<ServerErrorCode> {
  override readonly name = 'ServerError';
  readonly code: ServerErrorCode;
  /** Members that go into the problem beside the standard ones: findings, times. Never a secret. */
  readonly members: Readonly<Record<string, unknown>> | undefined;

  constructor(
    code: ServerErrorCode,
    message: string,
    options: ErrorOptions & { readonly members?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message, options);
    this.code = code;
    this.members = options.members;
  }
}
