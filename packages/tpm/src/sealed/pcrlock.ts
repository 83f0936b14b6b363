// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, type Finding, toHex } from '@vouchsafe/base';
import { CodecError, decode, encode } from '@vouchsafe/codec';
import { execute } from '../command/execute.ts';
import { tpm2PolicyAuthorizeNv, tpm2PolicyOr } from '../commands/policy.ts';
import { TpmError } from '../error.ts';
import { tpmHashSize } from '../hash.ts';
import { readNv, readNvIndex } from '../local/nv.ts';
import { readPcrs } from '../local/pcrs.ts';
import { nvNameOf, nvPublicArea } from '../name.ts';
import type { PcrValue } from '../pcr-values.ts';
import { type Policy, policyOr, policyPcr, startPolicy } from '../policy.ts';
import { TpmResponseError } from '../return-code/return-code.ts';
import type { AuthSession } from '../session/auth-session.ts';
import { formatBank, type TpmHash } from '../structures/algorithm.ts';
import { esysNv } from '../structures/esys-resource.ts';
import { tpmtHa } from '../structures/ha.ts';
import { TPM_RH } from '../structures/handle.ts';
import type { NvPublic } from '../structures/nv.ts';
import type { TpmTransport } from '../transport.ts';
import type { SealFindingCode } from './changed-pcrs.ts';
import { JsonFields } from './json-fields.ts';
import { policyPcrNow } from './policy-pcr-now.ts';

/** The NV index that holds the policy which opens a secret: who may write it decides what opens. */
export interface PcrlockIndex {
  readonly handle: number;
  /** As of the written index, which is what the policy of the secret is over. */
  readonly name: Uint8Array;
}

/**
 * What systemd-pcrlock allows: of each PCR some values. systemd, src/shared/tpm2-util.c (tpm2_pcrlock_policy_from_json);
 * the file is /var/lib/systemd/pcrlock.json. It is untrusted: the NV index has its digest.
 */
export interface PcrlockPolicy {
  readonly bank: TpmHash;
  /** Ascending, each PCR once. */
  readonly allowed: readonly { readonly pcr: number; readonly values: readonly Uint8Array[] }[];
  readonly index: PcrlockIndex;
}

/** TPM2_PolicyOR takes this many, and systemd-pcrlock does not nest. */
const MAX_VALUES = 8;
const BANKS = ['sha1', 'sha256', 'sha384', 'sha512'] as const satisfies readonly TpmHash[];
/** systemd knows no other. */
const POLICY_HASH = 'sha256';

/** @throws {TpmError} 'sealed_malformed' */
export function parsePcrlockPolicy(text: string, label: string): PcrlockPolicy {
  const fields = JsonFields.parse(text, label);
  const bank = fields.oneOf('pcrBank', BANKS);
  const entries = fields.objects('pcrValues');
  const allowed = entries.map((entry) => {
    const pcr = entry.pcr('pcr');
    const values = entry.hexList('values');
    // The file may repeat a value; systemd takes it once.
    const distinct = values.filter((value, i) => values.findIndex((other) => bytesEqual(other, value)) === i);
    const isSized = distinct.every(({ length }) => length === tpmHashSize(bank));
    if (!isSized || distinct.length === 0 || distinct.length > MAX_VALUES) {
      throw entry.error('values', `1 to ${MAX_VALUES} digests of ${bank}`);
    }
    return { pcr, values: distinct };
  });
  const index = pcrlockIndexIn(fields, 'nvHandle');
  if (index.handle !== fields.number('nvIndex')) throw fields.error('nvIndex', 'the index of nvHandle');
  if (allowed.length === 0 || new Set(allowed.map(({ pcr }) => pcr)).size !== allowed.length) {
    throw fields.error('pcrValues', 'one PCR or more, each once');
  }
  return { bank, allowed: allowed.toSorted((a, b) => a.pcr - b.pcr), index };
}

/** The NV index in a field of base64. @throws {TpmError} 'sealed_malformed' */
export function pcrlockIndexIn(fields: JsonFields, name: string): PcrlockIndex {
  let resource: { readonly handle: number; readonly public: NvPublic };
  try {
    resource = decode(esysNv, fields.base64(name));
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause;
    throw fields.error(name, `a serialized NV index (${cause.message})`);
  }
  const { value } = resource.public;
  if (value.nvIndex !== resource.handle || value.nameAlg !== POLICY_HASH) {
    throw fields.error(name, 'one NV index, named by SHA-256');
  }
  return { handle: resource.handle, name: writtenNvName(resource.public) };
}

/** The name that an index has once it is written: the bit is part of its public area. Part 2, section 13.4. */
export function writtenNvName({ value }: NvPublic): Uint8Array {
  return nvNameOf(nvPublicArea({ ...value, attributes: { ...value.attributes, written: true } }));
}

/** The steps of the policy, PCRs with one value together first. systemd, tpm2-util.c (tpm2_policy_super_pcr). */
function stepsOf({ allowed }: PcrlockPolicy) {
  return {
    single: allowed.filter(({ values }) => values.length === 1),
    several: allowed.filter(({ values }) => values.length > 1),
  };
}

const selectionOf = ({ bank }: PcrlockPolicy, pcrs: readonly number[]) => [{ bank, pcrs }];

function afterSingle(policy: PcrlockPolicy): Policy {
  const { single } = stepsOf(policy);
  const start = startPolicy(POLICY_HASH);
  if (single.length === 0) return start;
  const values = single.map(({ pcr, values: [value] }) => ({ bank: policy.bank, pcr, value: value as Uint8Array }));
  return policyPcr(
    start,
    selectionOf(
      policy,
      single.map(({ pcr }) => pcr),
    ),
    values,
  );
}

