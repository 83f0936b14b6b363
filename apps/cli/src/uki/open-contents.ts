// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { parseUtf8, utf8 } from '@vouchsafe/base';
import { type ByteSource, BytesError, memorySource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import {
  kernelVersionOf,
  type Machine,
  type NewSection,
  openPe,
  type PeFile,
  sectionSource,
  type UkiContents,
} from '@vouchsafe/pe';
import { readSmallFile, textOrFile } from '../parse.ts';
import { UsageError } from '../usage-error.ts';
import type { SecureBootOptions } from './build-options.ts';
import type { ContentOptions, EfiArch } from './content-options.ts';
import { openFirmware, readHwids } from './hardware-sections.ts';

/** Where systemd installs its stubs. */
const STUB_FOLDER = '/usr/lib/systemd/boot/efi';

const MACHINES: Readonly<Record<EfiArch, readonly Machine[]>> = {
  x64: ['x64'],
  aa64: ['arm64'],
  ia32: ['ia32'],
  arm: ['arm', 'armnt'],
  riscv64: ['riscv64'],
  loongarch64: ['loongarch64'],
};

const NODE_ARCHES: Readonly<Record<string, EfiArch>> = {
  x64: 'x64',
  arm64: 'aa64',
  ia32: 'ia32',
  arm: 'arm',
  riscv64: 'riscv64',
  loong64: 'loongarch64',
};

/**
 * The stub that is named, or this system's.
 * @throws {UsageError} for a stub of another architecture than was asked for; as openPe.
 * @throws {BytesError} 'not_found' and the others of FileSource.
 */
export function openStub(
  options: Pick<ContentOptions, 'stub' | 'efiArch'>,
  kind: 'linux' | 'addon',
  files: DisposableStack,
): PeFile {
  const { efiArch } = options;
  const path = options.stub ?? `${STUB_FOLDER}/${kind}${efiArch ?? NODE_ARCHES[process.arch] ?? 'x64'}.efi.stub`;
  if (options.stub === undefined && !existsSync(path)) {
    const since = kind === 'addon' ? ' 254 or later' : '';
    const next = `name a stub with --stub, or install that of systemd${since} (Debian: systemd-boot-efi)`;
    throw new BytesError('not_found', `${path}: this system has no such stub; ${next}`);
  }
  const stub = openPe(files.use(FileSource.open(path)));
  const { machine } = stub.fileHeader;
  if (efiArch !== undefined && !MACHINES[efiArch].includes(machine)) {
    throw new UsageError(`${path}: expected a stub for ${efiArch}, found one for ${machine}`);
  }
  return stub;
}

/** The first profile, where there are further ones and it is not named. systemd 257, src/ukify/ukify.py, finalize_options. */
const MAIN_PROFILE = 'ID=main';

/** The files that options name, so that no output takes the place of one. */
export function inputPaths(options: ContentOptions & SecureBootOptions): (string | undefined)[] {
  const { linux, initrd = [], microcode, splash, devicetree, devicetreeAuto = [], pcrpkey, joinProfile = [] } = options;
  const { stub, securebootPrivateKey, securebootCertificate, passphraseFile } = options;
  const texts = [options.cmdline, options.osRelease, options.profile, ...(options.sbat ?? [])];
  const sections = (options.section ?? []).map(({ content }) => content);
  return [
    ...[linux, microcode, splash, devicetree, pcrpkey, stub, securebootPrivateKey, securebootCertificate],
    ...[passphraseFile, ...initrd, ...devicetreeAuto, ...joinProfile],
    ...[...texts, ...sections].map((text) => (text?.startsWith('@') ? text.slice(1) : undefined)),
  ];
}

/** Opens all files of an image; large ones are read while it is written. */
export function openContents(options: ContentOptions, files: DisposableStack): UkiContents {
  const open = (path: string): ByteSource => files.use(FileSource.open(path));
  const { linux, initrd, microcode, cmdline, uname, osRelease, splash, devicetree, devicetreeAuto } = options;
  const { sbat, pcrpkey, profile, section, joinProfile, hwids, efifw } = options;
  const kernel = linux === undefined ? undefined : open(linux);
  const version = uname ?? (kernel === undefined ? undefined : kernelVersionOf(kernel));
  return {
    ...(kernel === undefined ? {} : { linux: kernel }),
    ...(initrd === undefined ? {} : { initrds: initrd.map(open) }),
    ...(microcode === undefined ? {} : { ucode: open(microcode) }),
    ...(cmdline === undefined ? {} : { cmdline: commandLine(cmdline) }),
    ...(version === undefined ? {} : { uname: utf8(version) }),
    ...(hwids === undefined ? {} : { hwids: readHwids(hwids) }),
    ...(efifw === undefined ? {} : { efifw: efifw.map((folder) => openFirmware(folder, open)) }),
    ...(osRelease === undefined ? {} : { osrel: textOrFile(osRelease) }),
    ...(splash === undefined ? {} : { splash: open(splash) }),
    ...(devicetree === undefined ? {} : { dtb: open(devicetree) }),
    ...(devicetreeAuto === undefined ? {} : { dtbauto: devicetreeAuto.map(open) }),
    ...(sbat === undefined ? {} : { sbat: sbat.map((text) => parseUtf8(textOrFile(text))) }),
    ...(pcrpkey === undefined ? {} : { pcrpkey: readSmallFile(pcrpkey) }),
    ...(profile === undefined && joinProfile === undefined ? {} : { profile: textOrFile(profile ?? MAIN_PROFILE) }),
    ...(section === undefined
      ? {}
      : { further: section.map(({ name, content }) => ({ name, content: sectionContent(name, content, open) })) }),
    ...(joinProfile === undefined ? {} : { profiles: joinProfile.map((path) => profileSections(openPe(open(path)))) }),
  };
}

/** White space that a shell's quoting left in means nothing; a file is taken as it is. Both as ukify does. */
function commandLine(text: string): Uint8Array {
  return text.startsWith('@') ? textOrFile(text) : utf8(text.split(/\s+/).filter(Boolean).join(' '));
}

function sectionContent(name: string, content: string, open: (path: string) => ByteSource): ByteSource {
  return content.startsWith('@') ? open(content.slice(1)) : memorySource(utf8(content), name);
}

/** What an image brings as a further profile: .profile first, then the others. UAPI.5 Unified Kernel Image, "UKI profiles". */
function profileSections(image: PeFile): NewSection[] {
  const profiles = image.sections.filter(({ name }) => name === '.profile').length;
  if (profiles !== 1) {
    const problem = `expected an image with one section .profile, found ${profiles}; build it with --profile`;
    throw new UsageError(`${image.source.label}: ${problem}`);
  }
  const own = image.sections.filter(({ name }) => PROFILE_SECTIONS.includes(name));
  const ordered = [...own.filter(({ name }) => name === '.profile'), ...own.filter(({ name }) => name !== '.profile')];
  return ordered.map((section) => ({ name: section.name, content: sectionSource(image, section) }));
}

/** What a further profile may bring. systemd 257, src/ukify/ukify.py, make_uki. */
const PROFILE_SECTIONS: readonly string[] = [
  '.profile',
  '.linux',
  '.osrel',
  '.cmdline',
  '.initrd',
  '.ucode',
  '.splash',
  '.dtb',
  '.dtbauto',
  '.efifw',
  '.hwids',
  '.uname',
  '.pcrpkey',
];
