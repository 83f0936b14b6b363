// SPDX-License-Identifier: Apache-2.0
import type { TrustRole } from '@vouchsafe/protocol';
import { Option } from '../arguments/option.ts';

const ROLES: readonly TrustRole[] = ['tpm-maker', 'platform-maker', 'manifest-signer'];

/** What certificates are to be trusted for: never for everything at once. */
export function roleOption(): Option {
  const option = new Option('--for <role>', `what they are trusted for: ${ROLES.join(', ')}`).choices(ROLES);
  option.isRequired = true;
  return option;
}
