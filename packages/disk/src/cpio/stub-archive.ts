// SPDX-License-Identifier: Apache-2.0
import { type ByteSink, type ByteSource, MemorySink, memorySource } from '@vouchsafe/bytes';
import { DiskError } from '../error.ts';
import { FILE_TYPES } from '../file-mode.ts';
import { type CpioMember, writeCpio } from './write.ts';

/** Where systemd-stub puts the files of an archive, and with which modes. */
interface StubFolder {
  readonly path: string;
  readonly directoryMode: number;
  readonly fileMode: number;
}

/**
 * The archives that systemd-stub makes and hands to the kernel behind the initrd. systemd 257, src/boot/stub.c,
 * its calls of pack_cpio and pack_cpio_literal; 'boot' holds .pcrsig, .pcrpkey, .osrel and .profile.
 */
const STUB_FOLDERS = {
  credentials: { path: '.extra/credentials', directoryMode: 0o500, fileMode: 0o400 },
  'global-credentials': { path: '.extra/global_credentials', directoryMode: 0o500, fileMode: 0o400 },
  sysext: { path: '.extra/sysext', directoryMode: 0o555, fileMode: 0o444 },
  confext: { path: '.extra/confext', directoryMode: 0o555, fileMode: 0o444 },
  boot: { path: '.extra', directoryMode: 0o555, fileMode: 0o444 },
} as const satisfies Record<string, StubFolder>;

export type StubArchiveKind = keyof typeof STUB_FOLDERS;

export interface StubFile {
  /** The file's name on the ESP, without its folder. */
  readonly name: string;
  readonly content: ByteSource;
}

/** Where the system that runs in the initrd finds a file of such an archive. */
export function stubFilePath(kind: StubArchiveKind, name: string): string {
  return `/${STUB_FOLDERS[kind].path}/${name}`;
}

/** Parents of the folder that the files go into. systemd 257, src/boot/cpio.c, pack_cpio_prefix. */
const PARENT_MODE = 0o555;

/**
 * The archive that systemd-stub makes of these files, octet for octet: it is what PCR 12 or 13 is extended with, and a
 * part of the initrd that PCR 9 is.
 * @returns octets written; 0 for no files, for then the stub makes no archive.
 * @throws {DiskError} 'name_invalid' for a name that is not plain. @throws {BytesError}
 */
export function writeStubArchive(
  sink: ByteSink,
  kind: StubArchiveKind,
  files: readonly StubFile[],
  offset = 0,
): number {
  return files.length === 0 ? 0 : writeCpio(sink, stubMembers(kind, files), offset);
}

/** Octets that an archive in memory may have: the stub's own limit is the firmware's memory. */
const MAX_ENCODED_BYTES = 1024 * 1024 * 1024;

/** `writeStubArchive` into memory, for small files. @throws {DiskError} 'name_invalid'. @throws {BytesError} 'no_space'. */
export function encodeStubArchive(
  kind: StubArchiveKind,
  files: readonly { readonly name: string; readonly content: Uint8Array }[],
): Uint8Array {
  const sink = new MemorySink(MAX_ENCODED_BYTES, `${kind} archive`);
  writeStubArchive(
    sink,
    kind,
    files.map(({ name, content }) => ({ name, content: memorySource(content, name) })),
  );
  return sink.bytes();
}

function* stubMembers(kind: StubArchiveKind, files: readonly StubFile[]): Generator<CpioMember> {
  const { path, directoryMode, fileMode }: StubFolder = STUB_FOLDERS[kind];
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    yield { path: path.slice(0, slash), mode: FILE_TYPES.directory | PARENT_MODE };
  }
  yield { path, mode: FILE_TYPES.directory | directoryMode };
  for (const { name, content } of files.toSorted(byCodeUnits)) {
    if (name === '' || name === '.' || name === '..' || name.includes('/')) {
      throw new DiskError('name_invalid', `stub archive: expected a plain file name, found ${JSON.stringify(name)}`);
    }
    yield { path: `${path}/${name}`, mode: FILE_TYPES.file | fileMode, content };
  }
}

/** UEFI's file names are UTF-16, and the stub sorts them by unit (strcmp16), as < does here. */
function byCodeUnits(a: StubFile, b: StubFile): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
