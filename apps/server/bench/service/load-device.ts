// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { encode } from '@vouchsafe/codec';
import { type Challenge, type Evidence, encodeBase64url, parseBase64url } from '@vouchsafe/protocol';
import {
  attestationKeyTemplate,
  encodePcrSelection,
  type PublicArea,
  publicArea,
  publicAreaFromSpki,
  tpmsAttest,
  tpmtSignature,
} from '@vouchsafe/tpm';
import { sha256 } from '../../test/support/made-boot.ts';

export type KeyKind = 'ecdsa-p256' | 'rsassa-2048';

/** An attestation key, as a TPM would make it, whose private half is here. */
export interface LoadKey {
  readonly kind: KeyKind;
  readonly handle: KeyObject;
  readonly area: PublicArea;
}

export function newLoadKey(kind: KeyKind): LoadKey {
  const { privateKey, publicKey } =
    kind === 'ecdsa-p256'
      ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { objectAttributes } = attestationKeyTemplate(kind).value;
  const details = { hashAlg: 'sha256' } as const;
  const area = publicArea(
    publicAreaFromSpki(Uint8Array.from(publicKey.export({ format: 'der', type: 'spki' })), {
      nameAlg: 'sha256',
      objectAttributes,
      eccScheme: { scheme: 'ecdsa', details },
      rsaScheme: { scheme: 'rsassa', details },
    }),
  );
  return { kind, handle: privateKey, area };
}

/** The boot that all machines of the load have been through. */
export interface LoadBoot {
  /** Its logs, where they are sent: of the first attestation of a boot. */
  readonly logs?: Evidence['logs'];
  readonly pcrs: readonly Uint8Array[];
  readonly firmwareSha256: string;
  readonly resetCount: number;
}

/** A machine as the load generator keeps it. */
export interface LoadDevice {
  readonly id: string;
  readonly key: LoadKey;
  challenge: Challenge | undefined;
}

/** Evidence of a machine in the middle of a boot: a quote, and logs that have nothing new. @param clockMs of its TPM. */
export function quoteEvidence(key: LoadKey, challenge: Challenge, boot: LoadBoot, clockMs: number): Evidence {
  const { selection, nonce } = challenge;
  const quoted = selection.flatMap(({ bank, pcrs }) =>
    pcrs.map((pcr) => ({ bank, pcr, value: boot.pcrs[pcr] ?? new Uint8Array(32) })),
  );
  const attest = encode(tpmsAttest, {
    magic: 0xff54_4347,
    type: 'quote',
    qualifiedSigner: new Uint8Array(34),
    extraData: parseBase64url(nonce),
    clockInfo: { clock: BigInt(Math.floor(clockMs)), resetCount: boot.resetCount, restartCount: 0, safe: true },
    firmwareVersion: 1n,
    attested: {
      pcrSelect: selection.map(encodePcrSelection),
      pcrDigest: sha256(...quoted.map(({ value }) => value)),
    },
  });
  return {
    nonce,
    quote: { attest: encodeBase64url(attest), signature: encodeBase64url(signAttest(key, attest)) },
    pcrs: quoted.map(({ bank, pcr, value }) => ({ bank, pcr, value: encodeBase64url(value) })),
    logs: boot.logs ?? { firmware: { sha256: boot.firmwareSha256 } },
  };
}

export function signAttest({ kind, handle }: LoadKey, attest: Uint8Array): Uint8Array {
  const raw = Uint8Array.from(sign('sha256', attest, { key: handle, dsaEncoding: 'ieee-p1363' }));
  return encode(
    tpmtSignature,
    kind === 'ecdsa-p256'
      ? {
          sigAlg: 'ecdsa',
          signature: { hash: 'sha256', signatureR: raw.subarray(0, 32), signatureS: raw.subarray(32) },
        }
      : { sigAlg: 'rsassa', signature: { hash: 'sha256', sig: raw } },
  );
}
