// SPDX-License-Identifier: Apache-2.0
import type { CertificateRecord } from '@vouchsafe/protocol';
import { ServerError } from '../../error.ts';
import { type Actor, act, type Service } from '../service.ts';

/** A device's certificates, the newest first. @throws {ServerError} 'not_found' */
export async function listCertificates({ store }: Service, deviceId: string): Promise<CertificateRecord[]> {
  if ((await store.read.devices.find(deviceId)) === undefined) throw noDevice();
  return (await store.read.certificates.list(deviceId)).map((row) => ({
    serialNumber: row.serial,
    authority: row.authority,
    sha256: row.sha256,
    issuedAtMs: row.issued_at_ms,
    notAfterMs: row.not_after_ms,
    ...(row.revoked_at_ms === null ? {} : { revokedAtMs: row.revoked_at_ms }),
  }));
}

/**
 * Revokes a device's client certificates. A trusted device gets a new one with its next attestation: to shut it out,
 * quarantine it.
 * @returns how many were valid
 * @throws {ServerError} 'not_found'
 */
export async function revokeCertificates(service: Service, actor: Actor, deviceId: string): Promise<number> {
  const count = await act(service, { kind: 'certificate.revoke', actor, subject: deviceId }, async (tx) => {
    const device = await tx.devices.find(deviceId);
    if (device === undefined) throw noDevice();
    // Whoever remembers what it had looks again.
    if (!(await tx.devices.update(deviceId, device.revision, {}))) throw changed();
    return tx.certificates.revokeAll(deviceId, ['client'], service.clock(), 'privilegeWithdrawn');
  });
  service.devices.forget(deviceId);
  return count;
}

const changed = (): ServerError => new ServerError('conflict', 'the device was changed by others meanwhile; try again');
const noDevice = (): ServerError => new ServerError('not_found', 'there is no such device');
