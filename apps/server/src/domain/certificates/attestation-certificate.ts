// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, isVouchsafeError, toHex } from '@vouchsafe/base';
import { decode } from '@vouchsafe/codec';
import { TCG_OID } from '@vouchsafe/identity';
import { type Certificate, decodeCertificate, fingerprintOf, VENDOR_DER } from '@vouchsafe/pki';
import { encodeBase64url, parseBase64url } from '@vouchsafe/protocol';
import { spkiOf, tpmtPublic } from '@vouchsafe/tpm';
import { ServerError } from '../../error.ts';
import type { Service } from '../service.ts';
import { crlUrlOf } from './crl-url.ts';
import { issueAttestationCertificate, type TpmNames } from './issue.ts';
import { formatSerialNumber } from './serial-number.ts';

/**
 * The certificate of an enrolled device's attestation key, with its issuer's, DER in base64url: the one that it has, or a new
 * one.
 * @throws {ServerError} 'conflict' when the device was removed meanwhile
 */
export async function attestationCertificatesOf(service: Service, deviceId: string, nowMs: number): Promise<string[]> {
  const { store, keys, config } = service;
  const authority = keys.attestation;
  const device = await store.read.devices.find(deviceId);
  if (device === undefined) throw new ServerError('conflict', 'the device was removed meanwhile; begin anew');
  const spki = spkiOf(decode(tpmtPublic, Uint8Array.from(device.ak_public)));
  const row = await store.read.certificates.newest(deviceId, 'attestation');
  const found = row?.der ? decodeCertificate(Uint8Array.from(row.der)) : undefined;
  if (found !== undefined && bytesEqual(found.publicKey.bytes, spki) && found.validity.notAfterMs > nowMs) {
    return chainOf(found, authority.certificate);
  }
  const identity = await store.read.details.identity(deviceId);
  const made = await issueAttestationCertificate(
    {
      deviceId,
      spki,
      tpm: namesIn(identity?.ek_certificates),
      nowMs,
      lifetimeMs: config.grants.attestationCertificateMs,
      crlUrl: crlUrlOf(service, 'attestation'),
    },
    authority,
  );
  await store.write(async (tx) => {
    // It may have been reset meanwhile, which has revoked what there was: this one must not come behind.
    const now = await tx.devices.find(deviceId);
    if (now?.life !== 'enrolled' || now.ak_name !== device.ak_name) {
      throw new ServerError('conflict', 'the device was changed meanwhile; begin anew');
    }
    await tx.certificates.insert({
      serial: formatSerialNumber(made.serialNumber),
      authority: 'attestation',
      device_id: deviceId,
      sha256: toHex(fingerprintOf(made)),
      issued_at_ms: nowMs,
      not_after_ms: made.validity.notAfterMs,
      revoked_at_ms: null,
      reason: null,
      der: made.bytes,
    });
  });
  return chainOf(made, authority.certificate);
}

const chainOf = (...chain: readonly Certificate[]): string[] => chain.map(({ bytes }) => encodeBase64url(bytes));

/** What the endorsement certificate calls the TPM, in its own words; nothing where it does not say so. */
function namesIn(certificates: string | undefined): TpmNames {
  const [first] = JSON.parse(certificates ?? '[]') as string[];
  if (first === undefined) return {};
  try {
    const { extensions } = decodeCertificate(parseBase64url(first), VENDOR_DER);
    const attributes = (extensions.subjectAltName ?? []).flatMap((one) =>
      one.kind === 'directory' ? one.name.rdns.flat() : [],
    );
    const textOf = (oid: string): string | undefined => attributes.find((one) => one.oid === oid)?.text;
    return {
      manufacturer: textOf(TCG_OID.tpmManufacturer),
      model: textOf(TCG_OID.tpmModel),
      version: textOf(TCG_OID.tpmVersion),
    };
  } catch (error) {
    // It was read when the machine enrolled; what only describes does not keep it out.
    if (isVouchsafeError(error)) return {};
    throw error;
  }
}
