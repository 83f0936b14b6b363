// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import { stubFilePath } from '@vouchsafe/disk';
import type { PeFile } from '@vouchsafe/pe';
import { embeddedArchives, type StubArchive, sidecarArchives } from './archives.ts';
import type { EspFolders } from './esp-folders.ts';
import { type SectionChoice, selectSections } from './selected-sections.ts';
import { stubOf } from './stub.ts';

/** A file that the stub puts beside the initrds, where the initrd's system finds it. */
export interface HandedFile {
  /** '/.extra/credentials/site.cred' */
  readonly path: string;
  readonly content: ByteSource;
}

/**
 * Every file that the UKI's stub hands on besides the initrds: credentials and extensions that lie around it on the ESP, and
 * sections of its own. The kernel unpacks them with the initrds. systemd-stub(7), "Initrd Resources".
 * @throws {MeasureError} 'stub_unknown', 'profile_unknown'. @throws {PeError}
 */
export function stubFiles(uki: PeFile, start: EspFolders & SectionChoice = {}): HandedFile[] {
  const stub = stubOf(uki);
  const archives: readonly StubArchive[] = [
    ...sidecarArchives(stub, start),
    ...embeddedArchives(uki, stub, selectSections(uki, stub, start)),
  ];
  return archives.flatMap(({ kind, files }) =>
    files.map(({ name, content }) => ({ path: stubFilePath(kind, name), content })),
  );
}
