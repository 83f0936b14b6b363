// SPDX-License-Identifier: Apache-2.0
import type { Kysely } from 'kysely';
import type { Dialect } from './dialect.ts';
import { attestationRows } from './rows/attestations.ts';
import { auditRows } from './rows/audit.ts';
import { certificateRows } from './rows/certificates.ts';
import { deviceDetailRows } from './rows/device-details.ts';
import { deviceKeyRows } from './rows/device-keys.ts';
import { deviceRows } from './rows/devices.ts';
import { enrolmentRows } from './rows/enrolments.ts';
import { operatorRows } from './rows/operators.ts';
import { policyRows } from './rows/policies.ts';
import { referenceRows } from './rows/references.ts';
import { secretRows } from './rows/secrets.ts';
import { serviceKeyRows } from './rows/service-keys.ts';
import { settingRows } from './rows/settings.ts';
import { joinTokenRows } from './rows/tokens.ts';
import { trustRows } from './rows/trust.ts';
import { verdictRows } from './rows/verdicts.ts';
import { webhookRows } from './rows/webhooks.ts';
import type { Tables } from './tables.ts';

/** The one repository: what can be asked of the database and what can be told it, each by its subject. */
export type Rows = ReturnType<typeof rowsOn>;

/** @param owner see `attestationRows`. */
export function rowsOn(db: Kysely<Tables>, dialect: Dialect, owner: object) {
  return {
    attestations: attestationRows(db, dialect, owner),
    audit: auditRows(db, dialect),
    certificates: certificateRows(db, dialect),
    details: deviceDetailRows(db),
    deviceKeys: deviceKeyRows(db),
    devices: deviceRows(db),
    enrolments: enrolmentRows(db, dialect),
    joinTokens: joinTokenRows(db),
    operators: operatorRows(db, dialect),
    policies: policyRows(db),
    references: referenceRows(db),
    secrets: secretRows(db, dialect),
    serviceKeys: serviceKeyRows(db),
    settings: settingRows(db),
    trust: trustRows(db),
    verdicts: verdictRows(db, dialect),
    webhooks: webhookRows(db),
  };
}
