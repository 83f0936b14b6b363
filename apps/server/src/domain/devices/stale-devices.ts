// SPDX-License-Identifier: Apache-2.0
import { endGrants } from '../certificates/end-grants.ts';
import { act, type Service } from '../service.ts';

/** Devices that one round tells of; more wait for the next. */
const MAX_PER_ROUND = 500;
const SERVICE = { kind: 'service', name: 'vouchsafe' } as const;

/**
 * Tells of devices that fell silent. They are untrusted from the moment that their trust runs out, told of or not; each is told
 * of once, by whichever instance comes first.
 * @returns how many.
 */
export async function tellOfStaleDevices(service: Service): Promise<number> {
  const nowMs = service.clock();
  const due = await service.store.read.devices.due(nowMs, MAX_PER_ROUND);
  let told = 0;
  for (const row of due) {
    const detail = { attestedAtMs: row.attested_at_ms, trustedUntilMs: row.trusted_until_ms };
    await act(service, { kind: 'device.stale', actor: SERVICE, subject: row.id, detail }, async (tx) => {
      if (!(await tx.devices.update(row.id, row.revision, { is_stale: 1 }))) return;
      await endGrants(tx, row.id, nowMs, 'trust');
      told += 1;
    });
    service.devices.forget(row.id);
  }
  return told;
}
