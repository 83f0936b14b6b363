// SPDX-License-Identifier: Apache-2.0
import { type Evidence as AppraisedEvidence, appraise, type BootState, type Verdict } from '@vouchsafe/appraise';
import { ServerError } from '../../error.ts';
import type { Snapshot } from '../references/snapshot.ts';
import type { Service } from '../service.ts';
import { selectionFor } from './challenge.ts';
import type { KnownDevice } from './device-cache.ts';
import { needsFreshChallenge } from './held-challenge.ts';
import type { IssuedNonce } from './nonce.ts';
import { withFirmwareLog } from './open-evidence.ts';
import { wireFinding } from './wire-verdict.ts';

const MAX_FINDINGS = 16;

/** What is to be judged, and by what. */
export interface Case {
  readonly relyingPartyNonce: string | undefined;
  readonly device: KnownDevice;
  readonly snapshot: Snapshot;
  readonly evidence: AppraisedEvidence;
  readonly nonce: Uint8Array;
  readonly issued: IssuedNonce;
  readonly nowMs: number;
}

/** Of a quote that holds: there is a state to go on from. */
export type AuthenticVerdict = Verdict & { readonly state: BootState };

/**
 * The appraisal, with the boot log that is held where the machine sent none.
 * @returns with the boot log, where the machine has sent it
 * @throws {ServerError} 'evidence_not_authentic', 'challenge_fresh_needed', 'log_wanted'
 */
export async function judge(
  service: Service,
  one: Case,
): Promise<{ readonly verdict: AuthenticVerdict; readonly log: Uint8Array | undefined }> {
  const { device, evidence, issued, nowMs } = one;
  let verdict = appraiseCase(service, one);
  if (verdict.isAuthentic && verdict.needsFirmwareLog && evidence.logs.firmware.bytes === undefined) {
    const held = await service.store.read.details.bootLog(evidence.logs.firmware.sha256);
    if (held === undefined) {
      throw new ServerError('log_wanted', 'the boot log is not known here: send it whole with a new quote');
    }
    verdict = appraiseCase(service, { ...one, evidence: withFirmwareLog(evidence, held) });
  }
  if (!verdict.isAuthentic || verdict.state === undefined) {
    // Anybody may have sent it: it changes nothing of the device, and does not prolong its trust either.
    const findings = verdict.findings.filter(({ code }) => code !== 'policy_denied').slice(0, MAX_FINDINGS);
    throw new ServerError(
      'evidence_not_authentic',
      `the quote does not hold: ${findings.map(({ code }) => code).join(', ')}`,
      {
        members: { findings: findings.map(wireFinding) },
      },
    );
  }
  if (needsFreshChallenge(nowMs - issued.issuedAtMs, device.state, verdict.state, service.config.attestation)) {
    const message =
      'the TPM did not run as long as the challenge was held, so the quote may be old: quote over a new challenge';
    throw new ServerError('challenge_fresh_needed', message);
  }
  return { verdict: { ...verdict, state: verdict.state }, log: evidence.logs.firmware.bytes };
}

function appraiseCase(service: Service, one: Case): Verdict {
  const { device, snapshot, evidence, nonce, issued, nowMs } = one;
  return appraise({
    evidence,
    expected: { key: device.key, selection: selectionFor(issued), nonce },
    previous: device.state,
    identity: device.identity,
    machine: device.row.id,
    ...(device.pinnedSystem === undefined ? {} : { pinnedSystem: device.pinnedSystem }),
    references: snapshot.references,
    policy: snapshot.policy,
    nowMs,
    decisions: service.decisions,
    ear: {
      lifetimeMs: service.config.attestation.trustMs,
      ...(one.relyingPartyNonce === undefined ? {} : { nonce: one.relyingPartyNonce }),
    },
  });
}
