// SPDX-License-Identifier: Apache-2.0
import { appraise, type IdentityFacts, type Verdict } from '@vouchsafe/appraise';
import { type Evidence, parseBase64url } from '@vouchsafe/protocol';
import { ServerError } from '../../error.ts';
import type { Snapshot } from '../references/snapshot.ts';
import type { Service } from '../service.ts';
import { selectionFor } from './challenge.ts';
import { openEvidence, withFirmwareLog } from './open-evidence.ts';

export interface RecordedAppraisal {
  readonly verdict: Verdict;
  readonly firmwareLog: Uint8Array;
  readonly identity: IdentityFacts;
  /** Quoted values, which the quote vouches for. */
  readonly pcrs: Evidence['pcrs'];
}

/**
 * The evidence of a device's last boot, appraised once more by other references or another policy: to learn from it, to try a
 * policy on it. Nothing is granted for it.
 * @throws {ServerError} 'not_found'
 */
export async function appraiseRecorded(
  service: Service,
  deviceId: string,
  change: (snapshot: Snapshot) => Snapshot,
): Promise<RecordedAppraisal> {
  const snapshot = change(await service.references.refresh());
  const device = await service.devices.find(deviceId, snapshot.trust);
  const recorded = await service.store.read.details.evidence(deviceId);
  if (device === undefined || recorded === undefined) {
    throw new ServerError('not_found', 'there is no device of that id that has sent evidence');
  }
  const message = JSON.parse(recorded.body) as Evidence;
  const opened = openEvidence(message);
  const firmwareLog =
    opened.logs.firmware.bytes ?? (await service.store.read.details.bootLog(opened.logs.firmware.sha256));
  if (firmwareLog === undefined) throw new ServerError('not_found', 'the boot log of its last boot is not kept');
  const wantsLaunch = message.pcrs.some(({ pcr }) => pcr > 15);
  const verdict = appraise({
    evidence: withFirmwareLog(opened, firmwareLog),
    expected: { key: device.key, selection: selectionFor({ wantsLaunch }), nonce: parseBase64url(message.nonce) },
    identity: device.identity,
    machine: deviceId,
    ...(device.pinnedSystem === undefined ? {} : { pinnedSystem: device.pinnedSystem }),
    references: snapshot.references,
    policy: snapshot.policy,
    nowMs: recorded.at_ms,
  });
  return { verdict, firmwareLog, identity: device.identity, pcrs: message.pcrs };
}
