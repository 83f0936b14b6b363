// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';

/** The form of manifests that this code writes. */
export const FORMAT_MAJOR = 1;
export const FORMAT_MINOR = 0;

/** What a manifest can have at most. */
export const LIMITS = {
  bytes: 4 * 1024 * 1024,
  events: 4096,
  boots: 64,
  phases: 32,
  artefacts: 256,
  parts: 64,
  roots: 8,
} as const;

const strict = { additionalProperties: false } as const;
const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const name = text(128);
const path = text(1024);
const size = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
/** PCRs of a boot; those from 16 on anybody may reset, or a dynamic launch does. */
const pcr = Type.Integer({ minimum: 0, maximum: 15 });
const hex = (octets: number) => Type.String({ pattern: `^[0-9a-f]{${2 * octets}}$` });
const bank = Type.Enum(['sha1', 'sha256', 'sha384', 'sha512']);
const DIGESTS = {
  sha1: Type.Optional(hex(20)),
  sha256: Type.Optional(hex(32)),
  sha384: Type.Optional(hex(48)),
  sha512: Type.Optional(hex(64)),
};
const digests = Type.Object(DIGESTS, { ...strict, minProperties: 1 });
const onOff = Type.Enum(['on', 'off']);

/** A file that the image is made of, as it is handed out. */
export const artefactSchema = Type.Object(
  {
    path,
    kind: Type.Enum([
      'disk',
      'partition',
      'uki',
      'addon',
      'loader',
      'kernel',
      'initrd',
      'root',
      'verity',
      'sysext',
      'confext',
      'other',
    ]),
    sizeBytes: size,
    sha256: hex(32),
  },
  strict,
);

/** A file system under dm-verity. */
export const rootSchema = Type.Object(
  {
    mount: Type.Enum(['/', '/usr']),
    algorithm: name,
    rootHash: Type.String({ pattern: '^([0-9a-f]{2}){20,64}$' }),
  },
  strict,
);

/** An extend that the image causes. */
export const eventSchema = Type.Object(
  {
    pcr,
    description: text(512),
    origin: Type.Object({ artefact: path, section: Type.Optional(text(16)), offset: Type.Optional(size) }, strict),
    digests,
  },
  strict,
);

/** What decides which events there are, beside the image. */
export const conditionSchema = Type.Object(
  {
    secureBoot: onOff,
    /** 'none' when firmware starts the UKI, else the boot loader and its version. */
    loader: name,
    /** Set when shim is started first. */
    shim: Type.Optional(name),
    /** Of the UKI. */
    profile: Type.Integer({ minimum: 0, maximum: 1024 }),
    /** Of the boot entry, when it stands in for the UKI's own. */
    commandLine: Type.Optional(Type.String({ maxLength: 65536 })),
  },
  strict,
);

const phaseSchema = Type.Object(
  {
    /** Boot phases gone through, joined by colons; empty when the kernel has just started. */
    phase: Type.String({ maxLength: 4096 }),
    /** By bank and PCR. */
    pcrs: Type.Object(
      Object.fromEntries(
        Object.entries(DIGESTS).map(([key, value]) => [
          key,
          Type.Optional(Type.Record(Type.String({ pattern: '^([0-9]|1[0-5])$' }), value)),
        ]),
      ),
      strict,
    ),
  },
  strict,
);

/** One way in which the image boots. */
export const bootSchema = Type.Object(
  {
    condition: conditionSchema,
    /**
     * PCRs of which every event is known. In others the events here occur among those of the machine.
     */
    covers: Type.Array(pcr, { maxItems: 16, uniqueItems: true }),
    /** Places in the table of events, in the order of the log. */
    events: Type.Array(Type.Integer({ minimum: 0, maximum: LIMITS.events - 1 }), { maxItems: LIMITS.events }),
    /** The first is the moment when the kernel has started. */
    phases: Type.Array(phaseSchema, { minItems: 1, maxItems: LIMITS.phases }),
  },
  strict,
);

/** Something beside the manifest that it names by its digest, so that it travels only to whom needs it. */
export const partSchema = Type.Object(
  {
    /** 'files': each file of a tree with its digest. 'packages': what is installed in it, in `format`. */
    kind: Type.Enum(['files', 'packages']),
    /** What it is of: 'initrd', 'root'. */
    of: name,
    /** 'vouchsafe-files-1', 'spdx-2.3+json', 'cyclonedx-1.6+json'. */
    format: name,
    path,
    sizeBytes: size,
    sha256: hex(32),
  },
  strict,
);

/** Most that the image may need. What is a size was kept when the image was built; the time only a boot can show. */
export const budgetSchema = Type.Object(
  {
    bootMs: Type.Optional(size),
    diskBytes: Type.Optional(size),
    rootBytes: Type.Optional(size),
    ukiBytes: Type.Optional(size),
    initrdBytes: Type.Optional(size),
  },
  strict,
);

/**
 * What the kernel's integrity measurement (IMA) is told by the image's command line, and so which files have an entry in its
 * list (PCR 10). Linux, Documentation/admin-guide/kernel-parameters.txt, ima_policy=, ima_template=, ima_hash=.
 */
export const imaSchema = Type.Object(
  {
    /** Built into the kernel: 'tcb', 'critical_data'. */
    policies: Type.Array(name, { minItems: 1, maxItems: 16, uniqueItems: true }),
    /** Form of the entries; the kernel's own unless given. */
    template: Type.Optional(name),
    /** Of files, in the entries; the kernel's own unless given. */
    hash: Type.Optional(name),
  },
  strict,
);

const MEMBERS = {
  format: Type.Object(
    {
      name: Type.Literal('vouchsafe-manifest'),
      major: Type.Integer({ minimum: 1, maximum: 65535 }),
      minor: Type.Integer({ minimum: 0, maximum: 65535 }),
      /** Members of a newer minor form that a reader must know to read the rest rightly. */
      critical: Type.Optional(Type.Array(name, { minItems: 1, maxItems: 64 })),
    },
    strict,
  ),
  name,
  version: name,
  architecture: name,
  artefacts: Type.Array(artefactSchema, { maxItems: LIMITS.artefacts }),
  roots: Type.Array(rootSchema, { maxItems: LIMITS.roots }),
  banks: Type.Array(bank, { minItems: 1, maxItems: 4, uniqueItems: true }),
  /** The table that boots refer to: most events are common to all of them. */
  events: Type.Array(eventSchema, { maxItems: LIMITS.events }),
  boots: Type.Array(bootSchema, { minItems: 1, maxItems: LIMITS.boots }),
  parts: Type.Array(partSchema, { maxItems: LIMITS.parts }),
  budgets: budgetSchema,
  /** Without it the image asks for no measurement of files. */
  ima: Type.Optional(imaSchema),
};

/** A manifest as JSON (JSON Schema 2020-12). */
export const manifestSchema = Type.Object(MEMBERS, strict);
/** The same where a newer minor form may have added members at the top. */
export const newerManifestSchema = Type.Object(MEMBERS, { additionalProperties: true });

/** What an image is and what it will put into PCRs. */
export type Manifest = Static<typeof manifestSchema>;
export type ManifestArtefact = Static<typeof artefactSchema>;
export type ManifestRoot = Static<typeof rootSchema>;
export type ManifestEvent = Static<typeof eventSchema>;
export type ManifestBoot = Static<typeof bootSchema>;
export type ManifestPart = Static<typeof partSchema>;
export type ManifestBudgets = Static<typeof budgetSchema>;
export type ManifestIma = Static<typeof imaSchema>;
/** Under which circumstances an image boots. */
export type BootCondition = Static<typeof conditionSchema>;
