// SPDX-License-Identifier: Apache-2.0
import { bootsUnder, conditionText, encodeCorim, ManifestError, predictedEventsOf } from '@vouchsafe/manifest';
import { parsePhasePath } from '@vouchsafe/measure';
import { readManifestFile } from '../manifest-file.ts';
import { openSmallOutput, requireDistinctOutputs } from '../outputs.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import type { PredictOptions } from './predict-options.ts';
import type { PhasePcrs } from './predicted-phases.ts';
import { eventDocument, eventsText, phasesText } from './prediction-text.ts';

/** What a manifest says of one way to boot: the values in it follow from its events, as the reader has checked. */
export function predictFromManifest(session: Session, path: string, options: PredictOptions): void {
  const { manifest, isVerified } = readManifestFile(session, path, options.key === undefined ? [] : [options.key]);
  const { secureBoot, profile = 0 } = options;
  const boots = bootsUnder(manifest, { secureBoot, profile });
  const [boot] = boots;
  if (boot === undefined || boots.length > 1) {
    const known = boots.map(({ condition }) => conditionText(condition)).join('; ');
    throw new ManifestError('condition_unknown', `${path}: expected one boot under these conditions, found ${known}`);
  }
  const banks = options.bank ?? [manifest.banks.includes('sha256') ? 'sha256' : (manifest.banks[0] ?? 'sha256')];
  const missing = banks.find((bank) => !manifest.banks.includes(bank));
  if (missing !== undefined) {
    throw new ManifestError(
      'bank_unsupported',
      `${path}: expected digests in ${missing}, found ${manifest.banks.join(', ')}`,
    );
  }
  const wanted = options.pcrs ?? boot.covers;
  const paths = options.phases?.map((text) => parsePhasePath(text).join(':'));
  const phases = boot.phases
    .filter(({ phase }) => phase === '' || (paths?.includes(phase) ?? true))
    .map(({ phase, pcrs }): PhasePcrs => {
      const valuesIn = (bank: (typeof banks)[number]) =>
        Object.fromEntries(Object.entries(pcrs[bank] ?? {}).filter(([pcr]) => wanted.includes(Number(pcr))));
      return { phase, pcrs: Object.fromEntries(banks.map((bank) => [bank, valuesIn(bank)])) };
    });
  const events = predictedEventsOf(manifest, boot).filter(({ pcr }) => wanted.includes(pcr));
  if (options.corim !== undefined) {
    requireDistinctOutputs([path], [options.corim]);
    using output = openSmallOutput(session, options.corim, { option: '--corim', force: options.force });
    output.commit(encodeCorim(manifest));
  }
  const title = `${manifest.name} ${manifest.version}, ${conditionText(boot.condition)}`;
  session.answer(
    printable([title, ...(options.events === undefined ? [] : [eventsText(events)]), phasesText(phases)].join('\n')),
    {
      kind: 'manifest',
      name: manifest.name,
      version: manifest.version,
      isVerified,
      secureBoot,
      condition: boot.condition,
      covers: boot.covers,
      phases,
      ...(options.events === undefined ? {} : { events: events.map(eventDocument) }),
    },
  );
}
