// SPDX-License-Identifier: Apache-2.0
import { encode, u64be } from '@vouchsafe/codec';
import { execute } from '../command/execute.ts';
import { tpm2Hmac } from '../commands/hash.ts';
import { tpm2NvDefineSpace, tpm2NvUndefineSpace, tpm2NvWrite } from '../commands/nv.ts';
import { TpmError } from '../error.ts';
import { readNv, readNvIndex } from '../local/nv.ts';
import { createObject } from '../local/objects.ts';
import { readPcrs } from '../local/pcrs.ts';
import { nvPublicArea, publicArea } from '../name.ts';
import { policyPcr, startPolicy } from '../policy.ts';
import { type SealParent, withParent } from '../sealed/parent.ts';
import { unseal, withUnlocked } from '../sealed/unseal.ts';
import type { RandomSource } from '../secret-sharing.ts';
import { withSession } from '../session/scope.ts';
import { objectAttributes } from '../structures/attributes.ts';
import { TPM_RH } from '../structures/handle.ts';
import { nvAttributes } from '../structures/nv.ts';
import type { TpmTransport } from '../transport.ts';
import { requireTotpPcrs, type TotpBlob, type TotpPcrs, totpMasks, totpSelection } from './totp-key.ts';

/** tpm2-totp's parent: the SRK's attributes with an empty unique field. */
const PARENT: SealParent = { template: 'tpm2-totp', key: 'ecc', hash: 'sha256' };
/** RFC 4226, section 4, R6: 160 bits. */
const SECRET_BYTES = 20;
/** RFC 6238, section 4.1. */
const STEP_MS = 30_000;
const DIGITS = 6;
const EMPTY = new Uint8Array();

/** A new TOTP secret, and the key in the TPM that knows it. */
export interface NewTotp {
  readonly blob: TotpBlob;
  /** For the phone, and for nothing else. */
  readonly secret: Uint8Array;
}

/**
 * Makes a secret that the TPM uses only while the PCRs are as they are now. Who sees the right code on the screen knows
 * that this machine booted as it did then. RFC 6238; tpm2-totp.
 * @param password opens the secret for sealing it anew after an update; without one it must be made anew then.
 * @throws as `execute`
 */
export async function createTotp(
  tpm: TpmTransport,
  wanted: TotpPcrs,
  random: RandomSource,
  password?: Uint8Array,
): Promise<NewTotp> {
  return wrapTotp(tpm, wanted, random, random(SECRET_BYTES), password);
}

/**
 * The same secret for the PCRs as they are now: after an update. Its password opens it.
 * @throws {TpmError} 'auth_failed', 'sealed_malformed' when it was made without a password
 */
export async function resealTotp(
  tpm: TpmTransport,
  { recovery }: TotpBlob,
  wanted: TotpPcrs,
  random: RandomSource,
  password: Uint8Array,
): Promise<TotpBlob> {
  if (recovery === undefined) {
    throw new TpmError('sealed_malformed', 'expected a key with a password, found none; make a new one with totp init');
  }
  const policy = { hash: 'sha256', withPin: false } as const;
  const sealed = { area: recovery.sealPublic, private: recovery.sealPrivate, parent: PARENT, policy };
  const secret = await unseal(tpm, { sealed, auth: password, random });
  return (await wrapTotp(tpm, wanted, random, secret, password)).blob;
}

