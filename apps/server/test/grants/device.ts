// SPDX-License-Identifier: Apache-2.0
import type { Verdict } from '@vouchsafe/appraise';
import { toHex } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import { generateKeyPair, randomBytes, signMessage } from '@vouchsafe/crypto/signing';
import type { KeyEvidence } from '@vouchsafe/identity';
import {
  attestationKeyTemplate,
  clientKeyTemplate,
  decryptionKeyTemplate,
  importSigningKey,
  nameOf,
  type PublicArea,
  publicArea,
  publicAreaFromSpki,
  TPM_GENERATED_VALUE,
  type TpmSigningKey,
  tpmsAttest,
  tpmtSignature,
} from '@vouchsafe/tpm';
import { detailOf, storedDetail } from '../../src/domain/attestation/wire-verdict.ts';
import { type GrantRequest, prepareGrants } from '../../src/domain/grants.ts';
import type { Service } from '../../src/domain/service.ts';

/** A verdict as far as granting looks at it. */
export function verdictOf(status: 'affirming' | 'warning' | 'contraindicated', image = 'edge'): Verdict {
  const isTrusted = status !== 'contraindicated';
  const findings = isTrusted ? [] : [{ code: 'image_unknown', severity: 'error', where: { artefact: 'x' }, hint: '' }];
  const facts = { image: { isKnown: isTrusted, name: image } };
  return {
    status,
    isTrusted,
    isAuthentic: true,
    findings,
    facts,
    image: { name: image, version: '1.4.0', sha256: '00' },
    references: [{ name: 'edge 1.4.0', sha256: 'aa' }],
    policy: { name: 'strict', sha256: 'bb' },
  } as unknown as Verdict;
}

/** A software TPM's keys, which make the structures of a TPM: what the service sees of a machine. */
export interface TestDevice {
  readonly id: string;
  readonly attestationKey: TpmSigningKey;
  /** TPM2_Certify over a new key of that template. */
  certify(template: PublicArea, nonce: Uint8Array): CertifiedTestKey;
}

export interface CertifiedTestKey extends KeyEvidence {
  readonly privateKeyPem: string;
}

/** Puts a device into the database, as enrolment does. */
export async function enrolTestDevice(service: Service, id: string): Promise<TestDevice> {
  const { privateKey, publicKey } = generateKeyPair('P-256');
  const template = attestationKeyTemplate('ecdsa-p256').value;
  const area = publicArea(
    publicAreaFromSpki(publicKey.spki, {
      nameAlg: 'sha256',
      objectAttributes: template.objectAttributes,
      eccScheme: { scheme: 'ecdsa', details: { hashAlg: 'sha256' } },
    }),
  );
  await service.store.write((tx) => tx.devices.insert(deviceRow(id, toHex(nameOf(area)), area.bytes)));
  return {
    id,
    attestationKey: importSigningKey(area.value),
    certify(wanted, nonce) {
      const key = generateKeyPair(wanted.value.type === 'rsa' ? 'rsa-2048' : 'P-256');
      const { objectAttributes } = wanted.value;
      const object = publicArea(publicAreaFromSpki(key.publicKey.spki, { nameAlg: 'sha256', objectAttributes }));
      const attest = encode(tpmsAttest, {
        magic: TPM_GENERATED_VALUE,
        type: 'certify',
        qualifiedSigner: new Uint8Array(34),
        extraData: nonce,
        clockInfo: { clock: 1n, resetCount: 1, restartCount: 0, safe: true },
        firmwareVersion: 1n,
        attested: { name: nameOf(object), qualifiedName: new Uint8Array(34) },
      } as never);
      const raw = signMessage(privateKey, { kind: 'ecdsa', hash: 'sha256', encoding: 'raw' }, attest);
      const signature = encode(tpmtSignature, {
        sigAlg: 'ecdsa',
        signature: { hash: 'sha256', signatureR: raw.subarray(0, 32), signatureS: raw.subarray(32) },
      } as never);
      return { publicArea: object.bytes, attest, signature, privateKeyPem: key.privateKeyPem };
    },
  };
}

/** What `attest` does with a verdict: grants, and all of it written together. @param more `meanwhile` runs in between */
export async function attestWith(
  service: Service,
  device: TestDevice,
  verdict: Verdict,
  { meanwhile, ...more }: Partial<GrantRequest> & { readonly meanwhile?: () => Promise<void> } = {},
) {
  const row = await service.store.read.devices.find(device.id);
  if (row === undefined) throw new Error('no such device');
  const nowMs = service.clock();
  const before =
    row.verdict_status === null ? undefined : { status: row.verdict_status, isTrusted: row.is_trusted === 1 };
  const granting = {
    store: service.store,
    keys: service.keys,
    settings: service.config.grants,
    crlUrl: undefined,
    preparePolicy: service.preparePolicy,
    log: service.log,
  };
  const grants = await prepareGrants(granting, {
    deviceId: device.id,
    verdict,
    before,
    nowMs,
    attestationKey: device.attestationKey,
    nonce: new Uint8Array(20),
    challengeIssuedAtMs: nowMs,
    ...more,
  });
  await meanwhile?.();
  const outcome = await service.store.recordAttestation(
    {
      deviceId: device.id,
      revision: row.revision,
      generation: await service.store.read.settings.generation(),
      nonce: toHex(randomBytes(20)),
      nonceExpiresAtMs: nowMs + 60_000,
      atMs: Math.max(nowMs, (row.attested_at_ms ?? 0) + 1),
      status: verdict.status,
      isTrusted: verdict.isTrusted,
      trustedUntilMs: nowMs + 3_600_000,
      detail: storedDetail(detailOf(verdict)),
      imageName: verdict.image?.name ?? null,
      imageVersion: verdict.image?.version ?? null,
      bootLogSha256: null,
      state: '{}',
      settledSha256: undefined,
      isSame: false,
    },
    grants.effects,
  );
  service.auditLog.kick();
  if (outcome !== 'recorded') throw new Error(outcome);
  return grants;
}

/** The keys of a machine that attests for the first time. */
export function firstKeys(device: TestDevice) {
  const nonce = new Uint8Array(20);
  const client = device.certify(clientKeyTemplate('P-256'), nonce);
  return { keys: { client, decryption: device.certify(decryptionKeyTemplate(), nonce) }, client };
}

function deviceRow(id: string, akName: string, akPublic: Uint8Array) {
  return {
    id,
    revision: 1,
    life: 'enrolled',
    ek_sha256: toHex(randomBytes(32)),
    ak_name: akName,
    ak_public: akPublic,
    joined_by: 'token',
    enrolled_at_ms: 1,
    verdict_status: null,
    is_trusted: 0,
    attested_at_ms: null,
    trusted_until_ms: null,
    is_stale: 0,
    verdict_sha256: null,
    image_name: null,
    image_version: null,
    boot_log_sha256: null,
    state: null,
  } as const;
}
