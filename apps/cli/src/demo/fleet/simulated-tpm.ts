// SPDX-License-Identifier: Apache-2.0
import { AgentError, type Endorsement, type MachineKeys, type MachineTpm, type TpmEvidence } from '@vouchsafe/agent';
import { bytesEqual, concatBytes } from '@vouchsafe/base';
import { decode, encode } from '@vouchsafe/codec';
import { decryptAesCfb, digest, ecdhSharedX, ecPointOf, hmac } from '@vouchsafe/crypto';
import { type GeneratedKeyPair, generateKeyPair, randomBytes, signMessage } from '@vouchsafe/crypto/signing';
import type { Authority } from '@vouchsafe/pki';
import { type Challenge, encodeBase64url } from '@vouchsafe/protocol';
import {
  attestationKeyTemplate,
  clientKeyTemplate,
  EK_TEMPLATES,
  encodePcrSelection,
  kdfA,
  kdfE,
  nameOf,
  type PublicArea,
  publicArea,
  publicAreaFromSpki,
  spkiOf,
  TPM_GENERATED_VALUE,
  type TpmtPublic,
  tpm2bDigest,
  tpmsAttest,
  tpmsEccPoint,
  tpmsIdObject,
  tpmtSignature,
} from '@vouchsafe/tpm';
import { certifyEndorsementKey } from './tpm-maker.ts';

const SCALAR_BYTES = 32;
const FIRMWARE_VERSION = 1n;
const RAW_P256 = { kind: 'ecdsa', hash: 'sha256', encoding: 'raw' } as const;
const NONE = new Uint8Array();

interface Key {
  readonly pair: GeneratedKeyPair;
  readonly area: PublicArea;
}

interface EndorsementKey {
  readonly scalar: Uint8Array;
  readonly area: PublicArea;
  readonly certificate: Uint8Array;
}

/** Values of a PCR bank, by number. */
export type PcrValues = ReadonlyMap<number, Uint8Array>;

/**
 * What the agent asks of a TPM, by a program: the structures are a TPM's, and the service has no part that could tell. That its
 * keys are no TPM's is known by who has certified them. Its PCRs hold what they are given.
 */
export class SimulatedTpm implements MachineTpm {
  readonly #endorsement: EndorsementKey;
  readonly #attestation: Key;
  readonly #client: Key;
  readonly #pcrs: PcrValues;
  readonly #startedMs: number;
  readonly #now: () => number;

  private constructor(endorsement: EndorsementKey, pcrs: PcrValues, now: () => number) {
    this.#endorsement = endorsement;
    const attestation = attestationKeyTemplate('ecdsa-p256').value;
    this.#attestation = newKey(attestation, { scheme: 'ecdsa', details: { hashAlg: 'sha256' } });
    this.#client = newKey(clientKeyTemplate('P-256').value);
    this.#pcrs = pcrs;
    this.#now = now;
    this.#startedMs = now() - 60_000;
  }

  /** @param now milliseconds at an even pace, for its clock. @param dateMs of its certificate. */
  static async make(maker: Authority, pcrs: PcrValues, now: () => number, dateMs: number): Promise<SimulatedTpm> {
    const scalar = randomBytes(SCALAR_BYTES);
    const point = ecPointOf('P-256', scalar).subarray(1);
    const template = EK_TEMPLATES.find(({ name }) => name === 'L-2')?.template.value;
    const unique = { x: point.slice(0, SCALAR_BYTES), y: point.slice(SCALAR_BYTES) };
    const area = publicArea({ ...template, unique } as TpmtPublic);
    const certificate = await certifyEndorsementKey(maker, spkiOf(area.value), dateMs);
    return new SimulatedTpm({ scalar, area, certificate }, pcrs, now);
  }

  async readEndorsement(): Promise<Endorsement> {
    const { area, certificate } = this.#endorsement;
    return {
      template: 'L-2',
      publicArea: encodeBase64url(area.bytes),
      certificates: [encodeBase64url(certificate)],
      platformCertificates: [],
    };
  }

