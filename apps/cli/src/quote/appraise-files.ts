// SPDX-License-Identifier: Apache-2.0
import { appraiseBoot, type BootVerdict, explainLog, type LogExplanation } from '@vouchsafe/appraise';
import { type Bank, type BootCondition, predictedEventsOf } from '@vouchsafe/manifest';
import type { QuoteEvidence, QuoteExpectation } from '@vouchsafe/tpm';
import { readLog } from '../log/read-log.ts';
import type { ReadManifest } from '../manifest-file.ts';
import { UsageError } from '../usage-error.ts';

/** What a quote is laid beside. */
export interface AppraisalFiles {
  readonly manifests: readonly ReadManifest[];
  readonly condition: Partial<BootCondition>;
  /** In the order of the boot; one is the firmware's. */
  readonly logs: readonly string[];
}

/** The verdict on files, and the image that it was reached by. */
export interface FileVerdict {
  readonly verdict: BootVerdict;
  readonly bank: Bank;
  /** Why each event is there; nothing is decided by it. */
  readonly explained: LogExplanation;
  readonly manifest: ReadManifest;
}

/** The first of these that is quoted is appraised. */
const PREFERENCE: readonly Bank[] = ['sha256', 'sha384', 'sha512', 'sha1'];

/**
 * Appraises a quote by the manifest that the logs fit best, of those given: were it the wrong one, events would be left over.
 * @throws {UsageError} when no log is the firmware's. @throws {EventLogError} {AppraiseError} {ManifestError} for logs and
 * manifests that cannot be read, or have no bank in common
 */
export function appraiseFiles(
  quote: QuoteEvidence,
  expected: QuoteExpectation,
  { manifests, condition, logs }: AppraisalFiles,
  note: (text: string) => void,
): FileVerdict {
  const read = logs.map((path) => readLog(path, [], note));
  const firmware = read.filter(({ log }) => log.kind === 'tcg');
  const [first] = firmware;
  if (first === undefined || firmware.length > 1) {
    throw new UsageError(`--manifest needs the firmware's log, once, as --log; found ${firmware.length}`);
  }
  const quoted = PREFERENCE.find((name) => expected.selection.some(({ bank }) => bank === name));
  const explained = explainLog(
    read.flatMap(({ log }) => log.events),
    {
      manifests: manifests.map(({ manifest }) => manifest),
      condition,
      ...(quoted === undefined ? {} : { bank: quoted }),
    },
  );
  const { manifest, boot, bank } = explained;
  const verdict = appraiseBoot({ quote, firmwareLog: first.bytes }, expected, {
    bank,
    events: predictedEventsOf(manifest, boot),
  });
  return { verdict, bank, explained, manifest: manifests.find((one) => one.manifest === manifest) as ReadManifest };
}
