// SPDX-License-Identifier: Apache-2.0
import type { Bank } from '@vouchsafe/manifest';
import { type ImageSectionHeader, type PeFile, sectionSource } from '@vouchsafe/pe';
import { DigestSink } from './digest-sink.ts';

/** Sections of one file, each hashed once however often it is measured, when it is first asked for. */
export class SectionDigests {
  readonly #banks: readonly Bank[];
  readonly #pe: PeFile;
  readonly #sinks = new Map<ImageSectionHeader, DigestSink>();

  constructor(banks: readonly Bank[], pe: PeFile) {
    this.#banks = banks;
    this.#pe = pe;
  }

  /** A sink that has had the section's content, as it lies in memory, and nothing else. */
  sinkOf(section: ImageSectionHeader): DigestSink {
    let sink = this.#sinks.get(section);
    if (sink === undefined) {
      sink = new DigestSink(this.#banks);
      sink.copy(sectionSource(this.#pe, section));
      this.#sinks.set(section, sink);
    }
    return sink.fork();
  }
}
