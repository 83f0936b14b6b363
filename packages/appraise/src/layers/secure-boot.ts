// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { type BootEvent, digestOf, readSecureBoot, type SecureBootReading } from '@vouchsafe/eventlog';
import type { Facts } from '../facts.ts';
import type { AppraisalFinding } from '../finding.ts';
import type { PreparedReferences } from '../references/reference-set.ts';
import type { ReplayedBoot } from './replay-boot.ts';

export interface SecureBootOutcome {
  readonly facts: Facts['secureBoot'];
  readonly findings: readonly AppraisalFinding[];
}

/** Of programs: boot loaders and drivers. */
const PROGRAM_PCRS: readonly number[] = [2, 4];
/** shim's. */
const MOK_PCR = 14;
/** shim: do not validate what is started. rhboot/shim, mok.c. */
const MOK_SB_STATE = 'MokSBState';

/**
 * What PCR 7 says of Secure Boot, and whether something started that is revoked. SecureBoot off, SetupMode and AuditMode all
 * mean off, whatever keys there are (A26). Only contents that a digest covers count (A24).
 * @param covered PCRs of which the image's manifest says all: there every key of MOK is one that was predicted.
 */
export function appraiseSecureBoot(
  boot: ReplayedBoot,
  references: PreparedReferences,
  covered: readonly number[],
): SecureBootOutcome {
  const { revocations, revokedPrograms } = references;
  const reading = readSecureBoot(boot.log, boot.bank);
  const isBelieved = reading.findings.length === 0;
  const variables = { PK: '', KEK: '', db: '', dbx: '' };
  for (const name of ['PK', 'KEK', 'db', 'dbx'] as const) {
    const found = isBelieved ? reading.variables.get(name) : undefined;
    if (found !== undefined) variables[name] = sha256(found.variable.variableData);
  }
  const sbatLevel = sbatLevelOf(reading);
  const isSbatCurrent = revocations.sbatLevel === undefined || sbatLevel === '' || sbatLevel >= revocations.sbatLevel;
  const isDbxCurrent = revocations.dbx === undefined || revocations.dbx.includes(variables.dbx);
  const hasMok = hasMokOf(boot, reading, covered);
  const revoked = boot.events.filter(
    (event) =>
      PROGRAM_PCRS.includes(event.pcr) && revokedPrograms.has(toHex(digestOf(event, 'sha256') ?? new Uint8Array())),
  );
  return {
    facts: {
      isOn: reading.isOn,
      variables,
      authorities: isBelieved
        ? [...new Set(reading.authorities.map(({ variable }) => sha256(variable.variableData)))].slice(
            0,
            MAX_AUTHORITIES,
          )
        : [],
      sbatLevel,
      isSbatCurrent,
      isDbxCurrent,
      hasMok,
      hasRevokedPrograms: revoked.length > 0,
    },
    findings: [
      // What cannot be read is off, and a policy says whether that is bad.
      ...reading.findings.map((finding): AppraisalFinding => ({ ...finding, severity: 'warning' })),
      ...(reading.isOn
        ? []
        : [
            warning(
              'secure_boot_off',
              7,
              'on',
              offText(reading),
              'Turn Secure Boot on in the firmware, with keys enrolled',
            ),
          ]),
      ...(isSbatCurrent
        ? []
        : [
            warning(
              'sbat_outdated',
              7,
              `${revocations.sbatLevel} or later`,
              sbatLevel,
              'Update shim’s SBAT level: boot loaders that were revoked would start',
            ),
          ]),
      ...(isDbxCurrent
        ? []
        : [
            warning(
              'dbx_outdated',
              7,
              revocations.dbx?.join(', ') ?? '',
              variables.dbx,
              'Update the firmware’s dbx (fwupd does): programs that were revoked would start',
            ),
          ]),
      ...(hasMok
        ? [
            warning(
              'mok_enrolled',
              MOK_PCR,
              'no keys of the machine’s owner',
              'some',
              'Keys in MokList let programs start that neither maker nor image has signed; remove them, or predict PCR 14',
            ),
          ]
        : []),
      ...revoked.map((event) => programRevoked(event, boot.bank)),
    ],
  };
}

/** A boot has a handful; only drivers add to them. */
const MAX_AUTHORITIES = 64;

const sha256 = (bytes: Uint8Array): string => toHex(digest('sha256', bytes));

/** shim measures the level that it enforces among the authorities. rhboot/shim, SBAT.md. */
function sbatLevelOf({ authorities, variables, findings }: SecureBootReading): string {
  if (findings.length > 0) return '';
  for (const { value } of [...authorities, ...variables.values()]) {
    if (value.kind === 'sbatLevel') return value.level?.datestamp ?? '0';
  }
  return '';
}

function hasMokOf(
  { events }: ReplayedBoot,
  { variables, authorities }: SecureBootReading,
  covered: readonly number[],
): boolean {
  const isUnvalidated = [...variables.values(), ...authorities].some(
    ({ variable, value }) => variable.unicodeName === MOK_SB_STATE && value.kind === 'switch' && value.isOn,
  );
  return isUnvalidated || (!covered.includes(MOK_PCR) && events.some(({ pcr }) => pcr === MOK_PCR));
}

function offText({ findings, variables }: SecureBootReading): string {
  if (findings.length > 0) return 'not to be told from the log';
  const isSet = (name: string): boolean => {
    const value = variables.get(name)?.value;
    return value?.kind === 'switch' && value.isOn;
  };
  return ['SetupMode', 'AuditMode'].filter(isSet).join(', ') || 'off';
}

function warning(
  code: AppraisalFinding['code'],
  pcr: number,
  expected: string,
  actual: string,
  hint: string,
): AppraisalFinding {
  return { code, severity: 'warning', where: { artefact: 'event log', pcr }, expected, actual, hint };
}

function programRevoked({ pcr, index, offset, digests }: BootEvent, bank: string): AppraisalFinding {
  const found = digests.find((entry) => entry.bank === 'sha256')?.digest ?? new Uint8Array();
  return {
    code: 'program_revoked',
    severity: 'error',
    where: { artefact: 'event log', pcr, bank, event: index, offset },
    actual: toHex(found),
    hint: 'A program started that is revoked (it is on the references’ list, as in a current dbx); update the boot loader and the dbx',
  };
}
