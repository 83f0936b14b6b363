// SPDX-License-Identifier: Apache-2.0
// TPMs whose keys are in this process: the structures are a TPM's, the service cannot tell and has no part that would. That
// they are not genuine is said by whoever certifies their endorsement keys: a test's own authority.
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { bytesEqual, concatBytes } from '@vouchsafe/base';
import { decode, encode } from '@vouchsafe/codec';
import { decryptAesCfb, ecdhSharedX, hmac } from '@vouchsafe/crypto';
import { generateKeyPair, signMessage } from '@vouchsafe/crypto/signing';
import { type Authority, issueCertificate, issueSelfSigned, OID, type Signer } from '@vouchsafe/pki';
import {
  attestationKeyTemplate,
  EK_TEMPLATES,
  encodePcrSelection,
  kdfA,
  kdfE,
  nameOf,
  type PcrSelection,
  type PublicArea,
  publicArea,
  type TpmtPublic,
  tpm2bDigest,
  tpmsAttest,
  tpmsEccPoint,
  tpmsIdObject,
  tpmtSignature,
} from '@vouchsafe/tpm';
import { sha256 } from './made-boot.ts';

const P256 = { kind: 'ecdsa', hash: 'sha256', encoding: 'der' } as const;
const VALIDITY = { notBeforeMs: Date.UTC(2026, 0, 1), notAfterMs: Date.UTC(2046, 0, 1) };
let serial = 1n;

/** A maker of TPMs. */
export async function newTpmMaker(name = 'TPM maker of the workshop'): Promise<Authority> {
  const { privateKey, publicKey } = generateKeyPair('P-256');
  const signer: Signer = {
    input: 'message',
    scheme: P256,
    spki: publicKey.spki,
    signMessage: async (message) => signMessage(privateKey, P256, message),
  };
  const certificate = await issueSelfSigned(
    {
      subject: [{ oid: OID.commonName, text: name }],
      serialNumber: serial++,
      validity: VALIDITY,
      basicConstraints: { isCa: true, pathLength: undefined },
      keyUsage: ['keyCertSign'],
    },
    signer,
  );
  return { certificate, signer };
}

interface EcKey {
  readonly handle: KeyObject;
  readonly scalar: Uint8Array;
  readonly x: Uint8Array;
  readonly y: Uint8Array;
  readonly spki: Uint8Array;
}

function newEcKey(): EcKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const jwk = privateKey.export({ format: 'jwk' });
  const octets = (text = ''): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64url'));
  return {
    handle: createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' })),
    scalar: octets(jwk.d),
    x: octets(jwk.x),
    y: octets(jwk.y),
    spki: Uint8Array.from(publicKey.export({ format: 'der', type: 'spki' })),
  };
}

function withKey(template: PublicArea, { x, y }: EcKey): PublicArea {
  return publicArea({ ...template.value, unique: { x, y } } as TpmtPublic);
}

export interface QuoteRequest {
  readonly nonce: Uint8Array;
  readonly selection: readonly PcrSelection[];
  readonly pcrs: readonly Uint8Array[];
  readonly clock?: {
    readonly clock?: bigint;
    readonly resetCount?: number;
    readonly restartCount?: number;
    readonly safe?: boolean;
  };
  /** For attacks: what is signed in place of what a TPM would sign. */
  readonly change?: (attest: Uint8Array) => Uint8Array;
}

export class SimulatedTpm {
  readonly #ek = newEcKey();
  #ak = newEcKey();
  readonly ekPublic: PublicArea;
  akPublic: PublicArea;
  certificates: Uint8Array[] = [];

