// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type ManifestErrorCode =
  | 'manifest_malformed' // not a manifest, or one that contradicts itself
  | 'manifest_not_canonical' // the same content in other bytes than the one form that is signed
  | 'manifest_version' // a manifest of a newer form, or one that uses what this reader must know and does not
  | 'manifest_limit' // more of something than a manifest has
  | 'envelope_malformed' // not a DSSE envelope
  | 'payload_type' // a signed envelope of something else
  | 'signature_missing' // no signature by a key that is trusted
  | 'part_mismatch' // a part beside the manifest is not the one that it names
  | 'condition_unknown' // no boot of the manifest is under these conditions
  | 'bank_unsupported' // a bank in which something was not predicted
  | 'options_invalid'; // what a manifest is to be made of contradicts itself

export class ManifestError extends VouchsafeError<ManifestErrorCode> {
  override readonly name = 'ManifestError';
  readonly code: ManifestErrorCode;
  /** Of the field, as a JSON pointer (RFC 6901), where one is concerned. */
  readonly path: string | undefined;

  constructor(code: ManifestErrorCode, message: string, options: ErrorOptions & { readonly path?: string } = {}) {
    const { path, ...rest } = options;
    super(path === undefined ? message : `${path === '' ? 'manifest' : path}: ${message}`, rest);
    this.code = code;
    this.path = path;
  }
}
