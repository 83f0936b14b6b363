// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import { DiskError } from '../error.ts';
import type { TarMember } from './member.ts';
import { TarReader } from './tar-reader.ts';

export interface TarLimits {
  /** Members. */
  readonly maxEntries?: number;
  /** Octets of all contents together, holes counted: a header of a few octets can claim any size. */
  readonly maxContentBytes?: number;
}

export interface TarReadOptions extends TarLimits {
  /**
   * True for an archive that is known to be whole by other means, its digest: then it may end without blocks of zeros, as
   * layers of OCI images do that umoci has made.
   */
  readonly isKnownWhole?: boolean;
}

export const DEFAULT_MAX_TAR_ENTRIES = 2_000_000;
export const DEFAULT_MAX_CONTENT_BYTES = 64 * 2 ** 30;

/**
 * The members of a tar archive that is not compressed, in order: POSIX ustar and pax, GNU tar, and what was before them, with
 * long names, extended attributes and ACLs, and files with holes. A content is a part of the source, so that memory does not
 * depend on its size. POSIX.1-2017, pax; GNU tar 1.34 manual, "Tar Internals"; tar(5) of libarchive.
 * @throws {DiskError} 'tar_malformed', also for an archive without its end; 'tar_unsupported', 'path_escape', 'name_invalid',
 * 'limit'. @throws {BytesError}
 */
export function* readTar(source: ByteSource, options: TarReadOptions = {}): Generator<TarMember, void> {
  const {
    maxEntries = DEFAULT_MAX_TAR_ENTRIES,
    maxContentBytes = DEFAULT_MAX_CONTENT_BYTES,
    isKnownWhole = false,
  } = options;
  const reader = new TarReader(source, isKnownWhole);
  let count = 0;
  let contentBytes = 0;
  for (let member = reader.next(); member !== undefined; member = reader.next()) {
    if (member === 'none') continue;
    if (++count > maxEntries)
      throw new DiskError('limit', `${source.label}: tar archive: more than ${maxEntries} members`);
    if (member.entry.kind === 'file') contentBytes += member.entry.content.size;
    if (contentBytes > maxContentBytes) {
      throw new DiskError(
        'limit',
        `${source.label}: ${member.entry.path}: expected at most ${maxContentBytes} octets of content in all, found more`,
      );
    }
    yield member;
  }
}
