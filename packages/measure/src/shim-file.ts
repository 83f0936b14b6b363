// SPDX-License-Identifier: Apache-2.0
import { concatBytes, parseUtf8, TextError } from '@vouchsafe/base';
import { readBytes } from '@vouchsafe/bytes';
import { decode, struct, u32le } from '@vouchsafe/codec';
import { encodeSignatureLists, longSectionName, type PeFile, sectionSource } from '@vouchsafe/pe';
import { MeasureError } from './error.ts';

/** GUID of shim's own variables. shim 16.1, lib/guid.c (SHIM_LOCK_GUID). */
export const SHIM_LOCK = '605dab50-e046-4300-abb6-3dd810dd8b23';

/** Releases whose measurements were looked at: what is measured changed with 16.0, and may again. */
const KNOWN_RELEASES: readonly string[] = ['16.1'];

const MAX_SECTION_BYTES = 1024 * 1024;

/** What of a shim decides what it measures. */
export interface ShimFile {
  readonly pe: PeFile;
  readonly version: string;
  /** Signature lists that shim puts in front of MokList: those built into it. */
  readonly vendorAuthorized: Uint8Array;
  /** The same of MokListX. */
  readonly vendorDenied: Uint8Array;
  /** SBAT revocations that it brings along and applies unless newer ones are there. */
  readonly sbatLevel: Uint8Array;
}

/** cert_table. shim 16.1, cert.S: sizes, then offsets from the table. */
const certTable = struct('cert_table', {
  vendorAuthorizedSize: u32le,
  vendorDeauthorizedSize: u32le,
  vendorAuthorizedOffset: u32le,
  vendorDeauthorizedOffset: u32le,
});
const CERT_TABLE_BYTES = 16;

/** sbat_var_payload_header, after a format version of 0. shim 16.1, sbat_var.S: offsets from the header. */
const sbatLevelHeader = struct('.sbatlevel', { version: u32le, automaticOffset: u32le, latestOffset: u32le });
const SBAT_LEVEL_HEADER_BYTES = 12;
const SBAT_LEVEL_BASE = 4;

/** The text that says which shim this is. shim 16.1, version.c.in. */
const VERSION = /\$Version: (\S{1,32}) \$/;

/** True when the file says that it is a shim. */
export function isShim(pe: PeFile): boolean {
  return versionOf(pe) !== undefined;
}

/**
 * Reads a shim. What it says of itself is as good as the signature on it, which firmware checks.
 * @throws {MeasureError} 'loader_unknown' for anything but a shim of a release that was looked at.
 */
export function openShim(pe: PeFile): ShimFile {
  const version = versionOf(pe);
  if (version === undefined || !KNOWN_RELEASES.includes(version)) {
    const message = `expected shim ${KNOWN_RELEASES.join(' or ')}, found ${version ?? 'another program'}, whose measurements are not known`;
    throw new MeasureError('loader_unknown', `${pe.source.label}: ${message}`);
  }
  const certificates = sectionOf(pe, '.vendor_cert');
  const table = decode(certTable, certificates.subarray(0, CERT_TABLE_BYTES));
  const part = (offset: number, size: number): Uint8Array =>
    requirePart(pe, '.vendor_cert', certificates, offset, size);
  const level = sectionOf(pe, '.sbatlevel');
  const { automaticOffset } = decode(sbatLevelHeader, level.subarray(0, SBAT_LEVEL_HEADER_BYTES));
  return {
    pe,
    version,
    vendorAuthorized: asLists(part(table.vendorAuthorizedOffset, table.vendorAuthorizedSize)),
    vendorDenied: part(table.vendorDeauthorizedOffset, table.vendorDeauthorizedSize),
    sbatLevel: textAt(pe, level, SBAT_LEVEL_BASE + automaticOffset),
  };
}

function versionOf(pe: PeFile): string | undefined {
  const section = pe.sections.find((candidate) => longSectionName(pe, candidate) === '.data.ident');
  if (section === undefined || section.virtualSize > MAX_SECTION_BYTES) return undefined;
  const octets = readBytes(sectionSource(pe, section), 0, section.virtualSize);
  try {
    const text = parseUtf8(octets);
    return text.startsWith('UEFI SHIM\n') ? VERSION.exec(text)?.[1] : undefined;
  } catch (error) {
    if (error instanceof TextError) return undefined;
    throw error;
  }
}

function sectionOf(pe: PeFile, name: string): Uint8Array {
  const section = pe.sections.find((candidate) => longSectionName(pe, candidate) === name);
  if (section === undefined || section.virtualSize > MAX_SECTION_BYTES) {
    const found = section === undefined ? 'none' : `one of ${section.virtualSize}`;
    const message = `${pe.source.label}: expected section ${name} of at most ${MAX_SECTION_BYTES} octets, found ${found}`;
    throw new MeasureError('loader_unknown', message);
  }
  return readBytes(sectionSource(pe, section), 0, section.virtualSize);
}

function requirePart(pe: PeFile, name: string, octets: Uint8Array, offset: number, size: number): Uint8Array {
  if (offset + size <= octets.length) return octets.subarray(offset, offset + size);
  const message = `${pe.source.label}: expected ${size} octets at ${offset} of ${name}, which has ${octets.length}`;
  throw new MeasureError('loader_unknown', message);
}

function textAt(pe: PeFile, octets: Uint8Array, offset: number): Uint8Array {
  const end = octets.indexOf(0, offset);
  if (offset < octets.length && end > offset) return octets.subarray(offset, end);
  throw new MeasureError(
    'loader_unknown',
    `${pe.source.label}: expected a text at ${offset} of .sbatlevel, found none`,
  );
}

/** One certificate is made a list of, with shim as its owner; lists are taken as they are. shim 16.1, mok.c (categorize_authorized). */
function asLists(octets: Uint8Array): Uint8Array {
  if (octets.length === 0 || octets[0] !== 0x30) return octets;
  return encodeSignatureLists([{ type: 'x509', signatures: [{ owner: SHIM_LOCK, data: octets }] }]);
}

/** What both together hold, in shim's order. shim 16.1, mok.c (mirror_one_mok_variable). */
export function mirrored(builtIn: Uint8Array, stored: Uint8Array | undefined): Uint8Array {
  return stored === undefined ? builtIn : concatBytes(builtIn, stored);
}
