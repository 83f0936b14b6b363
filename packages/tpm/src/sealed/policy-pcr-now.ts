// SPDX-License-Identifier: Apache-2.0
import { execute } from '../command/execute.ts';
import { tpm2PolicyPcr } from '../commands/policy.ts';
import { encodePcrSelection, type PcrSelection } from '../pcr-selection.ts';
import type { AuthSession } from '../session/auth-session.ts';
import type { TpmTransport } from '../transport.ts';

/**
 * TPM2_PolicyPCR. With an empty digest the TPM takes the values as they are; whether they are right shows at the end.
 * @throws as `execute`
 */
export async function policyPcrNow(
  tpm: TpmTransport,
  policySession: AuthSession,
  pcrs: readonly PcrSelection[],
): Promise<void> {
  await execute(tpm, tpm2PolicyPcr, {
    policySession,
    pcrDigest: new Uint8Array(),
    pcrs: pcrs.map(encodePcrSelection),
  });
}
