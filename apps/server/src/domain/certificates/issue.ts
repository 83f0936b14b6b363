// SPDX-License-Identifier: Apache-2.0
import { TCG_OID, type VerifiedKey } from '@vouchsafe/identity';
import {
  type Authority,
  type Certificate,
  type CertificateInput,
  contextTag,
  encodeElement,
  encodeGeneralNames,
  encodeSequence,
  issueCertificate,
  issueCertificateDer,
  type NameToEncode,
  OID,
} from '@vouchsafe/pki';
import { newSerialNumber } from './serial-number.ts';
import { spiffeIdOf } from './spiffe-id.ts';

/** Clocks of machines and proxies differ: what is issued now is valid since a little before. */
export const SKEW_MS = 5 * 60_000;

/** The whole second that a time falls in; certificates have no smaller unit. */
const wholeSecond = (timeMs: number): number => Math.floor(timeMs / 1000) * 1000;

/** Where the authority's revocation list is: absent when the service does not know its own address. */
export type CrlUrl = string | undefined;

export interface ClientCertificateInput {
  readonly deviceId: string;
  readonly trustDomain: string;
  /** Of this machine's TPM, certified by its attestation key. */
  readonly key: Pick<VerifiedKey<'client'>, 'spki' | 'use'>;
  readonly nowMs: number;
  readonly lifetimeMs: number;
  readonly crlUrl: CrlUrl;
}

/** Made just now, and not read again: every second attestation makes one. */
export type IssuedCertificate = Pick<Certificate, 'bytes' | 'serialNumber' | 'validity'>;

/**
 * A client certificate: an X.509-SVID (SPIFFE X509-SVID, 2 to 4) that TLS libraries take as it is. Its name is the device
 * id, as common name and DNS name, and one SPIFFE ID.
 */
export async function issueClientCertificate(
  input: ClientCertificateInput,
  authority: Authority,
): Promise<IssuedCertificate> {
  const { deviceId, trustDomain, key, nowMs, lifetimeMs, crlUrl } = input;
  const serialNumber = newSerialNumber();
  const validity = validityOf(nowMs, lifetimeMs, authority);
  const bytes = await issueCertificateDer(
    {
      subject: [{ oid: OID.commonName, text: deviceId }],
      serialNumber,
      validity,
      basicConstraints: { isCa: false, pathLength: undefined },
      keyUsage: ['digitalSignature'],
      extKeyUsage: [OID.clientAuth],
      subjectAltName: [
        { kind: 'dns', text: deviceId },
        { kind: 'uri', text: spiffeIdOf(trustDomain, deviceId) },
      ],
      extensions: crlExtension(crlUrl),
    },
    key.spki,
    authority,
  );
  return { bytes, serialNumber, validity };
}

/** What the endorsement certificate says of the TPM, as it stands there. */
export interface TpmNames {
  /** 'id:' and eight hexadecimal digits. */
  readonly manufacturer?: string | undefined;
  readonly model?: string | undefined;
  readonly version?: string | undefined;
}

export interface AttestationCertificateInput {
  readonly deviceId: string;
  /** Of the attestation key, proved to be in the TPM of the endorsement key. */
  readonly spki: Uint8Array;
  readonly tpm: TpmNames;
  readonly nowMs: number;
  readonly lifetimeMs: number;
  readonly crlUrl: CrlUrl;
}

/**
 * A certificate of an attestation key, as the TCG's profile has it (TCG Infrastructure Working Group, A CMC Profile for AIK
 * Certificate Enrollment; TCG EK Credential Profile, 3.2.9) and as WebAuthn, 8.3.1, and ACME device attestation want it: no
 * subject, a critical alternative name that describes the TPM, the purpose tcg-kp-AIKCertificate. The device id goes along
 * as a permanent identifier (RFC 4043).
 */
export function issueAttestationCertificate(
  input: AttestationCertificateInput,
  authority: Authority,
): Promise<Certificate> {
  const { deviceId, spki, tpm, nowMs, lifetimeMs, crlUrl } = input;
  const described = [
    { oid: TCG_OID.tpmManufacturer, text: tpm.manufacturer },
    { oid: TCG_OID.tpmModel, text: tpm.model },
    { oid: TCG_OID.tpmVersion, text: tpm.version },
  ].flatMap(({ oid, text }) => (text === undefined || text === '' ? [] : [{ oid, text }]));
  const names: NameToEncode[] = [{ kind: 'permanent', identifier: deviceId }];
  if (described.length > 0) names.unshift({ kind: 'directory', attributes: described });
  return issueCertificate(
    {
      subject: [],
      serialNumber: newSerialNumber(),
      validity: validityOf(nowMs, lifetimeMs, authority),
      basicConstraints: { isCa: false, pathLength: undefined },
      keyUsage: ['digitalSignature'],
      extKeyUsage: [OID.tcgAttestationKey],
      subjectAltName: names,
      extensions: crlExtension(crlUrl),
    },
    spki,
    authority,
  );
}

/** Never longer than the authority's own: a certificate that outlives its issuer is nobody's. */
function validityOf(nowMs: number, lifetimeMs: number, { certificate }: Authority) {
  const { notBeforeMs, notAfterMs } = certificate.validity;
  return {
    notBeforeMs: Math.max(notBeforeMs, wholeSecond(nowMs - SKEW_MS)),
    notAfterMs: Math.min(notAfterMs, wholeSecond(nowMs + lifetimeMs)),
  };
}

/** That of the last certificate: a service has one address for each authority. */
let lastCrl: { readonly url: string; readonly extensions: readonly ExtensionToEncode[] } | undefined;

function crlExtension(url: CrlUrl): readonly ExtensionToEncode[] {
  if (url === undefined) return [];
  if (lastCrl?.url !== url) lastCrl = { url, extensions: encodeCrlExtension(url) };
  return lastCrl.extensions;
}

type ExtensionToEncode = NonNullable<CertificateInput['extensions']>[number];

/** CRLDistributionPoints with one URI. RFC 5280, 4.2.1.13. */
function encodeCrlExtension(url: string): readonly ExtensionToEncode[] {
  const fullName = encodeGeneralNames([{ kind: 'uri', text: url }]);
  // [0] IMPLICIT GeneralNames, inside the CHOICE that is [0]: the tag takes that of SEQUENCE's place.
  fullName[0] = contextTag(0, 'constructed');
  const point = encodeSequence(encodeElement(contextTag(0, 'constructed'), fullName));
  return [{ oid: OID.crlDistributionPoints, critical: false, value: encodeSequence(point) }];
}
