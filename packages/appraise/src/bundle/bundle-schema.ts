// SPDX-License-Identifier: Apache-2.0
import { manifestSchema } from '@vouchsafe/manifest';
import Type, { type Static, type TSchema } from 'typebox';

const strict = { additionalProperties: false } as const;
const text = (maxLength: number) => Type.String({ maxLength });
const hex = (pattern = '^([0-9a-f]{2})*$') => Type.String({ pattern, maxLength: 1024 });
const sha256 = hex('^[0-9a-f]{64}$');
const timeMs = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
/** Octets in Base64 (RFC 4648, section 4). */
const octets = (maxBytes: number) => Type.String({ maxLength: Math.ceil(maxBytes / 3) * 4 });
const list = <T extends TSchema>(item: T, maxItems: number) => Type.Array(item, { maxItems });
const bank = Type.Enum(['sha1', 'sha256', 'sha384', 'sha512']);
const pcr = Type.Integer({ minimum: 0, maximum: 23 });

const MAX_LOG_BYTES = 64 * 1024 * 1024;

const identity = Type.Object(
  {
    isEkTrusted: Type.Boolean(),
    isPlatformTrusted: Type.Boolean(),
    joinedBy: Type.Enum(['token', 'inventory', 'approval', 'unknown']),
    tpmManufacturer: text(256),
    tpmModel: text(256),
    platformManufacturer: text(256),
    platformModel: text(256),
    labels: list(text(256), 64),
  },
  strict,
);

const life = Type.Union([
  Type.Object({ state: Type.Enum(['candidate', 'active']) }, strict),
  Type.Object({ state: Type.Literal('retiring'), untilMs: timeMs }, strict),
  Type.Object({ state: Type.Literal('revoked'), sinceMs: timeMs }, strict),
]);

const fileList = Type.Object(
  {
    of: text(128),
    files: list(
      Type.Object({ path: text(4096), sizeBytes: count, sha256, isExecutable: Type.Boolean() }, strict),
      1_000_000,
    ),
  },
  strict,
);

const baseline = Type.Object(
  {
    name: text(256),
    vendor: Type.Optional(text(256)),
    model: Type.Optional(text(256)),
    firmwareVersion: Type.Optional(text(256)),
    events: list(
      Type.Object(
        {
          pcr,
          description: text(1024),
          digests: Type.Record(text(32), list(hex(), 64)),
          isVariable: Type.Optional(Type.Boolean()),
        },
        strict,
      ),
      4096,
    ),
  },
  strict,
);

/** Evidence with all that it was, or may be, compared with: a file that can be appraised anywhere and at any time. */
export const bundleSchema = Type.Object(
  {
    format: Type.Object({ name: Type.Literal('vouchsafe-evidence'), major: Type.Literal(1) }, strict),
    /** When it was recorded, and appraised, if it was. */
    atMs: timeMs,
    evidence: Type.Object(
      {
        /** TPMS_ATTEST, exactly as signed. */
        attest: octets(4096),
        /** TPMT_SIGNATURE. */
        signature: octets(4096),
        pcrs: list(Type.Object({ bank, pcr, value: hex() }, strict), 512),
        logs: Type.Object(
          {
            firmware: octets(MAX_LOG_BYTES),
            userspace: Type.Optional(octets(MAX_LOG_BYTES)),
            /** The binary list from its beginning on. */
            ima: Type.Optional(octets(MAX_LOG_BYTES)),
            launch: Type.Optional(octets(MAX_LOG_BYTES)),
          },
          strict,
        ),
      },
      strict,
    ),
    expected: Type.Object(
      {
        /** SubjectPublicKeyInfo of the attestation key. */
        key: octets(4096),
        selection: list(Type.Object({ bank, pcrs: list(pcr, 24) }, strict), 4),
        nonce: octets(64),
      },
      strict,
    ),
    machine: Type.Optional(text(256)),
    identity,
    pinnedSystem: Type.Optional(Type.Object({ bank, value: hex() }, strict)),
    references: Type.Object(
      {
        images: list(
          Type.Object({ manifest: manifestSchema, life, fileLists: Type.Optional(list(fileList, 16)) }, strict),
          64,
        ),
        versionFloors: Type.Optional(Type.Record(text(128), text(128))),
        baselines: Type.Optional(list(baseline, 256)),
        launches: Type.Optional(list(baseline, 256)),
        revocations: Type.Optional(
          Type.Object(
            {
              programs: Type.Optional(list(sha256, 100_000)),
              sbatLevel: Type.Optional(text(32)),
              dbx: Type.Optional(list(sha256, 64)),
            },
            strict,
          ),
        ),
        deniedFiles: Type.Optional(list(sha256, 100_000)),
        allowedFiles: Type.Optional(list(sha256, 1_000_000)),
        imaKeys: Type.Optional(list(octets(4096), 8)),
        quirks: Type.Optional(
          list(Type.Enum(['exit_boot_services_unlogged', 'ima_sha1_padded', 'startup_locality_3_unlogged']), 3),
        ),
      },
      strict,
    ),
  },
  strict,
);

/** A bundle as JSON has it. */
export type BundleDocument = Static<typeof bundleSchema>;
