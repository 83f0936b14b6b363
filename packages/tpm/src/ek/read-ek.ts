// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { CodecError, decode } from '@vouchsafe/codec';
import type { ExecuteOptions } from '../command/prepare.ts';
import { TpmError } from '../error.ts';
import { readHandles } from '../local/capabilities.ts';
import { readNv, readNvIndex } from '../local/nv.ts';
import { createPrimary, type LoadedObject } from '../local/objects.ts';
import { type PublicArea, publicArea } from '../name.ts';
import { TpmResponseError } from '../return-code/return-code.ts';
import { TPM_RH } from '../structures/handle.ts';
import { tpmtPublic } from '../structures/public.ts';
import { changedArea } from '../templates.ts';
import type { TpmTransport } from '../transport.ts';
import { findStoredCertificates } from './stored-certificates.ts';
import { EK_TEMPLATES, type EkTemplate } from './templates.ts';

/** A certificate that a maker put into the TPM. */
export interface EkCertificate {
  readonly template: EkTemplate;
  /** DER; what it says, and whether it is to be believed, is for @vouchsafe/identity. */
  readonly certificate: Uint8Array;
}

/** What the TPM's maker left in NV for its endorsement keys. */
export interface EkStore {
  readonly certificates: readonly EkCertificate[];
  /** Of authorities, in the order they are stored; DER. */
  readonly chain: readonly Uint8Array[];
  /** Indices of the profile that hold something else than certificates, or that the TPM lets nobody read now. */
  readonly unreadable: readonly number[];
}

/** Indices of the chain: TCG EK Credential Profile 2.x, section 2.2. */
const FIRST_CHAIN_INDEX = 0x01c0_0100;
const LAST_CHAIN_INDEX = 0x01c0_01ff;

/**
 * Certificates of endorsement keys, and of those who issued them, from NV.
 * @throws as `execute`
 */
export async function readEkStore(tpm: TpmTransport): Promise<EkStore> {
  const indices = await readHandles(tpm, 'nvIndex');
  const certificates: EkCertificate[] = [];
  const unreadable: number[] = [];
  for (const template of EK_TEMPLATES) {
    if (!indices.includes(template.certificateIndex)) continue;
    const contents = await readableContentsOf(tpm, template.certificateIndex);
    const [certificate] = contents === undefined ? [] : findStoredCertificates(contents).certificates;
    if (certificate === undefined) unreadable.push(template.certificateIndex);
    else certificates.push({ template, certificate });
  }
  const parts: Uint8Array[] = [];
  const chainIndices = indices.filter((index) => index >= FIRST_CHAIN_INDEX && index <= LAST_CHAIN_INDEX);
  for (const index of chainIndices) parts.push((await readableContentsOf(tpm, index)) ?? new Uint8Array());
  // A chain may go on in the next index in the middle of a certificate.
  const { certificates: chain } = findStoredCertificates(concatBytes(...parts));
  if (chain.length === 0) unreadable.push(...chainIndices);
  return { certificates, chain, unreadable };
}

/** Undefined where the TPM refuses: one index that is locked must not hide the others. */
async function readableContentsOf(tpm: TpmTransport, handle: number): Promise<Uint8Array | undefined> {
  try {
    return await contentsOf(tpm, handle);
  } catch (error) {
    if (error instanceof TpmResponseError) return undefined;
    throw error;
  }
}

/** By the index's own empty authValue, as the profile has it; by the owner where that is not allowed. */
async function contentsOf(tpm: TpmTransport, handle: number): Promise<Uint8Array> {
  const index = await readNvIndex(tpm, handle);
  const { authRead, written } = index.area.value.attributes;
  if (!written) return new Uint8Array();
  return readNv(tpm, index, authRead ? index : TPM_RH.owner);
}

/**
 * The template that the maker has the key made with: the one in NV, else the profile's with the nonce in NV, else the
 * profile's. TCG EK Credential Profile 2.x, section 2.2.
 * @throws {TpmError} 'key_unsupported' when NV holds something else than a template; as `execute`
 */
export async function readEkTemplate(tpm: TpmTransport, ek: EkTemplate): Promise<PublicArea> {
  const indices = await readHandles(tpm, 'nvIndex');
  if (indices.includes(ek.templateIndex)) {
    try {
      return publicArea(decode(tpmtPublic, await contentsOf(tpm, ek.templateIndex)));
    } catch (cause) {
      if (!(cause instanceof CodecError)) throw cause;
      const where = `NV index 0x${ek.templateIndex.toString(16)}`;
      throw new TpmError('key_unsupported', `${where}: expected the template of an endorsement key`, { cause });
    }
  }
  if (ek.nonceIndex === undefined || !indices.includes(ek.nonceIndex)) return ek.template;
  return withNonce(ek.template, await contentsOf(tpm, ek.nonceIndex));
}

/** The nonce in the unique field, the rest of which is zeros. */
function withNonce(template: PublicArea, nonce: Uint8Array): PublicArea {
  const filled = (field: Uint8Array): Uint8Array => {
    const next = new Uint8Array(field.length);
    next.set(nonce.subarray(0, field.length));
    return next;
  };
  const { value } = template;
  if (value.type === 'rsa') return changedArea<'rsa'>(template, { unique: filled(value.unique) });
  if (value.type !== 'ecc') return template;
  return changedArea<'ecc'>(template, { unique: { x: filled(value.unique.x), y: value.unique.y } });
}

/**
 * Makes an endorsement key, the same at each call. Whoever makes one flushes it: see `withFlushed`.
 * @param endorsementAuth the authValue of the endorsement hierarchy
 * @throws as `readEkTemplate` and `createPrimary`
 */
export async function createEk(
  tpm: TpmTransport,
  ek: EkTemplate,
  endorsementAuth: Uint8Array = new Uint8Array(),
  options: ExecuteOptions = {},
): Promise<LoadedObject> {
  const template = await readEkTemplate(tpm, ek);
  const hierarchy = { handle: TPM_RH.endorsement, auth: endorsementAuth };
  return createPrimary(tpm, { template, hierarchy }, options);
}
