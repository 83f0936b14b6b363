// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import type { KeySource } from '@vouchsafe/pki';
import { checkSecureBoot, type SecureBootDatabases } from '../authenticode/check-secure-boot.ts';
import { readSignatures } from '../authenticode/signature.ts';
import { PeError } from '../error.ts';
import { MAX_SIGNED_PROFILES } from '../limits.ts';
import { checkLayout, type LayoutFindingCode } from '../read/check-layout.ts';
import { openPe, type PeFile } from '../read/pe-file.ts';
import { checkKernel } from './check-kernel.ts';
import { checkPcrSignatures } from './check-pcr-signature.ts';
import { checkSections } from './check-sections.ts';
import { sectionsByProfile } from './profiles.ts';
import { checkSbat, type SbatLevel } from './sbat-level.ts';
import { type StubVersion, stubVersionOf } from './stub-version.ts';
import { finding, type UkiFinding } from './uki-finding.ts';

/** Where the image is to boot; what is left out is not checked. */
export interface UkiContext {
  /** What firmware holds, with Secure Boot on. Left out, only whether the image is signed at all is told. */
  readonly secureBoot?: SecureBootDatabases;
  /** The level that shim enforces. Left out, as without a shim, SBAT is not checked. */
  readonly sbatLevel?: SbatLevel;
  /** A later level, which an administrator may set: what it would stop is told as a warning. */
  readonly laterSbatLevel?: SbatLevel;
  /** Which of the two it should be; by what the stub says it is when left out. */
  readonly role?: 'uki' | 'addon';
  /** True where stub or firmware ask for a kernel that firmware trusts by itself. */
  readonly isKernelSignatureRequired?: boolean;
  readonly keys?: KeySource;
}

/**
 * Whether a unified kernel image, or an addon, would boot, and why not: an error for everything that stops it, a warning
 * for what stops it somewhere or lets it be tampered with. UAPI.5, systemd-stub(7). No error is: it boots, as far as can
 * be told without running it.
 * @throws {PeError} 'limit' where the certificate table has too many entries, 'certificate_table' where it lies.
 */
export function checkUki(pe: PeFile, context: UkiContext = {}): UkiFinding[] {
  const stub = stubVersionOf(pe);
  const isAddon = (context.role ?? roleOf(pe, stub)) === 'addon';
  const linux = pe.sections.find(({ name }) => name === '.linux');
  const findings: UkiFinding[] = [...checkHeaders(pe, stub), ...checkLayout(pe).map(softened)];
  findings.push(...checkSignature(pe, context));
  findings.push(...checkSbatSection(pe, context));
  findings.push(...checkSections(pe, { stub, isAddon }));
  if (linux !== undefined && !isAddon) findings.push(...checkKernel(pe, linux, stub, context));
  findings.push(...checkPolicies(pe, context.keys));
  return findings;
}

/**
 * The same from the file: one that cannot be read, as where a section lies beyond its end, is a finding as well.
 * @throws {BytesError} when the source cannot be read.
 */
export function checkUkiFile(source: ByteSource, context: UkiContext = {}): UkiFinding[] {
  try {
    return checkUki(openPe(source), context);
  } catch (error) {
    if (!(error instanceof PeError)) throw error;
    const where = { artefact: source.label, ...(error.offset === undefined ? {} : { offset: error.offset }) };
    const hint = `firmware does not load it (${error.code}): ${error.message}`;
    return [finding('file_malformed', 'error', where, { expected: 'a PE file that firmware loads', hint })];
  }
}

/** What a file is: an addon by its stub's own word, or when it has no kernel but something to add. */
export function roleOf(pe: PeFile, stub: StubVersion | undefined = stubVersionOf(pe)): 'uki' | 'addon' {
  return stub?.product === 'systemd-addon' ? 'addon' : 'uki';
}

