// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { deviceId, sha256Hex, strict, timeMs } from '../fields.ts';
import { foreignText, page } from './fields.ts';

/** What the firmware of a model measures. A learned one is a candidate: that it was measured is known, not that it is good. */
export const firmwareBaseline = Type.Object(
  {
    sha256: sha256Hex,
    name: foreignText,
    vendor: foreignText,
    model: foreignText,
    firmwareVersion: foreignText,
    life: Type.Enum(['candidate', 'active', 'revoked']),
    events: Type.Integer({ minimum: 0, maximum: 4096 }),
    learnedFrom: Type.Optional(deviceId),
    addedAtMs: timeMs,
  },
  strict,
);
export type FirmwareBaselineRecord = Static<typeof firmwareBaseline>;
export const firmwareBaselines = page(firmwareBaseline);
export type FirmwareBaselines = Static<typeof firmwareBaselines>;

/** `POST /v1/baselines`: from the last boot of a device. */
export const learnBaseline = Type.Object(
  {
    deviceId,
    /** How the baseline is called; the model and its firmware when left out. */
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    vendor: Type.Optional(Type.String({ maxLength: 128 })),
    model: Type.Optional(Type.String({ maxLength: 128 })),
  },
  strict,
);
export type LearnBaseline = Static<typeof learnBaseline>;
