// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { PeError } from '../error.ts';
import type { PeFile } from '../read/pe-file.ts';
import { readSmallSection } from '../read/section-data.ts';

/** The first line of every .sbat. rhboot/shim, SBAT.md, "CSV format". */
const SBAT_LINE = 'sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md';

/** What ukify writes when no text is given. systemd 257, src/ukify/ukify.py, make_uki. */
export const UKI_SBAT = `${SBAT_LINE}
uki,1,UKI,uki,1,https://uapi-group.org/specifications/specs/unified_kernel_image/
`;
export const ADDON_SBAT = `${SBAT_LINE}
uki-addon,1,UKI Addon,addon,1,https://www.freedesktop.org/software/systemd/man/latest/systemd-stub.html
`;

/**
 * The text of a file's .sbat, without the NULs that end it; undefined when there is none.
 * @throws {PeError} 'sbat_malformed' when it is not UTF-8, 'limit'.
 */
export function readSbat(pe: PeFile): string | undefined {
  const bytes = readSmallSection(pe, '.sbat');
  if (bytes === undefined) return undefined;
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  try {
    return parseUtf8(bytes.subarray(0, end));
  } catch (cause) {
    if (!(cause instanceof TextError)) throw cause;
    throw new PeError('sbat_malformed', `${pe.source.label}: expected .sbat in UTF-8`, { cause });
  }
}

/**
 * One .sbat from several, so that a revocation of the stub, of the kernel or of the image applies: the components of all,
 * in order, under one first line, as ukify joins them (systemd 257, src/ukify/ukify.py, merge_sbat).
 * @throws {PeError} 'sbat_malformed' when a text does not begin with its 'sbat' line.
 */
export function mergeSbat(texts: readonly string[]): string {
  const components = texts.flatMap((text) => {
    const [first = '', ...lines] = text.split(/\r\n|\n|\r/);
    if (!first.startsWith('sbat,')) {
      throw new PeError('sbat_malformed', `expected SBAT that begins with 'sbat,', found '${first.slice(0, 40)}'`);
    }
    if (lines.at(-1) === '') lines.pop();
    return lines;
  });
  return `${[SBAT_LINE, ...components].join('\n')}\n\0`;
}