function checkHeaders(pe: PeFile, stub: StubVersion | undefined): UkiFinding[] {
  const findings: UkiFinding[] = [];
  const artefact = pe.source.label;
  if (pe.optionalHeader.subsystem !== EFI_APPLICATION) {
    const words = {
      expected: `${EFI_APPLICATION}`,
      actual: `${pe.optionalHeader.subsystem}`,
      hint: 'firmware starts EFI applications only',
    };
    findings.push(finding('not_efi_application', 'error', { artefact, path: 'Subsystem' }, words));
  }
  if (stub === undefined) {
    const hint =
      'what is measured and how the kernel is started depend on the stub, and this one does not say which it is';
    const words = { expected: 'a stub of systemd with .sdmagic', actual: 'none', hint };
    findings.push(finding('stub_unknown', 'warning', { artefact, path: '.sdmagic' }, words));
  }
  return findings;
}

/** IMAGE_SUBSYSTEM_EFI_APPLICATION. PE Format, "Windows Subsystem". */
const EFI_APPLICATION = 10;

function checkSignature(pe: PeFile, { secureBoot, keys }: UkiContext): UkiFinding[] {
  if (secureBoot !== undefined) return [...checkSecureBoot(pe, secureBoot, keys).findings];
  if (readSignatures(pe).length > 0) return [];
  const hint = 'it boots with Secure Boot off only; sign it';
  const words = { expected: 'a signature', actual: 'none', hint };
  return [finding('unsigned', 'warning', { artefact: pe.source.label }, words)];
}

/**
 * ukify writes the merged .sbat of a stub before 254 over .sdmagic, which follows it. Such images boot, as nothing reads
 * .sdmagic then; any other overlap overwrites what is executed or handed on.
 */
function softened(found: Finding<LayoutFindingCode>): UkiFinding {
  if (found.code !== 'sections_overlap' || found.where.path !== '.sdmagic') return found;
  return { ...found, severity: 'warning' };
}

/** Without a shim nobody looks at .sbat, so that it is missing is a warning then. */
function checkSbatSection(pe: PeFile, { sbatLevel, laterSbatLevel }: UkiContext): UkiFinding[] {
  const found = checkSbat(pe, sbatLevel ?? NO_REVOCATIONS).map((one): UkiFinding => {
    return sbatLevel === undefined ? { ...one, severity: 'warning' } : one;
  });
  if (laterSbatLevel === undefined) return found;
  const stopped = new Set(found.map(({ code, actual }) => `${code} ${actual}`));
  const later = checkSbat(pe, laterSbatLevel).filter(({ code, actual }) => !stopped.has(`${code} ${actual}`));
  return [
    ...found,
    ...later.map((one): UkiFinding => {
      const hint = 'shim does not load the image once its latest level is set (mokutil --set-sbat-policy latest)';
      return { ...one, severity: 'warning', hint };
    }),
  ];
}

const NO_REVOCATIONS: SbatLevel = { datestamp: undefined, generations: new Map() };

/** Each profile's signatures with the key that it has or shares; the base's where the profiles have none. */
function checkPolicies(pe: PeFile, keys: KeySource | undefined): UkiFinding[] {
  const [base, ...profiles] = sectionsByProfile(pe.sections).map(({ sections }) => sections);
  const signed = profiles.filter((sections) => sections.some(({ name }) => name === '.pcrsig' || name === '.pcrpkey'));
  const groups = signed.length === 0 ? [base ?? []] : signed.map((sections) => [...sections, ...(base ?? [])]);
  const findings = groups.slice(0, MAX_SIGNED_PROFILES).flatMap((sections) => checkPcrSignatures(pe, sections, keys));
  if (groups.length > MAX_SIGNED_PROFILES) {
    const hint = 'the PCR signatures of the profiles after that were not checked';
    const words = {
      expected: `at most ${MAX_SIGNED_PROFILES} profiles with .pcrsig`,
      actual: `${groups.length}`,
      hint,
    };
    findings.push(finding('pcrsig_unusable', 'warning', { artefact: pe.source.label, path: '.pcrsig' }, words));
  }
  return findings;
}
