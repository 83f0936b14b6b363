// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { decodeAttributeCertificate, decodeCertificate, PkiError, VENDOR_DER } from '@vouchsafe/pki';
import { encodeBase64url, parseBase64url, WIRE_LIMITS } from '@vouchsafe/protocol';
import {
  createEk,
  EK_TEMPLATES,
  type EkTemplate,
  findStoredCertificates,
  type LoadedObject,
  readEkStore,
  readHandles,
  readNv,
  readNvIndex,
  readObject,
  spkiOf,
  TPM_RH,
  TpmResponseError,
  type TpmTransport,
  withFlushed,
} from '@vouchsafe/tpm';
import { AgentError } from '../error.ts';
import type { Endorsement } from '../machine-tpm.ts';

/** What the TPM's NV does not hold, or is not to be asked for. */
export interface EndorsementOptions {
  /** Certificates of endorsement keys that the maker gives as files or on a web site; DER. */
  readonly certificates?: readonly Uint8Array[];
  /** Certificates of the platform that are files; DER. */
  readonly platformCertificates?: readonly Uint8Array[];
  /** The template of the key to take, by its name in the TCG's profile; else the first that there is. */
  readonly template?: string;
}

/** Elliptic curves first: to make an RSA key anew takes a TPM seconds, sometimes a minute. */
const IN_ORDER: readonly EkTemplate[] = [
  ...EK_TEMPLATES.filter(({ label }) => label.startsWith('ECC')),
  ...EK_TEMPLATES.filter(({ label }) => !label.startsWith('ECC')),
];

/** NV indices of platform certificates: TCG Registry of Reserved TPM 2.0 Handles and Localities, 2.2.2. */
const FIRST_PLATFORM_INDEX = 0x01c0_8000;
const LAST_PLATFORM_INDEX = 0x01c0_8fff;

/**
 * The endorsement key that speaks for this machine: the first whose certificate is there and is that key's.
 * @throws {AgentError} 'endorsement_missing'; as `execute`
 */
export async function readEndorsement(tpm: TpmTransport, options: EndorsementOptions = {}): Promise<Endorsement> {
  const store = await readEkStore(tpm);
  const inNv = new Map(store.certificates.map(({ template, certificate }) => [template.name, certificate]));
  const files = options.certificates ?? [];
  for (const template of IN_ORDER) {
    if (options.template !== undefined && options.template !== template.name) continue;
    const stored = inNv.get(template.name);
    // A file does not say which template its key has: it may be any.
    const candidates = [...(stored === undefined ? [] : [stored]), ...files];
    if (candidates.length === 0) continue;
    const found = await withEk(tpm, template, async (ek) => {
      if (ek === undefined) return undefined;
      const spki = spkiOf(ek.area.value);
      const certificate = candidates.find((der) => isCertificateOf(der, spki));
      return certificate === undefined ? undefined : { certificate, publicArea: encodeBase64url(ek.area.bytes) };
    });
    if (found === undefined) continue;
    const platform = [...(options.platformCertificates ?? []), ...(await readPlatformCertificates(tpm))];
    return {
      template: template.name,
      publicArea: found.publicArea,
      certificates: [found.certificate, ...store.chain].slice(0, WIRE_LIMITS.certificates).map(encodeBase64url),
      platformCertificates: platform.slice(0, WIRE_LIMITS.certificates).map(encodeBase64url),
    };
  }
  const message =
    "expected an endorsement key with its maker's certificate, found none in the TPM's NV; give a certificate from the maker as a file";
  throw new AgentError('endorsement_missing', message);
}

/**
 * The endorsement key that was chosen at an enrolment.
 * @throws {AgentError} 'tpm_changed' when it is another one now
 */
export async function withEndorsement<T>(
  tpm: TpmTransport,
  { template, publicArea }: Pick<Endorsement, 'template' | 'publicArea'>,
  use: (ek: LoadedObject) => Promise<T>,
): Promise<T> {
  const found = EK_TEMPLATES.find(({ name }) => name === template);
  if (found === undefined) {
    throw new AgentError('state_malformed', 'expected the name of a template of endorsement keys, found another');
  }
  return withEk(tpm, found, async (ek) => {
    if (ek !== undefined && bytesEqual(ek.area.bytes, parseBase64url(publicArea))) return use(ek);
    const message = 'expected the endorsement key of this enrolment, found another TPM; enrol anew';
    throw new AgentError('tpm_changed', message);
  });
}

/**
 * The key at its maker's persistent handle, where it is, else made anew and flushed; undefined where the TPM has not that
 * curve or size, or does not make the key.
 */
async function withEk<T>(
  tpm: TpmTransport,
  ek: EkTemplate,
  use: (ek: LoadedObject | undefined) => Promise<T>,
): Promise<T> {
  const persistent = await readHandles(tpm, 'persistent');
  if (persistent.includes(ek.persistentHandle)) {
    const kept = await readObject(tpm, ek.persistentHandle);
    // Somebody may keep another key there.
    if (bytesEqual(kept.area.value.authPolicy, ek.template.value.authPolicy)) return use(kept);
  }
  const made = await createEk(tpm, ek).catch((error: unknown) => {
    if (error instanceof TpmResponseError) return undefined;
    throw error;
  });
  return made === undefined ? use(undefined) : withFlushed(tpm, made, () => use(made));
}

function isCertificateOf(der: Uint8Array, spki: Uint8Array): boolean {
  try {
    return bytesEqual(decodeCertificate(der, VENDOR_DER).publicKey.bytes, spki);
  } catch (error) {
    if (error instanceof PkiError) return false;
    throw error;
  }
}

/** TCG attribute certificates in NV. What else makers keep at these indices, such as X.509 certificates, is none. */
async function readPlatformCertificates(tpm: TpmTransport): Promise<Uint8Array[]> {
  const indices = (await readHandles(tpm, 'nvIndex')).filter(
    (index) => index >= FIRST_PLATFORM_INDEX && index <= LAST_PLATFORM_INDEX,
  );
  const certificates: Uint8Array[] = [];
  for (const handle of indices) {
    try {
      const index = await readNvIndex(tpm, handle);
      const { authRead, written } = index.area.value.attributes;
      if (!written) continue;
      const contents = await readNv(tpm, index, authRead ? index : TPM_RH.owner);
      certificates.push(...findStoredCertificates(contents).certificates);
    } catch (error) {
      // One index that is locked must not keep the machine out.
      if (!(error instanceof TpmResponseError)) throw error;
    }
  }
  return certificates.filter(isPlatformCertificate);
}

/** True for an attribute certificate. */
function isPlatformCertificate(der: Uint8Array): boolean {
  try {
    decodeAttributeCertificate(der, VENDOR_DER);
    return true;
  } catch (error) {
    if (error instanceof PkiError) return false;
    throw error;
  }
}
