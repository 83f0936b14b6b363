// SPDX-License-Identifier: Apache-2.0
import type { DigestAlgorithm } from '@vouchsafe/crypto';
import { readSignatures } from '../authenticode/signature.ts';
import { PeError } from '../error.ts';
import type { Machine } from '../format/coff-header.ts';
import { NX_COMPAT } from '../format/optional-header.ts';
import type { PeFile } from '../read/pe-file.ts';
import { roleOf } from './check.ts';
import { describeSection, type SectionDescription } from './describe-section.ts';
import { describeSignature, type SignatureDescription } from './describe-signature.ts';
import { sectionsByProfile } from './profiles.ts';
import { readSbat } from './sbat.ts';
import type { SbatLevel } from './sbat-level.ts';
import { parseSbat, type SbatComponent } from './sbat-text.ts';
import { readShimSbatLevels } from './shim-sbat-levels.ts';
import { type StubVersion, stubVersionOf } from './stub-version.ts';

export interface DescribeOptions {
  /** Of sections; SHA-256 when left out. */
  readonly digests?: readonly DigestAlgorithm[];
  /**
   * Sections with more octets get no digests: hashing an initrd of 60 MiB costs more than all else here. 1 MiB when left
   * out; Infinity for all.
   */
  readonly maxHashedBytes?: number;
}

/** What a PE file is, and all that is in it, as plain data. Nothing in it is verified. */
export interface UkiDescription {
  readonly label: string;
  readonly sizeBytes: number;
  readonly format: PeFile['format'];
  readonly machine: Machine;
  /** 'uki' has a kernel, 'addon' and 'stub' say what they are in .sdmagic, all else is 'other'. */
  readonly kind: 'uki' | 'addon' | 'stub' | 'other';
  readonly stub: StubVersion | undefined;
  readonly isNxCompatible: boolean;
  /** Seconds since 1970, or anything in a reproducible file. */
  readonly timeDateStamp: number;
  readonly sectionAlignment: number;
  readonly fileAlignment: number;
  readonly checkSum: number;
  /** In the order of the table. */
  readonly sections: readonly SectionDescription[];
  /** In the order of the table; empty for an unsigned file. */
  readonly signatures: readonly SignatureDescription[];
  /** Undefined without .sbat, or when it cannot be read: then `sbatError` says why. */
  readonly sbat: readonly SbatComponent[] | undefined;
  readonly sbatError: string | undefined;
  /** Of a shim: what it enforces, by component, and what it can be told to. */
  readonly shimSbatLevels:
    | { readonly automatic: SbatLevelDescription; readonly latest: SbatLevelDescription }
    | undefined;
}

/** The least generation of each component; 'sbat' among them. */
export interface SbatLevelDescription {
  readonly datestamp: string | undefined;
  readonly generations: Readonly<Record<string, number>>;
}

/** 1 MiB: all that is text, and not the kernel. */
const DEFAULT_MAX_HASHED_BYTES = 1024 * 1024;

/**
 * Everything about a unified kernel image, addon, stub or other PE file. Reads headers, signatures and small sections;
 * large sections only as far as their digests are asked for.
 * @throws {PeError} 'certificate_table' and 'limit' when the certificate table cannot be read.
 */
export function describeUki(pe: PeFile, options: DescribeOptions = {}): UkiDescription {
  const { digests = ['sha256'], maxHashedBytes = DEFAULT_MAX_HASHED_BYTES } = options;
  const { fileHeader, optionalHeader } = pe;
  const stub = stubVersionOf(pe);
  const sections = sectionsByProfile(pe.sections).flatMap((group) =>
    group.sections.map((section) => describeSection(pe, section, group.profile, { digests, maxHashedBytes })),
  );
  return {
    label: pe.source.label,
    sizeBytes: pe.source.size,
    format: pe.format,
    machine: fileHeader.machine,
    kind: kindOf(pe, stub),
    stub,
    isNxCompatible: (optionalHeader.dllCharacteristics & NX_COMPAT) !== 0,
    timeDateStamp: fileHeader.timeDateStamp,
    sectionAlignment: optionalHeader.sectionAlignment,
    fileAlignment: optionalHeader.fileAlignment,
    checkSum: optionalHeader.checkSum,
    sections,
    signatures: readSignatures(pe).map(describeSignature),
    ...describeSbat(pe),
    shimSbatLevels: describeShim(pe),
  };
}

function kindOf(pe: PeFile, stub: StubVersion | undefined): UkiDescription['kind'] {
  if (roleOf(pe, stub) === 'addon') return 'addon';
  if (pe.sections.some(({ name }) => name === '.linux')) return 'uki';
  return stub?.product === 'systemd-stub' ? 'stub' : 'other';
}

function describeSbat(pe: PeFile): Pick<UkiDescription, 'sbat' | 'sbatError'> {
  try {
    const text = readSbat(pe);
    return { sbat: text === undefined ? undefined : parseSbat(text), sbatError: undefined };
  } catch (error) {
    if (!(error instanceof PeError)) throw error;
    return { sbat: undefined, sbatError: error.message };
  }
}

function describeShim(pe: PeFile): UkiDescription['shimSbatLevels'] {
  const plain = ({ datestamp, generations }: SbatLevel): SbatLevelDescription => ({
    datestamp,
    generations: Object.fromEntries(generations),
  });
  try {
    const levels = readShimSbatLevels(pe);
    return levels && { automatic: plain(levels.automatic), latest: plain(levels.latest) };
  } catch (error) {
    // What a shim cannot read either stops nothing; the section is shown as it is.
    if (!(error instanceof PeError)) throw error;
    return undefined;
  }
}
