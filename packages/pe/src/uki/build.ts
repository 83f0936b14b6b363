// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import { type ByteSink, type ByteSource, memorySource } from '@vouchsafe/bytes';
import { PeError } from '../error.ts';
import { isPe, openPe, type PeFile } from '../read/pe-file.ts';
import type { AppendLayout, NewSection } from './append-layout.ts';
import { type AppendOptions, appendSections } from './append-sections.ts';
import { joinInitrds } from './initrd.ts';
import { ADDON_SBAT, mergeSbat, readSbat, UKI_SBAT } from './sbat.ts';
import { UKI_SECTION_ORDER, type UkiSectionName } from './section-names.ts';

/** What goes into a unified kernel image, or an addon. Texts and small files are octets, as they are to be measured. */
export interface UkiContents {
  readonly linux?: ByteSource;
  /** In the order in which the kernel unpacks them. */
  readonly initrds?: readonly ByteSource[];
  readonly ucode?: ByteSource;
  readonly osrel?: Uint8Array;
  readonly cmdline?: Uint8Array;
  readonly dtb?: ByteSource;
  readonly dtbauto?: readonly ByteSource[];
  readonly hwids?: ByteSource;
  /** Of `efiFirmwareSection`; stubs of systemd 258 and later take the one that fits the machine. */
  readonly efifw?: readonly ByteSource[];
  readonly uname?: Uint8Array;
  readonly splash?: ByteSource;
  /** Public key in PEM of those who sign PCR policies. */
  readonly pcrpkey?: Uint8Array;
  /** SBAT texts to add to the stub's and the kernel's; ukify's own line when left out. */
  readonly sbat?: readonly string[];
  readonly profile?: Uint8Array;
  /** Signed PCR policies in JSON. */
  readonly pcrsig?: Uint8Array;
  /** Sections of other names, before .sbat as ukify has them. */
  readonly further?: readonly NewSection[];
  /** Sections of further profiles, each beginning with .profile, behind all others. */
  readonly profiles?: readonly (readonly NewSection[])[];
}

/** An addon needs one of these, or it would change nothing. systemd 257, src/ukify/ukify.py, check_inputs. */
export const ADDON_SECTIONS: readonly string[] = ['.cmdline', '.dtb', '.dtbauto', '.ucode', '.initrd', '.hwids'];

/**
 * Writes a unified kernel image, or an addon when there is no kernel: unsigned, the same bytes for the same input.
 * @throws {PeError} 'options_invalid', 'stub_unsuitable', 'sbat_malformed', 'limit'; as openPe for the kernel.
 */
export async function buildUki(
  stub: PeFile,
  contents: UkiContents,
  sink: ByteSink,
  options: AppendOptions = {},
): Promise<AppendLayout> {
  return appendSections(stub, ukiSections(stub, contents), sink, options);
}

/**
 * The sections to add to the stub, in ukify's order; empty ones are left out, as ukify does.
 * @throws {PeError} 'options_invalid', 'sbat_malformed'; as openPe for the kernel.
 */
export function ukiSections(stub: PeFile, contents: UkiContents): NewSection[] {
  const named = namedContents(stub, contents);
  const sections = UKI_SECTION_ORDER.flatMap((name) => {
    const own = (named.get(name) ?? []).filter(({ size }) => size > 0).map((content) => ({ name, content }));
    return name === '.sbat' ? [...(contents.further ?? []), ...own] : own;
  });
  if (contents.linux === undefined && !sections.some(({ name }) => ADDON_SECTIONS.includes(name))) {
    throw new PeError('options_invalid', `expected a kernel, or for an addon one of ${ADDON_SECTIONS.join(' ')}`);
  }
  for (const profile of contents.profiles ?? []) {
    if (profile[0]?.name !== '.profile') {
      throw new PeError('options_invalid', `expected a profile that begins with .profile, found ${profile[0]?.name}`);
    }
    sections.push(...profile);
  }
  return sections;
}

function namedContents(stub: PeFile, contents: UkiContents): Map<UkiSectionName, readonly ByteSource[]> {
  const { linux, initrds = [] } = contents;
  const one = (source: ByteSource | undefined): ByteSource[] => (source === undefined ? [] : [source]);
  const octets = (name: string, bytes: Uint8Array | undefined): ByteSource[] =>
    bytes === undefined ? [] : [memorySource(bytes, name)];
  return new Map<UkiSectionName, readonly ByteSource[]>([
    ['.osrel', octets('.osrel', contents.osrel)],
    ['.cmdline', octets('.cmdline', contents.cmdline)],
    ['.dtb', one(contents.dtb)],
    ['.dtbauto', contents.dtbauto ?? []],
    ['.hwids', one(contents.hwids)],
    ['.uname', octets('.uname', contents.uname)],
    ['.splash', one(contents.splash)],
    ['.pcrpkey', octets('.pcrpkey', contents.pcrpkey)],
    ['.linux', one(linux)],
    ['.initrd', one(joinInitrds(initrds))],
    ['.efifw', contents.efifw ?? []],
    ['.ucode', one(contents.ucode)],
    ['.sbat', octets('.sbat', utf8(mergedSbat(stub, contents)))],
    ['.profile', octets('.profile', contents.profile)],
    ['.pcrsig', octets('.pcrsig', contents.pcrsig)],
  ]);
}

/** The stub's and the kernel's SBAT with the caller's; an addon does not run its stub, so that one's is left out. */
function mergedSbat(stub: PeFile, { linux, sbat }: UkiContents): string {
  if (linux === undefined) return mergeSbat(sbat ?? [ADDON_SBAT]);
  const kernel = isPe(linux) ? [openPe(linux)] : [];
  const found = [stub, ...kernel].map(readSbat).filter((text) => text !== undefined);
  return mergeSbat([...found, ...(sbat ?? [UKI_SBAT])]);
}
