// SPDX-License-Identifier: Apache-2.0
import type { StubArchiveKind, StubFile } from '@vouchsafe/disk';
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import { type ImageSectionHeader, type PeFile, sectionSource } from '@vouchsafe/pe';
import { type EspFolders, filesWith } from './esp-folders.ts';
import { archivePart, digestsOfPart, type InitrdPart } from './initrd-parts.ts';
import type { Release } from './stub.ts';

/** Files that the stub makes an archive of. */
export interface StubArchive {
  readonly kind: StubArchiveKind;
  readonly files: readonly StubFile[];
  readonly part: InitrdPart;
}

/** An archive that the stub makes of files on the ESP, and the PCR that it measures it into. */
export interface SidecarArchive extends StubArchive {
  readonly pcr: 12 | 13;
  readonly artefact: string;
}

/** Stubs before this one take every .raw for a system extension. */
const FIRST_WITH_CONFEXT = 256;

/**
 * Credentials, global credentials, system extensions and configuration extensions, in this order, those that there are.
 * systemd 252.39 and 254.26, src/boot/efi/stub.c, and 257.13, src/boot/stub.c (generate_sidecar_initrds), whose descriptions
 * of the events these are.
 */
export function sidecarArchives(stub: Release, folders: EspFolders): SidecarArchive[] {
  const { companions, loaderCredentials } = folders;
  const hasConfext = stub.major >= FIRST_WITH_CONFEXT;
  const raw = filesWith(companions, '.raw', hasConfext ? '.confext.raw' : undefined);
  const archives: [label: string, pcr: 12 | 13, kind: StubArchiveKind, files: readonly StubFile[]][] = [
    ['Credentials initrd', 12, 'credentials', filesWith(companions, '.cred')],
    ['Global credentials initrd', 12, 'global-credentials', filesWith(loaderCredentials, '.cred')],
    ['System extension initrd', 13, 'sysext', raw],
    ['Configuration extension initrd', 12, 'confext', hasConfext ? filesWith(companions, '.confext.raw') : []],
  ];
  return archives
    .filter(([, , , files]) => files.length > 0)
    .map(([label, pcr, kind, files]) => ({
      kind,
      files,
      part: archivePart(label, kind, files),
      pcr,
      artefact: files.map(({ content }) => content.label).join(' + '),
    }));
}

/** PCR 12 and 13: the archive whole. */
export function sidecarEvent(banks: readonly Bank[], { part, pcr, artefact }: SidecarArchive): PredictedEvent {
  return { pcr, description: part.label, origin: { artefact }, digests: digestsOfPart(banks, part) };
}

/** Sections that the stub hands on as files of their own, in the order of the initrd, and since which release. */
const EMBEDDED = [
  ['.pcrsig', 'tpm2-pcr-signature.json', 252],
  ['.pcrpkey', 'tpm2-pcr-public-key.pem', 252],
  ['.osrel', 'os-release', 257],
  ['.profile', 'profile', 257],
] as const;

/** Archives of the UKI's own sections: part of the initrd, but measured by no event of their own. As `sidecarArchives`. */
export function embeddedArchives(
  uki: PeFile,
  stub: Release,
  sections: ReadonlyMap<string, ImageSectionHeader>,
): StubArchive[] {
  return EMBEDDED.flatMap(([section, name, from]) => {
    const header = sections.get(section);
    if (header === undefined || stub.major < from) return [];
    const files = [{ name, content: sectionSource(uki, header) }];
    return [{ kind: 'boot', files, part: archivePart(section, 'boot', files) } as const];
  });
}
