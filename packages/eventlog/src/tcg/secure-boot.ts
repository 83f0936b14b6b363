// SPDX-License-Identifier: Apache-2.0
import { formatBank, type TpmBank } from '@vouchsafe/tpm';
import { coverageOf } from '../data/coverage.ts';
import { decodeEventData } from '../data/event-data.ts';
import type { UefiVariableData } from '../data/structures.ts';
import type { VariableValue } from '../data/variable-value.ts';
import { type LogFinding, logFinding } from '../finding.ts';
import type { TcgEvent, TcgLog } from './log.ts';
import { separatorMeaning } from './separator.ts';

/** One variable, its value covered by its digest. */
interface MeasuredVariable {
  readonly variable: UefiVariableData;
  readonly value: VariableValue;
  /** Its event's place in the log. */
  readonly event: number;
}

/** What PCR 7 says of Secure Boot, once its replay has matched a quote. */
export interface SecureBootReading {
  /** False too where nothing can be told: see the findings. */
  readonly isOn: boolean;
  /** SecureBoot, PK, KEK, db, dbx and what else the firmware measures, by name. */
  readonly variables: ReadonlyMap<string, MeasuredVariable>;
  /** Entries of the databases by which something was let through, in order. */
  readonly authorities: readonly MeasuredVariable[];
  /** An error means that `isOn` is false, and that no variable is to be believed. */
  readonly findings: readonly LogFinding[];
}

const SECURE_BOOT_PCR = 7;
/** Profile 1.06, section 3.3.4: measured in every boot, once each, before the separator. */
const REQUIRED = ['SecureBoot', 'PK', 'KEK', 'db', 'dbx'] as const;
/** Variables that turn Secure Boot off while SecureBoot is 1. UEFI 2.10, section 3.3. */
const MODES_OFF = ['SetupMode', 'AuditMode'] as const;

/**
 * Reads the state of Secure Boot from a firmware log. Types are not measured: an attacker with the running system can extend
 * PCR 7, append events to match, and give those of the firmware another type, so that they are passed over (A12). So every
 * event of PCR 7 must be one that the firmware makes at that place, each variable is there once, and only data that its
 * digest covers is read (A24).
 */
export function readSecureBoot(log: TcgLog, bank: TpmBank, artefact = 'event log'): SecureBootReading {
  const findings: LogFinding[] = [];
  const variables = new Map<string, MeasuredVariable>();
  const authorities: MeasuredVariable[] = [];
  let isPastSeparator = false;
  for (const event of log.events) {
    if (event.pcr !== SECURE_BOOT_PCR || event.type === 'EV_NO_ACTION') continue;
    const where = { artefact, pcr: SECURE_BOOT_PCR, bank: formatBank(bank), event: event.index, offset: event.offset };
    if (event.type === 'EV_SEPARATOR') {
      if (isPastSeparator || separatorMeaning(event) !== 'boundary')
        findings.push(logFinding('secure_boot_event', where));
      isPastSeparator = true;
    } else if (event.type === 'EV_EFI_VARIABLE_DRIVER_CONFIG' && !isPastSeparator) {
      const found = variableOf(event, bank);
      const name = found?.variable.unicodeName ?? '';
      if (found === undefined || variables.has(name)) findings.push(logFinding('secure_boot_variable', where));
      else variables.set(name, found);
    } else if (event.type === 'EV_EFI_VARIABLE_AUTHORITY') {
      // Drivers that the firmware loads are let through before the separator as well.
      const found = variableOf(event, bank);
      if (found === undefined) findings.push(logFinding('secure_boot_variable', where));
      else authorities.push(found);
    } else if (!isKnownAction(event, bank)) findings.push(logFinding('secure_boot_event', where));
  }
  for (const path of REQUIRED) {
    if (!variables.has(path)) {
      findings.push(logFinding('secure_boot_variable', { artefact, pcr: SECURE_BOOT_PCR, path }));
    }
  }
  if (!isPastSeparator) findings.push(logFinding('separator_missing', { artefact, pcr: SECURE_BOOT_PCR }));
  const isSet = (name: string): boolean => {
    const value = variables.get(name)?.value;
    return value?.kind === 'switch' && value.isOn;
  };
  const isOn = findings.length === 0 && isSet('SecureBoot') && !MODES_OFF.some(isSet);
  return { isOn, variables, authorities, findings };
}

/** The variable of an event, if its digest covers all of it: the value without its name would be anybody's. */
function variableOf(event: TcgEvent, bank: TpmBank): MeasuredVariable | undefined {
  const data = decodeEventData(event);
  if (data.kind !== 'variable') return undefined;
  const coverage = coverageOf(event, bank, data);
  if (coverage !== 'data' && coverage !== 'prefix') return undefined;
  return { variable: data.variable, value: data.value, event: event.index };
}

/** Profile 1.06, section 10.4.4: what EV_EFI_ACTION may say in PCR 7. */
const ACTIONS: ReadonlySet<string> = new Set(['UEFI Debug Mode', 'DMA Protection Disabled']);

function isKnownAction(event: TcgEvent, bank: TpmBank): boolean {
  if (event.type !== 'EV_EFI_ACTION') return false;
  const data = decodeEventData(event);
  if (data.kind !== 'text' || !ACTIONS.has(data.text.text)) return false;
  return coverageOf(event, bank, data) !== 'none';
}
