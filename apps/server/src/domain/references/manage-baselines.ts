// SPDX-License-Identifier: Apache-2.0
import {
  AppraiseError,
  baselineFromLog,
  baselineFromPcrlock,
  type FirmwareBaseline,
  learnBaseline,
  prepareReferences,
} from '@vouchsafe/appraise';
import { toHex, utf8 } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import {
  type FirmwareBaselineRecord,
  type ImportBaseline,
  type LearnBaseline,
  parseBase64url,
} from '@vouchsafe/protocol';
import { ServerError } from '../../error.ts';
import type { BaselineRow } from '../../store/rows/references.ts';
import { appraiseRecorded } from '../attestation/recorded-evidence.ts';
import { type Actor, act, type Service } from '../service.ts';

export async function listBaselines({ store }: Service): Promise<FirmwareBaselineRecord[]> {
  return (await store.read.references.baselines()).map(recordOf);
}

/**
 * A candidate from the last boot of a device: what its firmware measured, which nobody has approved yet.
 * @throws {ServerError} 'not_found'; 'conflict' when nothing can be learned: the log does not hold, or the firmware is known
 */
export async function learnFromDevice(
  service: Service,
  actor: Actor,
  { deviceId, name, vendor, model }: LearnBaseline,
): Promise<FirmwareBaselineRecord> {
  const { verdict, firmwareLog, identity } = await appraiseRecorded(service, deviceId, (snapshot) => ({
    ...snapshot,
    // Without baselines every event of the firmware is the machine's.
    references: prepareReferences({
      images: snapshot.references.images.map(({ manifest, life, sha256 }) => ({
        manifest: { manifest, bytes: utf8(sha256) },
        life,
      })),
    }),
  }));
  const about = {
    vendor: vendor ?? identity.platformManufacturer,
    model: model ?? identity.platformModel,
  };
  const learned = learnBaseline(verdict, firmwareLog, {
    name: name ?? `firmware of ${deviceId}`,
    // Absent stands for any.
    ...(about.vendor === '' ? {} : { vendor: about.vendor }),
    ...(about.model === '' ? {} : { model: about.model }),
  });
  if (learned === undefined) {
    const codes = [...new Set(verdict.findings.filter((f) => f.severity === 'error').map(({ code }) => code))];
    throw new ServerError('conflict', `nothing can be learned from its last boot: ${codes.join(', ') || 'no events'}`);
  }
  return keep(service, actor, learned, deviceId);
}

/**
 * A candidate from a boot log or components of systemd-pcrlock that an operator has from elsewhere: a vendor, say.
 * @throws {ServerError} 'reference_malformed' for what is no such thing, 'conflict' for one that is here already
 */
export async function importFirmware(
  service: Service,
  actor: Actor,
  { name, vendor, model, firmwareVersion, log, components }: ImportBaseline,
): Promise<FirmwareBaselineRecord> {
  if ((log === undefined) === (components === undefined)) {
    throw new ServerError('request_malformed', 'expected a log, or components of systemd-pcrlock: one of the two');
  }
  const about = {
    name,
    ...(vendor === undefined ? {} : { vendor }),
    ...(model === undefined ? {} : { model }),
    ...(firmwareVersion === undefined ? {} : { firmwareVersion }),
  };
  try {
    const baseline =
      log === undefined
        ? baselineFromPcrlock(
            about,
            (components ?? []).map((one) => ({ name: one.name, variants: one.variants.map(parseBase64url) })),
          )
        : baselineFromLog(about, parseBase64url(log));
    return await keep(service, actor, baseline, undefined);
  } catch (cause) {
    if (!(cause instanceof AppraiseError)) throw cause;
    throw new ServerError('reference_malformed', cause.message, { cause, members: { cause: cause.code } });
  }
}

async function keep(
  service: Service,
  actor: Actor,
  baseline: FirmwareBaseline,
  learnedFrom: string | undefined,
): Promise<FirmwareBaselineRecord> {
  const body = JSON.stringify(baseline);
  const row: BaselineRow = {
    sha256: toHex(digest('sha256', utf8(body))),
    vendor: baseline.vendor ?? '',
    model: baseline.model ?? '',
    firmware_version: baseline.firmwareVersion ?? '',
    body,
    life: 'candidate',
    learned_from: learnedFrom ?? null,
    added_at_ms: service.clock(),
  };
  const what =
    learnedFrom === undefined
      ? { kind: 'baseline.import', detail: { name: baseline.name } }
      : { kind: 'baseline.learn', detail: { learnedFrom } };
  await act(service, { ...what, actor, subject: row.sha256 }, async (tx) => {
    if (!(await tx.references.insertBaseline(row))) throw new ServerError('conflict', 'that baseline is here already');
  });
  return recordOf(row);
}

/** @throws {ServerError} 'not_found' */
export async function setBaselineLife(
  service: Service,
  actor: Actor,
  sha256: string,
  life: 'active' | 'revoked',
): Promise<void> {
  const kind = life === 'active' ? 'baseline.approve' : 'baseline.revoke';
  await act(service, { kind, actor, subject: sha256 }, async (tx) => {
    if (!(await tx.references.setBaselineLife(sha256, life))) {
      throw new ServerError('not_found', 'there is no such baseline');
    }
    await tx.settings.bumpGeneration();
  });
}

function recordOf(row: BaselineRow): FirmwareBaselineRecord {
  const { name, events } = JSON.parse(row.body) as FirmwareBaseline;
  return {
    sha256: row.sha256,
    name,
    vendor: row.vendor,
    model: row.model,
    firmwareVersion: row.firmware_version.slice(0, 1024),
    life: row.life,
    events: events.length,
    addedAtMs: row.added_at_ms,
    ...(row.learned_from === null ? {} : { learnedFrom: row.learned_from }),
  };
}
