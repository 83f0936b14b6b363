// SPDX-License-Identifier: Apache-2.0
import type { AuthorityName } from '../../store/rows/certificates.ts';
import type { Service } from '../service.ts';

/** Where an authority's revocation list is; undefined while the service does not know its own address. */
export function crlUrlOf({ url }: Pick<Service, 'url'>, authority: AuthorityName): string | undefined {
  if (url === '') return undefined;
  return `${url}/v1/crl${authority === 'client' ? '' : '/attestation'}`;
}
