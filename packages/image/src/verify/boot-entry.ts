// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { PeError, parseBootEntry } from '@vouchsafe/pe';
import { type BootFile, rootHashesIn } from './boot-file.ts';
import { diskFinding, type ImageFinding } from './findings.ts';

/** An entry of a boot loader; it is text that nobody signs. @throws {BytesError} */
export function checkEntry(
  source: ByteSource,
  path: string,
): { readonly file: BootFile; readonly findings: readonly ImageFinding[] } {
  const file: BootFile = { path, kind: 'entry', rootHashes: [], isSigned: false };
  try {
    const { options = [] } = parseBootEntry(parseUtf8(readBytes(source, 0, source.size)));
    return { file: { ...file, rootHashes: rootHashesIn(options.join(' ')) }, findings: [] };
  } catch (error) {
    if (!(error instanceof PeError || error instanceof TextError)) throw error;
    const where = { artefact: source.label };
    return {
      file,
      findings: [diskFinding('partition_unreadable', where, { actual: 'bls_malformed', hint: error.message })],
    };
  }
}
