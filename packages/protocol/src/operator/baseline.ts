// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { base64url, deviceId, sha256Hex, strict, timeMs } from '../fields.ts';
import { WIRE_LIMITS } from '../limits.ts';
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

/** Variants of a component, and components of a baseline. */
const MAX_PARTS = 32;
const text = Type.String({ minLength: 1, maxLength: 128 });

/**
 * `POST /v1/baselines/import`: a boot log at its word, or components of systemd-pcrlock; one of them. Nobody vouches for it but who
 * approves it.
 */
export const importBaseline = Type.Object(
  {
    name: text,
    vendor: Type.Optional(text),
    model: Type.Optional(text),
    firmwareVersion: Type.Optional(text),
    log: Type.Optional(base64url(WIRE_LIMITS.firmwareLogBytes, 1)),
    components: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: text,
            /** Any one of these is what was measured. */
            variants: Type.Array(base64url(WIRE_LIMITS.firmwareLogBytes), { minItems: 1, maxItems: MAX_PARTS }),
          },
          strict,
        ),
        { minItems: 1, maxItems: MAX_PARTS },
      ),
    ),
  },
  strict,
);
export type ImportBaseline = Static<typeof importBaseline>;
