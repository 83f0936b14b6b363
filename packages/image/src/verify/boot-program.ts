// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import {
  checkSecureBoot,
  checkSignatures,
  checkUkiFile,
  openPe,
  PeError,
  type PeFile,
  readSignatures,
  sectionSource,
  stubVersionOf,
} from '@vouchsafe/pe';
import { type Certificate, decodeCertificate, PkiError, VENDOR_DER } from '@vouchsafe/pki';
import { type BootFile, type BootOptions, rootHashesIn } from './boot-file.ts';
import type { ImageFinding } from './findings.ts';

/** A program on a volume: a UKI and an addon by all their rules, another by its signature. @throws {BytesError} */
export function checkProgram(
  source: ByteSource,
  path: string,
  { db, dbx }: BootOptions,
): { readonly file: BootFile; readonly findings: readonly ImageFinding[] } {
  const databases = db === undefined ? undefined : { db, ...(dbx === undefined ? {} : { dbx }) };
  const malformed = { path, kind: 'program', rootHashes: [], isSigned: false } as const;
  let pe: PeFile;
  try {
    pe = openPe(source);
  } catch (error) {
    if (!(error instanceof PeError)) throw error;
    return { file: malformed, findings: checkUkiFile(source) };
  }
  const kind = kindOf(pe);
  try {
    const secureBoot = databases === undefined ? undefined : checkSecureBoot(pe, databases);
    const file: BootFile = {
      path,
      kind,
      rootHashes: kind === 'program' ? [] : rootHashesOf(pe),
      isSigned: readSignatures(pe).length > 0,
      ...(secureBoot?.allowedBy === undefined
        ? {}
        : { allowedBy: secureBoot.anchor?.subject.text ?? secureBoot.allowedBy }),
    };
    const ofUki =
      kind === 'program' ? [] : checkUkiFile(source, databases === undefined ? {} : { secureBoot: databases });
    const ofSignature = secureBoot === undefined ? brokenSignatures(pe) : kind === 'program' ? secureBoot.findings : [];
    return { file, findings: [...ofUki, ...ofSignature] };
  } catch (error) {
    if (!(error instanceof PeError)) throw error;
    return { file: { ...malformed, kind }, findings: checkUkiFile(source) };
  }
}

function kindOf(pe: PeFile): BootFile['kind'] {
  if (pe.sections.some(({ name }) => name === '.linux')) return 'uki';
  return stubVersionOf(pe)?.product === 'systemd-addon' ? 'addon' : 'program';
}

/** Without anybody to trust: signatures that do not hold by the certificates that they carry. */
function brokenSignatures(pe: PeFile): readonly ImageFinding[] {
  if (readSignatures(pe).length === 0) return [];
  const { findings } = checkSignatures(pe, { trusted: carried(pe) });
  return findings.filter(({ code }) => code !== 'signer_unknown');
}

function carried(pe: PeFile): Certificate[] {
  const certificates: Certificate[] = [];
  for (const { signature } of readSignatures(pe)) {
    for (const der of signature?.signedData.certificates ?? []) {
      try {
        certificates.push(decodeCertificate(der, VENDOR_DER));
      } catch (error) {
        // Firmware passes over certificates that it cannot read, too.
        if (!(error instanceof PkiError)) throw error;
      }
    }
  }
  return certificates;
}

/** Larger ones no kernel takes. Linux, arch/x86/include/asm/setup.h, COMMAND_LINE_SIZE. */
const MAX_COMMAND_LINE_BYTES = 64 * 1024;

/** The root hashes in the command lines of all profiles. */
function rootHashesOf(pe: PeFile): readonly string[] {
  const texts = pe.sections
    .filter(({ name, virtualSize }) => name === '.cmdline' && virtualSize <= MAX_COMMAND_LINE_BYTES)
    .map((section) => Buffer.from(readBytes(sectionSource(pe, section), 0, section.virtualSize)).toString('latin1'));
  return [...new Set(texts.flatMap(rootHashesIn))];
}
