// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import type { PeFile } from '@vouchsafe/pe';
import type { StartedProgram } from './application-event.ts';
import { cleanText, commandLineOctets } from './command-line.ts';
import { MeasureError } from './error.ts';
import { eventOf, eventOfSource } from './event.ts';
import { type Release, systemdBootOf } from './stub.ts';

/** What is started, as far as it matters to what starts it. */
export interface LoaderTarget {
  /** Of the boot entry, or edited by hand. */
  readonly options: string | undefined;
  /** The command line in the UKI, as a loader of that release finds it. */
  builtIn(release: Release): string | undefined;
  readonly profile: number;
}

/** What a boot loader does before it starts a UKI. */
export interface LoaderOutcome {
  /** PCR 4, and what goes with it. */
  readonly application: readonly PredictedEvent[];
  /** Its own measurement of what it passes on, which the log has behind the start of the UKI. */
  readonly passed: readonly PredictedEvent[];
  /** The load options that the stub gets, without '@1 '. */
  readonly options: string | undefined;
}

/** Up to this one the loader passes and measures the UKI's own command line; 255 was not looked at. */
const LAST_THAT_PASSES_BUILT_IN = 254;
const FIRST_THAT_DOES_NOT = 256;
const FIRST_WITH_PROFILES = 257;

/**
 * systemd-boot in front of a UKI, a Boot Loader Specification type 2 entry or one of type 1 with options: PCR 4 by the
 * firmware, and PCR 12 by the loader for all that it passes on, Secure Boot or not. systemd 252.39 and 254.26,
 * src/boot/efi/boot.c, and 257.13, src/boot/boot.c: config_load_type2_entries, image_start.
 * @throws {MeasureError} 'loader_unknown', 'options_invalid'
 */
export function loaderOutcome(
  banks: readonly Bank[],
  loader: PeFile,
  target: LoaderTarget,
  started: StartedProgram,
): LoaderOutcome {
  const release = systemdBootOf(loader);
  const label = loader.source.label;
  if (target.profile > 0 && release.major < FIRST_WITH_PROFILES) {
    throw new MeasureError('options_invalid', `${label}: systemd-boot ${release.version} starts no profiles; 257 does`);
  }
  let { options } = target;
  const builtIn = release.major < FIRST_THAT_DOES_NOT ? target.builtIn(release) : undefined;
  if (options === undefined && builtIn !== undefined) {
    if (release.major > LAST_THAT_PASSES_BUILT_IN) {
      const message = `${label}: it is not known whether systemd-boot ${release.version} passes on and measures the command line of a UKI`;
      throw new MeasureError('loader_unknown', message);
    }
    options = cleanText(release, builtIn);
  }
  const number = target.profile > 0 ? `@${target.profile}` : '';
  const passed = [number, options ?? ''].filter((part) => part !== '').join(' ');
  return {
    application: started(loader, 'the boot loader'),
    passed: options === undefined && number === '' ? [] : [passedEvent(banks, label, passed)],
    options,
  };
}

function passedEvent(banks: readonly Bank[], artefact: string, text: string): PredictedEvent {
  const description = 'the options that the boot loader passes on';
  return eventOf(banks, { pcr: 12, description, origin: { artefact } }, commandLineOctets(text));
}

/** The first systemd-boot that measures its configuration. */
const FIRST_WITH_CONFIGURATION = 255;

/**
 * PCR 5: loader.conf, whole, once it is there. systemd 257, src/boot/boot.c (config_load_defaults), as a boot with it logged.
 * @throws {MeasureError} 'loader_unknown'
 */
export function configurationEvents(
  banks: readonly Bank[],
  loader: PeFile,
  configuration: ByteSource | undefined,
): PredictedEvent[] {
  if (configuration === undefined || systemdBootOf(loader).major < FIRST_WITH_CONFIGURATION) return [];
  const origin = { artefact: configuration.label };
  return [eventOfSource(banks, { pcr: 5, description: 'the configuration of the boot loader', origin }, configuration)];
}
