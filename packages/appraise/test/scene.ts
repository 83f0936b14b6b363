// SPDX-License-Identifier: Apache-2.0
// A machine of the workshop: made boots, quoted with a key of the tests, and the references that its good boot fits.
import { createHash } from 'node:crypto';
import {
  type AppraisalInput,
  appraise,
  type BootState,
  type Evidence,
  type FirmwareBaseline,
  type ImageReference,
  type PreparedPolicy,
  preparePolicy,
  prepareReferences,
  type ReferenceSet,
  STRICT_POLICY,
  UNKNOWN_IDENTITY,
  type Verdict,
} from '@vouchsafe/appraise';
import { loadCedar } from '@vouchsafe/appraise/node';
import { toHex, utf8 } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import { uefiVariableData } from '@vouchsafe/eventlog';
import { type Bank, canonicalJson, type FileList, type Manifest, makeManifest } from '@vouchsafe/manifest';
import {
  BOOT,
  digestOfMade,
  event,
  expectationOf,
  logOf,
  type MadeEvent,
  type MadeQuote,
  pcrsAfter,
  predictionOf,
  quoteOver,
  selectionOf,
} from './support.ts';

export const NOW_MS = Date.UTC(2026, 10, 30);
export const sha256Hex = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const SECURITY = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f';

/** A variable as firmware measures it. */
export function variable(
  name: string,
  value: Uint8Array,
  type: MadeEvent['type'] = 'EV_EFI_VARIABLE_DRIVER_CONFIG',
): MadeEvent {
  const data = encode(uefiVariableData, {
    variableName: name === 'db' || name === 'dbx' ? SECURITY : GLOBAL,
    unicodeNameBytes: BigInt(2 * name.length),
    variableDataLength: BigInt(value.length),
    unicodeName: name,
    variableData: value,
    stray: new Uint8Array(),
  });
  return { pcr: 7, type, data };
}

export const SECURE_BOOT: readonly MadeEvent[] = [
  variable('SecureBoot', Uint8Array.of(1)),
  variable('PK', utf8('the platform key')),
  variable('KEK', utf8('the exchange key')),
  variable('db', utf8('the keys')),
  variable('dbx', utf8('the revocations')),
];

/** BOOT with variables that can be read. */
export const GOOD: readonly MadeEvent[] = BOOT.flatMap((made) =>
  made.pcr === 7 && made.type === 'EV_EFI_VARIABLE_DRIVER_CONFIG' ? SECURE_BOOT : [made],
);

export const IMAGE_PCRS = [4, 5, 7, 9, 11, 12, 13, 14];
const isImage = (pcr: number): boolean => IMAGE_PCRS.includes(pcr);

export interface MadeImage {
  readonly name?: string;
  readonly version?: string;
  readonly boot?: readonly MadeEvent[];
  readonly covers?: readonly number[];
  readonly life?: ImageReference['life'];
  readonly banks?: readonly Bank[];
  readonly phases?: readonly string[];
  readonly files?: FileList;
  readonly roots?: Manifest['roots'];
}

/** What would be known of an image that boots so. */
export function imageOf(made: MadeImage = {}): ImageReference {
  const {
    name = 'edge',
    version = '1.4.0',
    boot = GOOD,
    covers = IMAGE_PCRS,
    banks = ['sha256'],
    files,
    roots = [],
  } = made;
  const ofPhase = (path: string) =>
    path.split(':').map((word) => ({
      ...{ pcr: 11, description: `boot phase '${word}'`, origin: { artefact: 'systemd-pcrphase' } },
      digests: new Map(banks.map((bank) => [bank, digestOfMade(event(11, 'EV_IPL', word), bank)])),
    }));
  const events = predictionOf(boot, 'sha256', (pcr) => isImage(pcr)).map((predicted, i) => {
    const real = boot.filter(({ pcr, type }) => type !== 'EV_NO_ACTION' && isImage(pcr))[i] as MadeEvent;
    return {
      ...predicted,
      description: predicted.description.replace(/[^ -~]/g, '.').slice(0, 100) || 'a separator',
      digests: new Map(banks.map((bank) => [bank, digestOfMade(real, bank)])),
    };
  });
  const manifest = makeManifest({
    ...{ name, version, architecture: 'x86-64', artefacts: [], roots, banks },
    parts:
      files === undefined
        ? []
        : [
            {
              kind: 'files',
              of: files.of,
              format: 'vouchsafe-files-1',
              path: 'x',
              sizeBytes: 1,
              sha256: '00'.repeat(32),
            },
          ],
    boots: [
      {
        condition: { secureBoot: 'on', loader: 'none', profile: 0 },
        covers,
        events,
        phases: (made.phases ?? []).map((phase) => ({ phase, events: ofPhase(phase) })),
      },
    ],
  });
  return {
    manifest: { manifest, bytes: canonicalJson(manifest) },
    life: made.life ?? { state: 'active' },
    ...(files === undefined ? {} : { fileLists: [files] }),
  };
}

/** The firmware's part of a boot. */
export function baselineOf(
  boot: readonly MadeEvent[] = GOOD,
  banks: readonly Bank[] = ['sha256', 'sha384'],
): FirmwareBaseline {
  return {
    name: 'workshop firmware 1',
    firmwareVersion: 'firmware 1',
    events: boot
      .filter(({ pcr, type }) => type !== 'EV_NO_ACTION' && [0, 1, 2, 3, 6].includes(pcr))
      .map((made) => ({
        pcr: made.pcr,
        description: String(made.type),
        digests: Object.fromEntries(banks.map((bank) => [bank, [toHex(digestOfMade(made, bank))]])),
      })),
  };
}

export const REFERENCES: ReferenceSet = { images: [imageOf()], baselines: [baselineOf()] };

const cedar = loadCedar();
export const policyOf = (text: string, name = 'test'): PreparedPolicy => preparePolicy(cedar, name, text);
export const STRICT = policyOf(STRICT_POLICY, 'strict');

export interface Scene {
  /** What extended the TPM. */
  readonly extended?: readonly MadeEvent[];
  /** What the log says; the same unless given. */
  readonly logged?: readonly MadeEvent[];
  readonly references?: ReferenceSet;
  readonly quote?: MadeQuote;
  readonly logs?: Partial<Evidence['logs']>;
  readonly input?: Partial<AppraisalInput>;
  readonly previous?: BootState | undefined;
}

/** Evidence of a made boot. */
export function evidenceOf({ extended = GOOD, logged = extended, quote = {}, logs = {} }: Scene): Evidence {
  const bytes = logOf(logged);
  return {
    quote: quoteOver(selectionOf('sha256'), pcrsAfter(extended), quote),
    logs: { firmware: { sha256: sha256Hex(bytes), bytes }, ...logs },
  };
}

/** The verdict on a made boot; strict, and by the references that a good one fits. */
export function verdictOn(scene: Scene = {}): Verdict {
  return appraise({
    evidence: evidenceOf(scene),
    expected: expectationOf(),
    previous: scene.previous,
    identity: { ...UNKNOWN_IDENTITY, isEkTrusted: true, joinedBy: 'token' },
    references: prepareReferences(scene.references ?? REFERENCES),
    policy: STRICT,
    nowMs: NOW_MS,
    ...scene.input,
  });
}

/** The codes of the findings, each once, in order. */
export const codesOf = ({ findings }: Pick<Verdict, 'findings'>): string[] => [
  ...new Set(findings.map(({ code }) => code)),
];