  async createKeys(): Promise<MachineKeys> {
    // Nothing leaves this process, so nothing is wrapped; and with no decryption key it is given no secrets.
    const kept = (key: PublicArea) => ({ publicArea: encodeBase64url(key.bytes), privateArea: 'AA' });
    const client = kept(this.#client.area);
    const parent = encodeBase64url(this.#endorsement.area.bytes);
    return { parent, attestation: kept(this.#attestation.area), client, decryption: client };
  }

  async holds({ attestation }: MachineKeys): Promise<boolean> {
    return attestation.publicArea === encodeBase64url(this.#attestation.area.bytes);
  }

  /** TPM 2.0 Library, Part 1, section 24. */
  async activate(
    _keys: MachineKeys,
    _endorsement: unknown,
    { idObject, encryptedSecret }: { readonly idObject: Uint8Array; readonly encryptedSecret: Uint8Array },
  ): Promise<Uint8Array> {
    const { scalar, area } = this.#endorsement;
    const point = decode(tpmsEccPoint, encryptedSecret);
    const z = ecdhSharedX('P-256', scalar, concatBytes(Uint8Array.of(4), point.x, point.y));
    const seed = kdfE('sha256', z, 'IDENTITY', point.x, (area.value.unique as { x: Uint8Array }).x, 256);
    const { integrityHMAC, encIdentity } = decode(tpmsIdObject, idObject);
    const name = nameOf(this.#attestation.area);
    const hmacKey = kdfA('sha256', seed, 'INTEGRITY', NONE, NONE, 256);
    if (!bytesEqual(hmac('sha256', hmacKey, concatBytes(encIdentity, name)), integrityHMAC)) {
      throw new AgentError('credential_refused', 'expected a credential for this TPM and its key, found another');
    }
    const key = kdfA('sha256', seed, 'STORAGE', name, NONE, 128);
    return decode(tpm2bDigest, decryptAesCfb(key, new Uint8Array(16), encIdentity));
  }

  async attest(
    _keys: MachineKeys,
    nonce: Uint8Array,
    selection: Challenge['selection'],
    certifiesKeys: boolean,
  ): Promise<TpmEvidence> {
    const values = selection.flatMap(({ bank, pcrs }) =>
      pcrs.map((pcr) => ({ bank, pcr, value: this.#pcrs.get(pcr) ?? new Uint8Array(32) })),
    );
    const pcrDigest = digest('sha256', concatBytes(...values.map(({ value }) => value)));
    const attested = { pcrSelect: selection.map(encodePcrSelection), pcrDigest };
    const { attest, signature } = this.#signed(nonce, { type: 'quote', attested });
    return {
      quote: { attest, signature },
      pcrs: values.map(({ bank, pcr, value }) => ({ bank, pcr, value: encodeBase64url(value) })),
      ...(certifiesKeys ? { keys: { client: this.#certify(this.#client.area, nonce) } } : {}),
    };
  }

  async decrypt(): Promise<Uint8Array> {
    throw new AgentError('secret_malformed', 'expected no secret, as a simulated TPM has no key for one');
  }

  #certify(object: PublicArea, nonce: Uint8Array) {
    const attested = { name: nameOf(object), qualifiedName: new Uint8Array(34) };
    return { publicArea: encodeBase64url(object.bytes), ...this.#signed(nonce, { type: 'certify', attested }) };
  }

  /** TPM 2.0 Library, Part 2, 10.12.12 (TPMS_ATTEST), signed by the attestation key. */
  #signed(
    nonce: Uint8Array,
    what: { readonly type: 'quote' | 'certify'; readonly attested: object },
  ): { readonly attest: string; readonly signature: string } {
    const clock = BigInt(Math.floor(this.#now() - this.#startedMs));
    const attest = encode(tpmsAttest, {
      magic: TPM_GENERATED_VALUE,
      qualifiedSigner: new Uint8Array(34),
      extraData: nonce,
      clockInfo: { clock, resetCount: 1, restartCount: 0, safe: true },
      firmwareVersion: FIRMWARE_VERSION,
      ...what,
    } as never);
    const raw = signMessage(this.#attestation.pair.privateKey, RAW_P256, attest);
    const [signatureR, signatureS] = [raw.subarray(0, SCALAR_BYTES), raw.subarray(SCALAR_BYTES)];
    const signature = encode(tpmtSignature, {
      sigAlg: 'ecdsa',
      signature: { hash: 'sha256', signatureR, signatureS },
    });
    return { attest: encodeBase64url(attest), signature: encodeBase64url(signature) };
  }
}

function newKey(
  { nameAlg, objectAttributes }: TpmtPublic,
  eccScheme?: { readonly scheme: 'ecdsa'; readonly details: { readonly hashAlg: 'sha256' } },
): Key {
  const pair = generateKeyPair('P-256');
  const scheme = eccScheme === undefined ? {} : { eccScheme };
  const area = publicArea(
    publicAreaFromSpki(pair.publicKey.spki, { nameAlg: nameAlg as 'sha256', objectAttributes, ...scheme }),
  );
  return { pair, area };
}
