// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type PkiErrorCode =
  | 'der_truncated' // an element ends after what holds it
  | 'der_trailing' // bytes where nothing more may come
  | 'der_length' // a length that is indefinite, not minimal or too long to be one
  | 'der_tag' // another element than the structure has there, or none
  | 'der_depth' // nested deeper than the limit
  | 'der_limit' // larger, or with more elements, than the limit
  | 'der_value' // contents that are not a value of their type
  | 'input_limit' // a file, or a text of PEM blocks, beyond the limit
  | 'pem_malformed' // text that is not PEM, or carries another label than expected
  | 'certificate_malformed' // DER, but against the rules of X.509
  | 'crl_malformed' // DER, but against the rules of certificate revocation lists
  | 'cms_malformed' // DER, but against the rules of CMS
  | 'base64_malformed' // not base64
  | 'unsupported' // an algorithm, version or form that we do not do
  | 'algorithm_refused' // a known algorithm that the caller does not accept
  | 'key_invalid' // a public or private key that the cryptographic library refuses
  | 'passphrase_wrong' // an encrypted private key did not open, or no passphrase was given for it
  | 'key_mismatch' // a key that does not belong to the certificate, or answered with a wrong signature
  | 'content_missing' // a detached signature without the content, or content beside an attached one
  | 'signer_unknown' // nobody trusted has signed
  | 'attribute_invalid' // a signed attribute that is missing, repeated or contradicts the message
  | 'digest_mismatch' // the content is not what was signed
  | 'signature_invalid' // the signature does not hold
  | 'argument_invalid' // a value given by the caller that cannot be encoded
  | 'command_failed' // a command that signs did not start, or ended with an error
  | 'command_timeout' // a command that signs did not end in time
  | 'command_output' // a command that signs wrote nothing, or far more than a signature
  | 'io'; // the host could not read a file

/** Where in the input a PkiError arose. */
export interface PkiErrorPlace extends ErrorOptions {
  /** Path of the field, by the specification's names: 'Certificate.tbsCertificate.validity'. */
  readonly path?: string | undefined;
  /** Octets from the start of the input. */
  readonly offset?: number | undefined;
}

export class PkiError extends VouchsafeError<PkiErrorCode> {
  override readonly name = 'PkiError';
  readonly code: PkiErrorCode;
  readonly path: string | undefined;
  /** Octets from the start of the input that was given. */
  readonly offset: number | undefined;

  constructor(code: PkiErrorCode, message: string, place: PkiErrorPlace = {}) {
    const { path, offset, ...options } = place;
    const at = offset === undefined ? undefined : `@0x${offset.toString(16)}`;
    const where = [path, at].filter((part) => part !== undefined).join(' ');
    super(where === '' ? message : `${where}: ${message}`, options);
    this.code = code;
    this.path = path;
    this.offset = offset;
  }
}