function branchesOf(policy: PcrlockPolicy, before: Policy, pcr: number, values: readonly Uint8Array[]): Uint8Array[] {
  const { bank } = policy;
  return values.map((value) => policyPcr(before, selectionOf(policy, [pcr]), [{ bank, pcr, value }]).digest);
}

/** The digest that the NV index holds for this policy. */
export function pcrlockPolicyDigest(policy: PcrlockPolicy): Uint8Array {
  const { several } = stepsOf(policy);
  return several.reduce(
    (before, { pcr, values }) => policyOr(before, branchesOf(policy, before, pcr, values)),
    afterSingle(policy),
  ).digest;
}

/** What the NV index holds for it: TPMT_HA. Part 3, section 23.22 (TPM2_PolicyAuthorizeNV). */
export function pcrlockNvContents(policy: PcrlockPolicy): Uint8Array {
  return encode(tpmtHa, { hashAlg: POLICY_HASH, digest: pcrlockPolicyDigest(policy) });
}

/** Which PCRs have a value that the policy does not allow. */
export function pcrlockFindings(policy: PcrlockPolicy, now: readonly PcrValue[]): Finding<SealFindingCode>[] {
  const bank = formatBank(policy.bank);
  return policy.allowed.flatMap(({ pcr, values }): Finding<SealFindingCode>[] => {
    const where = { artefact: 'TPM', pcr, bank };
    const current = now.find((value) => value.bank === policy.bank && value.pcr === pcr)?.value;
    const expected = values.map((value) => toHex(value)).join(' or ');
    if (current === undefined) {
      const hint = `PCR ${pcr} of bank ${bank} is not there: another TPM, or other banks are switched on in firmware`;
      return [{ code: 'seal_pcr_missing', severity: 'error', where, expected, hint }];
    }
    if (values.some((value) => bytesEqual(value, current))) return [];
    const hint = `PCR ${pcr} has none of the values that systemd-pcrlock allows; it makes a new policy with make-policy`;
    return [{ code: 'seal_pcr_changed', severity: 'error', where, expected, actual: toHex(current), hint }];
  });
}

/**
 * Runs the policy in a session, and has the NV index vouch for it.
 * @throws {TpmError} 'policy_failed' when a PCR is not as it allows, or the index holds another policy; 'object_foreign' when
 * the index is gone or another; 'policy_unsupported' on a TPM without TPM2_PolicyAuthorizeNV; as `execute`
 */
export async function runPcrlockPolicy(
  tpm: TpmTransport,
  policySession: AuthSession,
  policy: PcrlockPolicy,
  ownerAuth: Uint8Array | undefined,
): Promise<void> {
  const { allowed, index } = policy;
  const { values: now } = await readPcrs(
    tpm,
    selectionOf(
      policy,
      allowed.map(({ pcr }) => pcr),
    ),
  );
  const wrong = pcrlockFindings(policy, now).map(({ where }) => where.pcr);
  if (wrong.length > 0) {
    throw new TpmError('policy_failed', `PCR ${wrong.join(', ')}: expected a value that the pcrlock policy allows`);
  }
  const owner = { handle: TPM_RH.owner, ...(ownerAuth === undefined ? {} : { auth: ownerAuth }) };
  const nvIndex = await indexNow(tpm, index);
  const held = await readNv(tpm, nvIndex, owner);
  if (!bytesEqual(held, pcrlockNvContents(policy))) {
    throw new TpmError(
      'policy_failed',
      `expected NV index 0x${index.handle.toString(16)} to hold the policy of the pcrlock file; it holds another, so the file is older or newer`,
    );
  }
  await runSteps(tpm, policySession, policy);
  try {
    await execute(tpm, tpm2PolicyAuthorizeNv, { authHandle: owner, nvIndex, policySession });
  } catch (cause) {
    if (!(cause instanceof TpmResponseError) || cause.returnCode.name !== 'TPM_RC_COMMAND_CODE') throw cause;
    throw new TpmError('policy_unsupported', 'this TPM has no TPM2_PolicyAuthorizeNV, which pcrlock needs', { cause });
  }
}

async function indexNow(tpm: TpmTransport, { handle, name }: PcrlockIndex) {
  try {
    const found = await readNvIndex(tpm, handle);
    if (bytesEqual(found.name, name)) return found;
  } catch (error) {
    if (!(error instanceof TpmResponseError) || error.returnCode.name !== 'TPM_RC_HANDLE') throw error;
  }
  throw new TpmError(
    'object_foreign',
    `expected the NV index that the secret was sealed to at 0x${handle.toString(16)}: it is gone, or was made anew`,
  );
}

async function runSteps(tpm: TpmTransport, policySession: AuthSession, policy: PcrlockPolicy): Promise<void> {
  const { single, several } = stepsOf(policy);
  if (single.length > 0) {
    await policyPcrNow(
      tpm,
      policySession,
      selectionOf(
        policy,
        single.map(({ pcr }) => pcr),
      ),
    );
  }
  let before = afterSingle(policy);
  for (const { pcr, values } of several) {
    const pHashList = branchesOf(policy, before, pcr, values);
    await policyPcrNow(tpm, policySession, selectionOf(policy, [pcr]));
    await execute(tpm, tpm2PolicyOr, { policySession, pHashList });
    before = policyOr(before, pHashList);
  }
}
