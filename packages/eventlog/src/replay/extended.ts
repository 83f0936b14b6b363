// SPDX-License-Identifier: Apache-2.0
import { PCR_COUNT } from '@vouchsafe/tpm';
import { isMeasured } from '../cel/management.ts';
import { UNMEASURED_LAUNCH_TYPES } from '../drtm/event-type.ts';
import type { BootEvent, LogEvent } from '../event.ts';
import { type LogFinding, logFinding } from '../finding.ts';
import type { BootLog } from '../log.ts';
import { startupLocalityOf } from '../tcg/startup.ts';
import { isDrtmPcr } from './initial.ts';

/** The events of one log that a TPM was extended with, in order. */
export interface Extended {
  readonly events: readonly LogEvent[];
  /** What PCR 0 started from, where the log says it. */
  readonly startupLocality: number | undefined;
  readonly hasLaunched: boolean;
}

/**
 * The events that were extended; the others are reported where somebody may have wanted them to count.
 * @param artefact what to call the log in findings
 */
export function extendedEvents(log: BootLog, artefact: string, findings: LogFinding[]): Extended {
  const isLaunchLog = log.kind === 'drtm';
  const extended: LogEvent[] = [];
  let declared: number | undefined;
  let hasExtendedPcr0 = false;
  let hasHcrtm = false;
  for (const event of log.events) {
    if (event.pcr === undefined) {
      extended.push(event);
      continue;
    }
    if (event.type === 'EV_NO_ACTION' || isUnmeasured(event)) {
      // Profile 1.06, section 10.4.1: EV_NO_ACTION is informative and is not extended; its digests are zeros.
      if (event.digests.some(({ digest }) => digest.some((octet) => octet !== 0))) {
        findings.push(logFinding('no_action_digest', placeOf(event, artefact), { severity: 'warning' }));
      }
      const locality = event.source === 'tcg' ? startupLocalityOf(event) : undefined;
      if (locality === undefined) continue;
      // Section 10.4.5.3: one event, for PCR 0, before anything is extended there.
      const where = placeOf(event, artefact);
      if (declared !== undefined) findings.push(logFinding('startup_locality_repeated', where));
      else if (event.pcr !== 0 || hasExtendedPcr0) findings.push(logFinding('startup_locality_late', where));
      else if (locality !== 0 && locality !== 3 && locality !== 4) {
        findings.push(logFinding('startup_locality_value', where, { expected: '0, 3 or 4', actual: String(locality) }));
      } else declared = locality;
      continue;
    }
    if (event.pcr >= PCR_COUNT) {
      const values = { expected: '0 to 23', actual: String(event.pcr) };
      findings.push(logFinding('event_pcr_range', placeOf(event, artefact), values));
      continue;
    }
    if (isDrtmPcr(event.pcr) !== isLaunchLog) {
      findings.push(logFinding(isLaunchLog ? 'event_pcr_static' : 'event_pcr_drtm', placeOf(event, artefact)));
      continue;
    }
    if (event.pcr === 0) {
      // Section 10.4.1, EV_EFI_HCRTM_EVENT: the H-CRTM is measured at locality 4, before everything else in PCR 0.
      if (!hasExtendedPcr0 && event.type === 'EV_EFI_HCRTM_EVENT') hasHcrtm = true;
      hasExtendedPcr0 = true;
    }
    extended.push(event);
  }
  return {
    events: extended,
    startupLocality: hasHcrtm ? 4 : declared,
    hasLaunched: isLaunchLog && extended.length > 0,
  };
}

function placeOf({ pcr, index, offset }: BootEvent, artefact: string): LogFinding['where'] {
  return { artefact, pcr, event: index, offset };
}

/** What a log says about itself is not extended, but for the times and states of a canonical log. */
function isUnmeasured(event: LogEvent): boolean {
  if (event.source === 'drtm') return UNMEASURED_LAUNCH_TYPES.has(event.type);
  return event.management !== undefined && !isMeasured(event.management);
}
