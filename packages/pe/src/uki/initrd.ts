// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, requireRange } from '@vouchsafe/bytes';
import { alignUp } from '../align.ts';
import { zeroPadded } from '../read/section-data.ts';

/** The kernel looks for the next cpio at multiples of 4 octets. Documentation/driver-api/early-userspace/buffer-format.rst. */
const INITRD_ALIGNMENT = 4;

/** Several initrds as one, each padded to 4 octets; one alone stays as it is, as ukify has it (join_initrds). */
export function joinInitrds(initrds: readonly ByteSource[]): ByteSource | undefined {
  const [first, ...more] = initrds;
  if (first === undefined || more.length === 0) return first;
  return concatenated(
    initrds.map((source) => zeroPadded(source, alignUp(source.size, INITRD_ALIGNMENT))),
    initrds.map(({ label }) => label).join(' + '),
  );
}

/** The sources one after the other. */
export function concatenated(parts: readonly ByteSource[], label: string): ByteSource {
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  const whole: ByteSource = {
    size,
    label,
    read(offset, target) {
      requireRange(whole, offset, target.length);
      let start = 0;
      for (const part of parts) {
        const from = Math.max(offset, start);
        const to = Math.min(offset + target.length, start + part.size);
        if (from < to) part.read(from - start, target.subarray(from - offset, to - offset));
        start += part.size;
      }
    },
  };
  return whole;
}
