// SPDX-License-Identifier: Apache-2.0
import { parseUtf8 } from '@vouchsafe/base';
import {
  type Bank,
  type Manifest,
  type ManifestArtefact,
  type ManifestBudgets,
  type ManifestIma,
  type ManifestPart,
  type ManifestRoot,
  makeManifest,
} from '@vouchsafe/manifest';
import {
  type BootArtefacts,
  type BootCircumstances,
  MeasureError,
  predictBoot,
  SectionDigests,
} from '@vouchsafe/measure';
import {
  digestMeasuredByFirmware,
  type KernelParameter,
  parseKernelCommandLine,
  readSmallSection,
} from '@vouchsafe/pe';

export interface BootManifestRequest {
  readonly name: string;
  readonly version: string;
  readonly banks: readonly Bank[];
  readonly artefacts: BootArtefacts;
  /** Of all boots; whether Secure Boot is on is varied. */
  readonly circumstances: Omit<BootCircumstances, 'isSecureBootOn'>;
  /** What is handed out: the disk, the UKI. */
  readonly files: readonly ManifestArtefact[];
  /** `predictBoots` of the same, where it was done before; else it is done. */
  readonly predicted?: PredictedBoots;
  readonly parts?: readonly ManifestPart[];
  readonly budgets?: ManifestBudgets;
}

export interface BootManifest {
  readonly manifest: Manifest;
  /** What it says nothing of, and why. */
  readonly notes: readonly string[];
}

/** Names of architectures as systemd and the Discoverable Partitions Specification have them. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'x86-64',
  ia32: 'x86',
  arm64: 'arm64',
  armnt: 'arm',
  arm: 'arm',
  riscv64: 'riscv64',
  loongarch64: 'loongarch64',
};

/** What a boot comes to, with Secure Boot on, where it boots so, and off. */
export interface PredictedBoots {
  readonly boots: readonly ReturnType<typeof predictBoot>[];
  readonly notes: readonly string[];
}

/**
 * With Secure Boot on it may not boot at all, which is then noted: an image that is not signed, or not by the keys of the
 * variables that were given.
 * @throws {MeasureError} when it boots neither way, and as `predictBoot`.
 */
export function predictBoots({
  artefacts,
  circumstances,
  banks,
}: Pick<BootManifestRequest, 'artefacts' | 'circumstances' | 'banks'>): PredictedBoots {
  const notes: string[] = [];
  const { uki } = artefacts;
  const sectionDigests = new SectionDigests(banks, uki);
  let measured: ReadonlyMap<Bank, Uint8Array> | undefined;
  const ukiDigests = (): ReadonlyMap<Bank, Uint8Array> => {
    measured ??= new Map(banks.map((bank) => [bank, digestMeasuredByFirmware(uki, bank)]));
    return measured;
  };
  const boot = { ukiDigests, ...circumstances, sectionDigests };
  const boots = [true, false].flatMap((isSecureBootOn) => {
    try {
      return [predictBoot(banks, artefacts, { ...boot, isSecureBootOn })];
    } catch (error) {
      if (!(error instanceof MeasureError && error.code === 'not_started' && isSecureBootOn)) throw error;
      notes.push(`with Secure Boot on it does not boot: ${error.message}`);
      return [];
    }
  });
  const missing = boots[0]?.unpredicted.filter(({ why }) => why !== 'machine') ?? [];
  notes.push(...missing.map(({ pcr, reason }) => `PCR ${pcr} is not in the manifest: ${reason}`));
  return { boots, notes };
}

/**
 * The manifest of what is booted, with Secure Boot on and off.
 * @throws {MeasureError} as `predictBoots`. @throws {ManifestError}
 */
export function makeBootManifest(request: BootManifestRequest): BootManifest {
  const { artefacts, banks, name, version, files, parts = [], budgets = {} } = request;
  const { boots, notes } = request.predicted ?? predictBoots(request);
  const machine = String(artefacts.uki.fileHeader.machine);
  const parameters = parametersOf(artefacts);
  const manifest = makeManifest({
    name,
    version,
    architecture: ARCHITECTURES[machine] ?? machine,
    artefacts: files,
    roots: rootsOf(parameters),
    boots,
    parts,
    budgets,
    ima: imaOf(parameters),
    banks,
  });
  return { manifest, notes };
}

/** Of the UKI's own command line. */
function parametersOf({ uki }: BootArtefacts): readonly KernelParameter[] {
  const octets = readSmallSection(uki, '.cmdline');
  if (octets === undefined) return [];
  const end = octets.indexOf(0);
  return parseKernelCommandLine(parseUtf8(end < 0 ? octets : octets.subarray(0, end)));
}

const lastOf = (parameters: readonly KernelParameter[], key: string): string | undefined =>
  parameters.findLast(({ name }) => name === key)?.value;

/** What is under dm-verity: systemd-veritysetup-generator(8). */
function rootsOf(parameters: readonly KernelParameter[]): ManifestRoot[] {
  return [
    ['roothash', '/'],
    ['usrhash', '/usr'],
  ].flatMap(([key, mount]) => {
    const value = lastOf(parameters, key as string)?.toLowerCase();
    if (value === undefined || !/^([0-9a-f]{2}){20,64}$/.test(value)) return [];
    return [{ mount: mount as ManifestRoot['mount'], algorithm: algorithmOf(value), rootHash: value }];
  });
}

/** Linux, security/integrity/ima/ima_policy.c (policy_setup): names between bars, of every ima_policy= that is there. */
function imaOf(parameters: readonly KernelParameter[]): ManifestIma | undefined {
  const texts = parameters.flatMap(({ name, value }) => (name === 'ima_policy' ? [value ?? ''] : []));
  const policies = [...new Set(texts.flatMap((text) => text.split(/[ |\n]/)).filter((text) => text !== ''))];
  if (policies.length === 0) return undefined;
  const [template, hash] = [lastOf(parameters, 'ima_template'), lastOf(parameters, 'ima_hash')];
  return { policies, ...(template === undefined ? {} : { template }), ...(hash === undefined ? {} : { hash }) };
}

/** The command line names no algorithm; the superblock does. By the length it is what everybody uses. */
function algorithmOf(rootHash: string): string {
  return { 40: 'sha1', 64: 'sha256', 96: 'sha384', 128: 'sha512' }[rootHash.length] ?? 'unknown';
}
