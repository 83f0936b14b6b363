// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type ServiceClientErrorCode =
  | 'service_unknown' // no file says where the service is, or what is there is none
  | 'service_unreachable' // nobody answers there
  | 'service_untrusted' // whoever answers has not the certificate that the file names
  | 'service_refused' // the service said no; the message has its code
  | 'nothing_to_send' // what was named has nothing that the service could take
  | 'service_answer'; // an answer in another form than was agreed on: another version, or no such service

/** What went wrong between the command and the service. */
export class ServiceClientError extends VouchsafeError<ServiceClientErrorCode> {
  override readonly name = 'ServiceClientError';
  readonly code: ServiceClientErrorCode;

  constructor(code: ServiceClientErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
