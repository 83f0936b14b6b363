// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, toHex, utf8 } from '@vouchsafe/base';
import { generateKeyPair, importPrivateKey, publicKeyOf, randomBytes, signMessage } from '@vouchsafe/crypto/signing';
import { type Authority, decodeCertificate, issueSelfSigned, OID, PkiError, type Signer } from '@vouchsafe/pki';
import { openCommandSigner } from '@vouchsafe/pki/node';
import { newSerialNumber } from '../domain/certificates/serial-number.ts';
import type { GrantKeys } from '../domain/grant-keys.ts';
import type { GrantSettings, SigningCommand } from '../domain/grant-settings.ts';
import type { KeyRing } from '../domain/secrets/key-ring.ts';
import { envelopeOf, envelopeRow } from '../domain/secrets/rotate.ts';
import { sealedNames } from '../domain/secrets/sealed-names.ts';
import { ServerError } from '../error.ts';
import type { Store } from '../store/open-store.ts';
import type { ServiceKeyRow } from '../store/rows/service-keys.ts';

const YEAR_MS = 365 * 86_400_000;
const AUTHORITY_MS = 10 * YEAR_MS;
const SKEW_MS = 3_600_000;

/** Names of rows. */
const NAMES = { client: 'client-authority', attestation: 'attestation-authority', results: 'results', audit: 'audit' };

/** What is in a subject: two services must not have one name, as who trusts both would mix them up. */
const SUBJECTS = { client: 'Vouchsafe client CA', attestation: 'Vouchsafe attestation CA' };

/**
 * The service's own keys: out of the database, where they are encrypted and shared by all instances, made there at the first
 * start; or behind commands, where the settings say so.
 * @throws {ServerError} 'secret_key_wrong', 'configuration_invalid'
 */
export async function openServiceKeys(
  store: Store,
  ring: KeyRing,
  settings: GrantSettings,
  nowMs: number,
): Promise<GrantKeys> {
  const { signers = {} } = settings;
  const own = { store, ring, nowMs };
  return {
    ring,
    client: await openAuthority(own, 'client', signers.client),
    attestation: await openAuthority(own, 'attestation', signers.attestation),
    results: await openKey(own, NAMES.results, 'P-256'),
    audit: await openKey(own, NAMES.audit, 'ed25519'),
  };
}

interface Own {
  readonly store: Store;
  readonly ring: KeyRing;
  readonly nowMs: number;
}

async function openAuthority(
  own: Own,
  role: 'client' | 'attestation',
  command: SigningCommand | undefined,
): Promise<Authority> {
  if (command !== undefined) return openCommandAuthority(role, command);
  const name = NAMES[role];
  const found = await own.store.read.serviceKeys.find(name);
  const row = found ?? (await makeKey(own, name, 'P-256', (signer) => makeAuthority(role, signer, own.nowMs)));
  if (row.certificate === null) throw new ServerError('internal', `${name}: expected a certificate beside the key`);
  return { certificate: decodeCertificate(Uint8Array.from(row.certificate)), signer: signerIn(own.ring, row) };
}

async function openCommandAuthority(role: string, signing: SigningCommand): Promise<Authority> {
  try {
    const signer = await openCommandSigner(signing);
    const { certificate } = signer;
    const isAuthority = certificate?.extensions.basicConstraints?.isCa === true;
    if (certificate !== undefined && isAuthority) return { certificate, signer };
  } catch (cause) {
    if (!(cause instanceof PkiError)) throw cause;
    throw new ServerError('configuration_invalid', `${role} authority: ${cause.message}`, { cause });
  }
  throw new ServerError(
    'configuration_invalid',
    `${signing.certificatePath}: expected the certificate of an authority`,
  );
}

async function openKey(own: Own, name: string, type: 'P-256' | 'ed25519'): Promise<Signer> {
  const found = await own.store.read.serviceKeys.find(name);
  return signerIn(own.ring, found ?? (await makeKey(own, name, type, async () => null)));
}

/** Whoever comes first makes it; the others take what is there then. */
async function makeKey(
  { store, ring, nowMs }: Own,
  name: string,
  type: 'P-256' | 'ed25519',
  certify: (signer: Signer) => Promise<Uint8Array | null>,
): Promise<ServiceKeyRow> {
  const { privateKeyPem } = generateKeyPair(type);
  const certificate = await certify(signerOf(privateKeyPem));
  const envelope = envelopeRow(ring.seal(utf8(privateKeyPem), sealedNames.serviceKey(name)));
  const row = { name, ...envelope, certificate, created_at_ms: nowMs };
  return store.write((tx) => tx.serviceKeys.putFirst(row));
}

async function makeAuthority(role: 'client' | 'attestation', signer: Signer, nowMs: number): Promise<Uint8Array> {
  const from = Math.floor((nowMs - SKEW_MS) / 1000) * 1000;
  const certificate = await issueSelfSigned(
    {
      subject: [{ oid: OID.commonName, text: `${SUBJECTS[role]} ${toHex(randomBytes(4))}` }],
      serialNumber: newSerialNumber(),
      validity: { notBeforeMs: from, notAfterMs: from + AUTHORITY_MS },
      basicConstraints: { isCa: true, pathLength: 0 },
      keyUsage: ['keyCertSign', 'cRLSign'],
    },
    signer,
  );
  return certificate.bytes;
}

function signerIn(ring: KeyRing, row: ServiceKeyRow): Signer {
  const bytes = ring.open(envelopeOf(row), sealedNames.serviceKey(row.name));
  try {
    return signerOf(parseUtf8(bytes));
  } finally {
    bytes.fill(0);
  }
}

function signerOf(pem: string): Signer {
  const key = importPrivateKey(utf8(pem));
  const { spki } = publicKeyOf(key);
  const scheme =
    key.algorithm.kind === 'ed25519'
      ? ({ kind: 'ed25519' } as const)
      : ({ kind: 'ecdsa', hash: 'sha256', encoding: 'der' } as const);
  const sign = async (message: Uint8Array): Promise<Uint8Array> => signMessage(key, scheme, message);
  return { input: 'message', scheme, spki, isChecked: true, signMessage: sign };
}
