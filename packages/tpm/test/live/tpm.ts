// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from '@vouchsafe/crypto/signing';
import { type Swtpm, startSwtpm, tempDir } from '@vouchsafe/testing';
import {
  createPrimary,
  type LoadedObject,
  srkTemplate,
  TpmError,
  TpmResponseError,
  type TpmTransport,
  withFlushed,
} from '@vouchsafe/tpm';
import { type OpenTpm, openSwtpm } from '@vouchsafe/tpm/node';

type Tests = Parameters<typeof startSwtpm>[0] & Parameters<typeof tempDir>[0];

/** A software TPM of this test, and a connection to it. */
export async function liveTpm(t: Tests): Promise<{ tpm: OpenTpm; swtpm: Swtpm }> {
  const swtpm = await startSwtpm(t, tempDir(t));
  const tpm = await openSwtpm({ path: swtpm.path });
  t.after(() => tpm.close());
  return { tpm, swtpm };
}

/** A connection for as long as `use` runs: swtpm serves one at a time, and the tools need theirs. */
export async function connected<T>(swtpm: Swtpm, use: (tpm: OpenTpm) => Promise<T>): Promise<T> {
  const tpm = await openSwtpm({ path: swtpm.path });
  try {
    return await use(tpm);
  } finally {
    await tpm.close();
  }
}

export const random = randomBytes;
export const EMPTY = new Uint8Array();

/** A software TPM shares no bus with anybody: tests of commands that are about something else say so. */
export const PLAIN = { allowPlaintext: true } as const;
export const NULL_SCHEME = { scheme: 'null', details: {} } as const;
export const NULL_SYMMETRIC = { algorithm: 'null', details: {} } as const;

/** The name of the TPM_RC that the TPM answers with; fails when it does not refuse. */
export async function returnCodeOf(run: Promise<unknown>): Promise<string> {
  try {
    await run;
  } catch (error) {
    if (error instanceof TpmResponseError) return error.returnCode.name;
    throw error;
  }
  throw new Error('expected the TPM to refuse');
}

/** The code of our own error. */
export async function errorCodeOf(run: Promise<unknown>): Promise<string> {
  try {
    await run;
  } catch (error) {
    if (error instanceof TpmError) return error.code;
    throw error;
  }
  throw new Error('expected an error');
}

/** A storage root key for as long as `use` runs. */
export async function withSrk<T>(tpm: TpmTransport, use: (srk: LoadedObject) => Promise<T>): Promise<T> {
  const srk = await createPrimary(tpm, { template: srkTemplate('ecc') });
  return withFlushed(tpm, srk, () => use(srk));
}
