// SPDX-License-Identifier: Apache-2.0
import { TpmError } from '../error.ts';
import { TpmResponseError } from '../return-code/return-code.ts';

/** What the return codes mean here. TPM 2.0 Library, Part 2, section 6.6.3. */
const MEANINGS: ReadonlyMap<string, readonly [code: TpmError['code'], message: string]> = new Map([
  ['TPM_RC_POLICY_FAIL', ['policy_failed', 'the machine is not in the state that the secret was sealed to']],
  ['TPM_RC_AUTH_FAIL', ['auth_failed', 'the PIN is wrong; the TPM counts such tries']],
  ['TPM_RC_BAD_AUTH', ['auth_failed', 'the authorization is wrong']],
  [
    'TPM_RC_LOCKOUT',
    ['auth_locked', 'too many wrong PINs: the TPM is locked for some time, or until its lockout is reset'],
  ],
  ['TPM_RC_INTEGRITY', ['object_foreign', 'another TPM sealed it, or this one was cleared since']],
]);

/** Says in terms of a sealed secret what a TPM refused. */
export async function explained<T>(run: Promise<T>): Promise<T> {
  try {
    return await run;
  } catch (cause) {
    const meaning = cause instanceof TpmResponseError ? MEANINGS.get(cause.returnCode.name) : undefined;
    if (meaning === undefined) throw cause;
    throw new TpmError(meaning[0], `${meaning[1]} (${(cause as Error).message})`, { cause });
  }
}
