// SPDX-License-Identifier: Apache-2.0
import type { ReplayQuirk, TcgLogQuirk } from '@vouchsafe/eventlog';
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';
import { Option } from '../arguments/option.ts';

const LOG_QUIRKS: readonly TcgLogQuirk[] = ['ccel_padding', 'zero_padding'];
const REPLAY_QUIRKS: readonly ReplayQuirk[] = [
  'exit_boot_services_unlogged',
  'ima_sha1_padded',
  'startup_locality_3_unlogged',
];

export type Quirk = TcgLogQuirk | ReplayQuirk;

const isLogQuirk = (quirk: Quirk): quirk is TcgLogQuirk => (LOG_QUIRKS as readonly string[]).includes(quirk);

function collectQuirks(text: string, earlier: readonly Quirk[] = []): readonly Quirk[] {
  const known: readonly Quirk[] = [...LOG_QUIRKS, ...REPLAY_QUIRKS];
  const found = known.find((quirk) => quirk === text);
  if (found === undefined) throw new InvalidArgumentError(`Expected one of ${known.join(', ')}.`);
  return [...earlier, found];
}

/** --quirk: known faults of firmware, each by its name. */
export function quirkOption(): Option {
  return new Option('--quirk <name>', 'a known fault to allow for; may be repeated').argParser(collectQuirks);
}

export function logQuirks(quirks: readonly Quirk[] = []): TcgLogQuirk[] {
  return quirks.filter(isLogQuirk);
}

export function replayQuirks(quirks: readonly Quirk[] = []): ReplayQuirk[] {
  return quirks.filter((quirk) => !isLogQuirk(quirk));
}
