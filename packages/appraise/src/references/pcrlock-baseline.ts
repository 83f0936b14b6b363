// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { AppraiseError } from '../error.ts';
import { type BaselineEvent, FIRMWARE_PCRS, type FirmwareBaseline } from './baseline.ts';

/** A .pcrlock file, as far as it is used. systemd.pcrlock(5): records of the TCG's canonical log, without numbers and content. */
const pcrlockFile = Type.Object({
  records: Type.Array(
    Type.Object({
      pcr: Type.Integer({ minimum: 0, maximum: 23 }),
      digests: Type.Array(
        Type.Object({
          hashAlg: Type.Enum(['sha1', 'sha256', 'sha384', 'sha512']),
          digest: Type.String({ pattern: '^([0-9a-f]{2}){20,64}$' }),
        }),
        { minItems: 1, maxItems: 8 },
      ),
    }),
    { maxItems: 4096 },
  ),
});
type PcrlockRecord = Static<typeof pcrlockFile>['records'][number];

/** A component of systemd-pcrlock: one file, or the files of a .pcrlock.d folder, of which any one is what was measured. */
export interface PcrlockVariants {
  /** '250-firmware-code.pcrlock' */
  readonly name: string;
  readonly variants: readonly Uint8Array[];
}

/**
 * A baseline from components of systemd-pcrlock, in their order, as `systemd-pcrlock lock-firmware-code` and the like have
 * written them on a machine of the kind.
 * @throws {AppraiseError} 'baseline_malformed' for what is no component; for variants that are not alike record by record,
 *   as which of them goes with which is then not said.
 */
export function baselineFromPcrlock(
  about: Pick<FirmwareBaseline, 'name' | 'vendor' | 'model' | 'firmwareVersion'>,
  components: readonly PcrlockVariants[],
): FirmwareBaseline {
  const events = components.flatMap(({ name, variants }) => {
    const [first = [], ...others] = variants.map((bytes) => recordsOf(name, bytes));
    return first.flatMap((record, i): BaselineEvent[] => {
      const alike = [record, ...others.map((records) => records[i])].filter((one) => one !== undefined);
      if (
        alike.length !== variants.length ||
        alike.some(({ pcr }) => pcr !== record.pcr) ||
        others.some(({ length }) => length !== first.length)
      ) {
        throw malformed(name, 'expected variants with the same PCRs, record by record');
      }
      // What a component has beside these, manifests say better.
      return FIRMWARE_PCRS.includes(record.pcr) ? [eventOf(name, record.pcr, alike)] : [];
    });
  });
  if (events.length === 0) throw malformed(about.name, 'expected records of PCR 0 to 3 or 6, found none');
  return { ...about, events };
}

function eventOf(name: string, pcr: number, alike: readonly PcrlockRecord[]): BaselineEvent {
  const digests: Record<string, string[]> = {};
  for (const { digests: all } of alike) {
    for (const { hashAlg, digest } of all) {
      digests[hashAlg] = [...new Set([...(digests[hashAlg] ?? []), digest])];
    }
  }
  return { pcr, description: name, digests };
}

function recordsOf(name: string, bytes: Uint8Array): PcrlockRecord[] {
  try {
    const document: unknown = JSON.parse(parseUtf8(bytes));
    if (Value.Check(pcrlockFile, document)) return document.records;
    const [first] = Value.Errors(pcrlockFile, document);
    throw malformed(name, `${first?.instancePath ?? ''}: ${first?.message ?? 'it does not fit'}`);
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TextError)) throw cause;
    throw malformed(name, `expected the JSON of a component: ${cause.message}`, cause);
  }
}

function malformed(name: string, message: string, cause?: unknown): AppraiseError {
  return new AppraiseError('baseline_malformed', `${name}: ${message}`, cause === undefined ? {} : { cause });
}
