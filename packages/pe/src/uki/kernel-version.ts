// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readBytes } from '@vouchsafe/bytes';

/** Linux, Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header": "HdrS" at 0x202, kernel_version at 0x20e. */
const MAGIC_OFFSET = 0x202;
const MAGIC = [0x48, 0x64, 0x72, 0x53];
const VERSION_FIELD = 0x20e;
/** kernel_version counts from here. */
const VERSION_BASE = 0x200;
const HEADER_BYTES = 0x210;
const MAX_VERSION_BYTES = 256;

/**
 * The version that an x86 kernel names itself by, as `uname -r` prints it: the first word of the text that its setup header
 * points to. Undefined for a kernel of another architecture, whose version lies in what is compressed.
 */
export function kernelVersionOf(kernel: ByteSource): string | undefined {
  if (kernel.size < HEADER_BYTES) return undefined;
  const header = readBytes(kernel, 0, HEADER_BYTES);
  if (MAGIC.some((octet, i) => header[MAGIC_OFFSET + i] !== octet)) return undefined;
  const field = new DataView(header.buffer, header.byteOffset).getUint16(VERSION_FIELD, true);
  const at = VERSION_BASE + field;
  if (field === 0 || at >= kernel.size) return undefined;
  const octets = readBytes(kernel, at, Math.min(MAX_VERSION_BYTES, kernel.size - at));
  const text = String.fromCharCode(...octets);
  return /^([A-Za-z0-9._+~-]{1,64}) \(/.exec(text)?.[1];
}
