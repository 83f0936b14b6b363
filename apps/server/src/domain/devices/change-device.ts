// SPDX-License-Identifier: Apache-2.0
import { type BootState, clearFailure, type PinnedSystem } from '@vouchsafe/appraise';
import { toHex } from '@vouchsafe/base';
import { parseBase64url } from '@vouchsafe/protocol';
import { ServerError } from '../../error.ts';
import type { DeviceRow } from '../../store/rows/devices.ts';
import type { Rows } from '../../store/rows.ts';
import type { DeviceTable } from '../../store/tables.ts';
import { appraiseRecorded } from '../attestation/recorded-evidence.ts';
import { endGrants } from '../certificates/end-grants.ts';
import { type Actor, act, type Service } from '../service.ts';
import { requireDevice } from './show-devices.ts';

/** What an operator does to a device. Each is recorded, and each makes a verdict that is under way look again. */
type Change = (row: DeviceRow) => Partial<Omit<DeviceTable, 'id' | 'revision'>>;

/** Its trust ends now, and with it what it was granted. */
const untrusted = { is_trusted: 0, trusted_until_ms: null, verdict_status: null, is_stale: 0 } as const;

/** Shut out until it is approved again. */
export async function quarantineDevice(service: Service, actor: Actor, id: string): Promise<void> {
  await change(service, actor, 'device.quarantine', id, ({ life }) => {
    if (life === 'reset') throw new ServerError('conflict', 'it must enrol anew first; remove it to keep it out');
    return { ...untrusted, life: 'quarantined' };
  });
}

/**
 * Lets in: a machine that waits, or one that is quarantined.
 * @throws {ServerError} 'not_found', 'conflict'
 */
export async function approveDevice(service: Service, actor: Actor, id: string): Promise<void> {
  const nowMs = service.clock();
  await act(service, { kind: 'device.approve', actor, subject: id }, async (tx) => {
    await tx.enrolments.hold(id);
    const waiting = await tx.enrolments.awaitingOf(id, nowMs);
    const device = await tx.devices.find(id);
    if (device?.life === 'quarantined') return update(tx, device, { life: 'enrolled' });
    const [newest] = waiting;
    if (newest === undefined) throw new ServerError('not_found', 'no device of that id waits or is quarantined');
    if (waiting.some((one) => one.ek_sha256 !== newest.ek_sha256)) {
      throw new ServerError('conflict', 'several TPMs wait under that id: remove it, and let the right one begin anew');
    }
    await tx.enrolments.move(newest.id, 'proved', { state: 'approved' });
  });
  service.devices.forget(id);
}

/** Somebody has looked at the machine and takes its failure from it. It must attest to be trusted again. */
export async function clearDevice(service: Service, actor: Actor, id: string): Promise<void> {
  await change(service, actor, 'device.clear', id, ({ state }) => ({
    ...untrusted,
    state: state === null ? null : JSON.stringify(clearFailure(JSON.parse(state) as BootState)),
  }));
}

/** The same TPM may enrol with a new attestation key: after it was cleared, say. What was known of it is forgotten. */
export async function resetDevice(service: Service, actor: Actor, id: string): Promise<void> {
  await change(service, actor, 'device.reset', id, () => ({ ...untrusted, life: 'reset', state: null }));
}

/** Gone, and free to be enrolled as something else; or not let in, if it waits. Its verdicts stay, under its name. */
export async function removeDevice(service: Service, actor: Actor, id: string): Promise<void> {
  await act(service, { kind: 'device.remove', actor, subject: id }, async (tx) => {
    const isWaiting = (await tx.enrolments.awaitingOf(id, service.clock())).length > 0;
    if (!isWaiting) await requireDevice(tx.devices.find(id));
    await tx.devices.remove(id);
    await endGrants(tx, id, service.clock(), 'identity');
  });
  service.devices.forget(id);
}

/**
 * Vouches for PCR 15 of its last boot: this root, these volumes, this machine id. Another value is refused from then on.
 * @throws {ServerError} 'not_found'; 'conflict' when the evidence of that boot does not hold
 */
export async function pinDevice(service: Service, actor: Actor, id: string): Promise<void> {
  const { verdict, pcrs } = await appraiseRecorded(service, id, (snapshot) => snapshot);
  const value = pcrs.find(({ pcr, bank }) => pcr === SYSTEM_PCR && bank === verdict.facts.quote.bank)?.value;
  if (!verdict.facts.log.isGood || value === undefined) {
    throw new ServerError('conflict', 'its last boot does not hold, so there is nothing to vouch for');
  }
  const pinned: PinnedSystem = { bank: verdict.facts.quote.bank, value: toHex(parseBase64url(value)) };
  await change(service, actor, 'device.pin', id, () => ({ pinned_system: JSON.stringify(pinned) }));
}

/** UAPI Group, Linux TPM PCR Registry: what identifies the system. */
const SYSTEM_PCR = 15;

async function change(service: Service, actor: Actor, kind: string, id: string, of: Change): Promise<void> {
  await act(service, { kind, actor, subject: id }, async (tx) => {
    const row = await requireDevice(tx.devices.find(id));
    const changed = of(row);
    await update(tx, row, changed);
    if (changed.life === 'reset') await endGrants(tx, id, service.clock(), 'identity');
    else if (changed.is_trusted === 0) await endGrants(tx, id, service.clock(), 'trust');
  });
  service.devices.forget(id);
}

async function update(tx: Rows, row: DeviceRow, change: ReturnType<Change>): Promise<void> {
  if (await tx.devices.update(row.id, row.revision, change)) return;
  throw new ServerError('conflict', 'the device attested or was changed at the same moment; try again');
}