async function wrapTotp(
  tpm: TpmTransport,
  wanted: TotpPcrs,
  random: RandomSource,
  secret: Uint8Array,
  password: Uint8Array | undefined,
): Promise<NewTotp> {
  const selection = totpSelection(wanted);
  const { values } = await readPcrs(tpm, selection);
  const authPolicy = policyPcr(startPolicy('sha256'), selection, values).digest;
  const hmac = publicArea({
    type: 'keyedhash',
    nameAlg: 'sha256',
    objectAttributes: objectAttributes('signEncrypt'),
    authPolicy,
    parameters: { scheme: { scheme: 'hmac', details: { hashAlg: 'sha1' } } },
    unique: EMPTY,
  });
  const recovery = publicArea({
    type: 'keyedhash',
    nameAlg: 'sha256',
    objectAttributes: objectAttributes('userWithAuth'),
    authPolicy: EMPTY,
    parameters: { scheme: { scheme: 'null', details: {} } },
    unique: EMPTY,
  });
  return withParent(tpm, PARENT, undefined, (parent) =>
    withSession(tpm, { kind: 'hmac', random, salt: parent }, async (session) => {
      const sessions = { sessions: [session] };
      const key = await createObject(tpm, parent, { template: hmac, data: secret }, sessions);
      const withPassword =
        password === undefined
          ? undefined
          : await createObject(tpm, parent, { template: recovery, data: secret, auth: password }, sessions);
      const blob: TotpBlob = {
        ...totpMasks(wanted),
        hmacPublic: key.area,
        hmacPrivate: key.private,
        recovery: withPassword && { sealPublic: withPassword.area, sealPrivate: withPassword.private },
      };
      return { blob, secret };
    }),
  );
}

/**
 * The code of a moment: six digits.
 * @param wanted the PCRs that the caller trusts it to depend on; never those that stand in NV.
 * @param timeMs since 1970.
 * @throws {TpmError} 'totp_pcrs'; 'policy_failed' when the machine did not boot as it did then
 */
export async function totpCode(
  tpm: TpmTransport,
  blob: TotpBlob,
  wanted: TotpPcrs,
  timeMs: number,
  random: RandomSource,
): Promise<string> {
  requireTotpPcrs(blob, wanted);
  const policy = { hash: 'sha256', pcrs: totpSelection(wanted), withPin: false } as const;
  const sealed = { area: blob.hmacPublic, private: blob.hmacPrivate, parent: PARENT, policy };
  const buffer = encode(u64be, BigInt(Math.floor(timeMs / STEP_MS)));
  const mac = await withUnlocked(tpm, { sealed, random }, async (key, session) => {
    const input = { handle: key, buffer, hashAlg: 'sha1' } as const;
    return (await execute(tpm, tpm2Hmac, input, { sessions: [session] })).outHMAC;
  });
  return hotpDigits(mac);
}

/** Dynamic truncation. RFC 4226, section 5.3. */
export function hotpDigits(mac: Uint8Array): string {
  const offset = (mac.at(-1) ?? 0) & 0x0f;
  const [a = 0, b = 0, c = 0, d = 0] = mac.subarray(offset, offset + 4);
  const number = ((a & 0x7f) * 0x1000000 + b * 0x10000 + c * 0x100 + d) % 10 ** DIGITS;
  return String(number).padStart(DIGITS, '0');
}

/** Attributes of tpm2-totp's index: owner and empty authValue may read and write. */
const NV_ATTRIBUTES = ['ownerWrite', 'authWrite', 'writeStClear', 'ownerRead', 'authRead', 'readStClear'] as const;

/**
 * Puts the key into NV, where the boot screen finds it.
 * @throws as `execute`: TPM_RC_NV_DEFINED when the index is taken
 */
export async function storeTotp(tpm: TpmTransport, nvIndex: number, bytes: Uint8Array): Promise<void> {
  const publicInfo = nvPublicArea({
    nvIndex,
    nameAlg: 'sha1',
    attributes: nvAttributes('ordinary', ...NV_ATTRIBUTES),
    authPolicy: EMPTY,
    dataSize: bytes.length,
  });
  await execute(tpm, tpm2NvDefineSpace, { authHandle: TPM_RH.owner, auth: EMPTY, publicInfo });
  const index = await readNvIndex(tpm, nvIndex);
  await execute(tpm, tpm2NvWrite, { authHandle: index, nvIndex: index, data: bytes, offset: 0 });
}

export async function loadTotp(tpm: TpmTransport, nvIndex: number): Promise<Uint8Array> {
  return readNv(tpm, await readNvIndex(tpm, nvIndex));
}

export async function removeTotp(tpm: TpmTransport, nvIndex: number): Promise<void> {
  const index = await readNvIndex(tpm, nvIndex);
  await execute(tpm, tpm2NvUndefineSpace, { authHandle: TPM_RH.owner, nvIndex: index });
}