  private constructor() {
    const template = EK_TEMPLATES.find(({ name }) => name === 'L-2')?.template as PublicArea;
    this.ekPublic = withKey(template, this.#ek);
    this.akPublic = withKey(attestationKeyTemplate('ecdsa-p256'), this.#ak);
  }

  static async make(maker: Authority): Promise<SimulatedTpm> {
    const tpm = new SimulatedTpm();
    const certificate = await issueCertificate(
      {
        subject: [],
        serialNumber: serial++,
        validity: VALIDITY,
        basicConstraints: { isCa: false, pathLength: undefined },
        keyUsage: ['keyAgreement'],
        extKeyUsage: [OID.tcgEndorsementKey],
        subjectAltName: [
          {
            kind: 'directory',
            attributes: [
              { oid: '2.23.133.2.1', text: 'id:494E5443' },
              { oid: '2.23.133.2.2', text: 'simulated' },
              { oid: '2.23.133.2.3', text: 'id:00010000' },
            ],
          },
        ],
      },
      tpm.#ek.spki,
      maker,
    );
    tpm.certificates = [certificate.bytes];
    return tpm;
  }

  /** As after TPM2_Clear: another attestation key, under the same endorsement key. */
  newAttestationKey(): void {
    this.#ak = newEcKey();
    this.akPublic = withKey(attestationKeyTemplate('ecdsa-p256'), this.#ak);
  }

  /** TPM2_ActivateCredential; undefined where a TPM would answer TPM_RC_INTEGRITY. TPM 2.0 Library, Part 1, section 24. */
  activateCredential(idObject: Uint8Array, encryptedSecret: Uint8Array): Uint8Array | undefined {
    const point = decode(tpmsEccPoint, encryptedSecret);
    const z = ecdhSharedX('P-256', this.#ek.scalar, concatBytes(Uint8Array.of(4), point.x, point.y));
    const seed = kdfE('sha256', z, 'IDENTITY', point.x, this.#ek.x, 256);
    const { integrityHMAC, encIdentity } = decode(tpmsIdObject, idObject);
    const name = nameOf(this.akPublic);
    const none = new Uint8Array();
    const hmacKey = kdfA('sha256', seed, 'INTEGRITY', none, none, 256);
    if (!bytesEqual(hmac('sha256', hmacKey, concatBytes(encIdentity, name)), integrityHMAC)) return undefined;
    const key = kdfA('sha256', seed, 'STORAGE', name, none, 128);
    return decode(tpm2bDigest, decryptAesCfb(key, new Uint8Array(16), encIdentity));
  }

  /** TPM2_Certify over an object of this TPM. */
  certify(object: PublicArea, nonce: Uint8Array) {
    const attest = encode(tpmsAttest, {
      magic: 0xff54_4347,
      type: 'certify',
      qualifiedSigner: new Uint8Array(34),
      extraData: nonce,
      clockInfo: { clock: 1000n, resetCount: 1, restartCount: 0, safe: true },
      firmwareVersion: 1n,
      attested: { name: nameOf(object), qualifiedName: new Uint8Array(34) },
    });
    return { publicArea: object.bytes, attest, signature: this.#sign(attest) };
  }

  quote({ nonce, selection, pcrs, clock = {}, change = (attest) => attest }: QuoteRequest) {
    const quoted = selection.flatMap(({ pcrs: numbers }) => numbers.map((pcr) => pcrs[pcr] ?? new Uint8Array(32)));
    const attest = change(
      encode(tpmsAttest, {
        magic: 0xff54_4347,
        type: 'quote',
        qualifiedSigner: new Uint8Array(34),
        extraData: nonce,
        clockInfo: { clock: 1000n, resetCount: 1, restartCount: 0, safe: true, ...clock },
        firmwareVersion: 1n,
        attested: { pcrSelect: selection.map(encodePcrSelection), pcrDigest: sha256(...quoted) },
      }),
    );
    return { attest, signature: this.#sign(attest), values: quoted };
  }

  #sign(message: Uint8Array): Uint8Array {
    const raw = sign('sha256', message, { key: this.#ak.handle, dsaEncoding: 'ieee-p1363' });
    return encode(tpmtSignature, {
      sigAlg: 'ecdsa',
      signature: {
        hash: 'sha256',
        signatureR: Uint8Array.from(raw.subarray(0, 32)),
        signatureS: Uint8Array.from(raw.subarray(32)),
      },
    });
  }
}
