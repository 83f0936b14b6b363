// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import { type StubArchiveKind, type StubFile, writeStubArchive } from '@vouchsafe/disk';
import type { Bank } from '@vouchsafe/manifest';
import { DigestSink } from './digest-sink.ts';

/** A part of what the kernel unpacks: a section, or an archive that the stub makes. */
export interface InitrdPart {
  /** For people: '.initrd', 'Credentials initrd'. */
  readonly label: string;
  /** Writes the part at the sink's end. */
  write(sink: DigestSink): void;
  /** A sink that has had this part and nothing else, where it was hashed already. */
  readonly hashed?: () => DigestSink;
}

export function sourcePart(label: string, source: ByteSource, hashed?: () => DigestSink): InitrdPart {
  return { label, write: (sink) => sink.copy(source), ...(hashed === undefined ? {} : { hashed }) };
}

/** An archive of the stub, written anew whenever it is hashed: extensions can be large, and are not kept. */
export function archivePart(label: string, kind: StubArchiveKind, files: readonly StubFile[]): InitrdPart {
  return { label, write: (sink) => void writeStubArchive(sink, kind, files, sink.size) };
}

/** Digests of one part alone. */
export function digestsOfPart(banks: readonly Bank[], part: InitrdPart): Map<Bank, Uint8Array> {
  const sink = new DigestSink(banks);
  part.write(sink);
  return sink.digests();
}

/** The kernel looks for the next archive at multiples of 4 octets. Documentation/driver-api/early-userspace/buffer-format.rst. */
const ALIGNMENT = 4;

/**
 * What the stub hands to the kernel: one part alone as it is, several each padded to 4 octets. systemd 252,
 * src/boot/efi/stub.c (combine_initrd), and 257, src/boot/stub.c (combine_initrds).
 */
export function digestsOfInitrd(banks: readonly Bank[], parts: readonly InitrdPart[]): Map<Bank, Uint8Array> {
  // The first part is as large as all others together, and often a section that PCR 11 is extended with as well.
  const begun = parts[0]?.hashed?.();
  const sink = begun ?? new DigestSink(banks);
  for (const [i, part] of parts.entries()) {
    if (i > 0 || begun === undefined) part.write(sink);
    if (parts.length > 1) sink.fillTo(Math.ceil(sink.size / ALIGNMENT) * ALIGNMENT);
  }
  return sink.digests();
}
