// SPDX-License-Identifier: Apache-2.0
import { checkSecureBoot, type SecureBootDatabases } from '../authenticode/check-secure-boot.ts';
import { readSignatures } from '../authenticode/signature.ts';
import { PeError } from '../error.ts';
import { NX_COMPAT } from '../format/optional-header.ts';
import type { ImageSectionHeader } from '../format/section-header.ts';
import { openPe, type PeFile } from '../read/pe-file.ts';
import { sectionSource } from '../read/section-data.ts';
import type { StubVersion } from './stub-version.ts';
import { finding, type UkiFinding } from './uki-finding.ts';

/**
 * A stub that loads the kernel itself; 257 still calls LoadImage and vouches for the kernel through a hook. What lies
 * between is taken for the older kind.
 */
const FIRST_OWN_LOADER = 262;
/** A stub of this version on has the hook (systemd 252, src/boot/efi/secure-boot.c, install_security_override). */
const FIRST_OVERRIDE = 252;

export interface KernelContext {
  readonly secureBoot?: SecureBootDatabases;
  /** True where stub or firmware ask for a kernel that firmware loads by itself. */
  readonly isKernelSignatureRequired?: boolean;
}

/**
 * The kernel in .linux: whether it is one that this stub can start, and whether firmware has to trust it by itself. With
 * Secure Boot on, stubs from 252 to 261 hand it to LoadImage and vouch for it with a hook into firmware's security
 * protocols; firmware that has none there, and older stubs under a shim, check it like any other file.
 */
export function checkKernel(
  pe: PeFile,
  section: ImageSectionHeader,
  stub: StubVersion | undefined,
  context: KernelContext,
): UkiFinding[] {
  const where = { artefact: pe.source.label, path: '.linux', offset: section.pointerToRawData };
  let kernel: PeFile;
  try {
    kernel = openPe(sectionSource(pe, section));
  } catch (error) {
    if (!(error instanceof PeError)) throw error;
    const hint = `the stub cannot start it: ${error.message}; give a kernel with EFI stub (CONFIG_EFI_STUB)`;
    return [finding('kernel_malformed', 'error', where, { expected: 'a kernel that is a PE file', hint })];
  }
  return [...checkMachine(pe, kernel, where), ...checkNx(pe, kernel), ...checkTrust(kernel, stub, context, where)];
}

function checkMachine(pe: PeFile, kernel: PeFile, where: UkiFinding['where']): UkiFinding[] {
  const [ours, its] = [pe.fileHeader.machine, kernel.fileHeader.machine];
  // Mixed mode: 32-bit firmware, 64-bit kernel with an entry point for both. Linux, Documentation/arch/x86/boot.rst.
  if (ours === its || (ours === 'ia32' && its === 'x64')) return [];
  const words = {
    expected: `a kernel for ${ours}`,
    actual: `${its}`,
    hint: 'the stub cannot start it; use the stub of its machine',
  };
  return [finding('kernel_machine', 'error', where, words)];
}

/** PE Format, "DLL Characteristics". The image answers for the kernel, as firmware looks at the image alone. */
function checkNx(pe: PeFile, kernel: PeFile): UkiFinding[] {
  const where = { artefact: pe.source.label, path: 'DllCharacteristics' };
  const [image, inner] = [pe, kernel].map(
    ({ optionalHeader }) => (optionalHeader.dllCharacteristics & NX_COMPAT) !== 0,
  );
  if (image === true) {
    if (inner === true) return [];
    const hint =
      'firmware that protects memory may stop the machine when the kernel starts; build the image without NX_COMPAT';
    return [finding('nx_untrue', 'warning', where, { expected: 'a kernel with NX_COMPAT', actual: 'none', hint })];
  }
  const hint =
    inner === true
      ? 'the kernel has it, the stub has not; use a stub with NX_COMPAT (systemd 254 or later)'
      : 'firmware that asks for it does not load the image; the kernel has none either';
  return [finding('nx_missing', 'warning', where, { expected: 'NX_COMPAT', actual: 'none', hint })];
}

function checkTrust(
  kernel: PeFile,
  stub: StubVersion | undefined,
  { secureBoot, isKernelSignatureRequired = false }: KernelContext,
  where: UkiFinding['where'],
): UkiFinding[] {
  if (!isKernelSignatureRequired && stub !== undefined && stub.major >= FIRST_OWN_LOADER) return [];
  const problem = trustProblem(kernel, secureBoot);
  if (problem === undefined) return [];
  const vouches = stub !== undefined && stub.major >= FIRST_OVERRIDE;
  const severity = isKernelSignatureRequired ? 'error' : vouches ? 'info' : 'warning';
  const hint = vouches
    ? 'this stub vouches for it by a hook into firmware; where firmware has no place for one, sign the kernel before the image is built'
    : 'nothing says that this stub vouches for it; sign the kernel before the image is built';
  return [
    finding('kernel_unsigned', severity, where, { expected: 'a kernel that firmware trusts', actual: problem, hint }),
  ];
}

function trustProblem(kernel: PeFile, secureBoot: SecureBootDatabases | undefined): string | undefined {
  try {
    if (secureBoot === undefined) return readSignatures(kernel).length > 0 ? undefined : 'no signature';
    const { isAllowed, findings } = checkSecureBoot(kernel, secureBoot);
    return isAllowed ? undefined : findings.map(({ code }) => code).join(', ');
  } catch (error) {
    if (error instanceof PeError) return error.message;
    throw error;
  }
}
