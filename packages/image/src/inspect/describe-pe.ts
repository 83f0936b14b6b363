// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { describeUki, digestCoveredBySignature, digestMeasuredByFirmware, openPe } from '@vouchsafe/pe';
import type { ArtefactHead, PeDescription } from './description.ts';
import type { InspectOptions } from './inspect-options.ts';

/** @throws {PeError} @throws {BytesError} */
export function describePe(
  source: ByteSource,
  head: Omit<ArtefactHead, 'kind'>,
  { allDigests }: InspectOptions,
): PeDescription {
  const pe = openPe(source);
  const description = describeUki(pe, allDigests ? { maxHashedBytes: Number.POSITIVE_INFINITY } : {});
  if (!allDigests) return { ...head, kind: 'pe', pe: description };
  const measuredByFirmware = toHex(digestMeasuredByFirmware(pe, 'sha256'));
  const coveredBySignature = toHex(digestCoveredBySignature(pe, 'sha256'));
  return { ...head, kind: 'pe', pe: description, authenticode: { measuredByFirmware, coveredBySignature } };
}
