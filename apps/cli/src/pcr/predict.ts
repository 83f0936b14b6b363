// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { FileSource } from '@vouchsafe/bytes/node';
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import { predictBootAttempt, predictUki, UKI_PCRS } from '@vouchsafe/measure';
import { openPe } from '@vouchsafe/pe';
import type { Command } from '../arguments/command.ts';
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';
import { Option } from '../arguments/option.ts';
import { collectList, wholeNumber } from '../parse.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import { collectBanks } from '../uki/build-options.ts';
import type { Verb } from '../verb.ts';
import { phasesText, predictedPhases } from './predicted-phases.ts';

interface PredictOptions {
  readonly secureBoot: 'on' | 'off';
  readonly bank?: readonly Bank[];
  readonly phases?: readonly string[];
  readonly pcrs: readonly number[];
  readonly loader?: string;
  readonly profile?: number;
  readonly options?: string;
  readonly events?: true;
}

function pcrNumbers(text: string): readonly number[] {
  const pcrs = collectList(text).map((word) => wholeNumber(word));
  if (pcrs.length === 0 || pcrs.some((pcr) => !UKI_PCRS.includes(pcr))) {
    throw new InvalidArgumentError(`Expected some of ${UKI_PCRS.join(', ')}.`);
  }
  return pcrs;
}

export const predict: Verb = {
  define(command, session) {
    addPredictOptions(
      command
        .description(
          'Computes what the TPM will hold when UKI has booted: each PCR that firmware, boot loader, stub and kernel extend because of it.',
        )
        .argument('<UKI>', 'unified kernel image'),
    )
      .addHelpText(
        'after',
        '\nThe first phase is the moment when the kernel has started. What depends on the machine (SMBIOS, partition table,\nkeys) is in other PCRs.\n\nExample:\n  vouchsafe pcr predict linux.efi --secure-boot on --pcrs 4,11',
      )
      .action((path: string, options: PredictOptions) => run(session, path, options));
  },
};

function addPredictOptions(command: Command): Command {
  return command
    .addOption(new Option('--secure-boot <state>', 'as the machine has it').choices(['on', 'off']).default('on'))
    .option('--bank <name>', 'bank of PCRs: sha1, sha256, sha384; may be repeated (default: sha256)', collectBanks)
    .option('--phases <paths>', 'boot phase paths, as enter-initrd:leave-initrd; may be repeated', collectList)
    .addOption(
      new Option('--pcrs <numbers>', 'these PCRs alone').argParser(pcrNumbers).default(UKI_PCRS, UKI_PCRS.join(',')),
    )
    .option('--loader <file>', 'systemd-boot, where it starts the UKI (default: firmware does)')
    .option('--profile <number>', 'profile of the UKI that is started', wholeNumber)
    .option('--options <text>', 'options of the boot entry, or typed there')
    .option('--events', 'each event too')
    .option('--json', 'print one JSON document');
}

function run(session: Session, path: string, options: PredictOptions): void {
  const { secureBoot, bank: banks = ['sha256'], pcrs, profile, options: commandLine } = options;
  using files = new DisposableStack();
  const open = (file: string) => openPe(files.use(FileSource.open(file)));
  const events = [
    ...(pcrs.includes(4) ? predictBootAttempt(banks) : []),
    ...predictUki(banks, open(path), {
      isSecureBootOn: secureBoot === 'on',
      pcrs,
      ...(options.loader === undefined ? {} : { loader: open(options.loader) }),
      ...(profile === undefined ? {} : { profile }),
      ...(commandLine === undefined ? {} : { commandLine }),
    }),
  ];
  // Phases extend PCR 11; without it there is one point of the boot to speak of.
  const phases = predictedPhases(banks, events, pcrs, pcrs.includes(11) ? options.phases : []);
  const list = options.events === undefined ? [] : events;
  session.answer(printable([...list.map(eventText), phasesText(phases)].join('\n')), {
    secureBoot,
    phases,
    ...(options.events === undefined ? {} : { events: events.map(eventDocument) }),
  });
}

function eventText({ pcr, description, digests }: PredictedEvent): string {
  const lines = [...digests].map(([bank, digest]) => `  ${bank} ${String(pcr).padStart(2)} extend ${toHex(digest)}`);
  return [`${description}:`, ...lines].join('\n');
}

function eventDocument({ digests, ...event }: PredictedEvent) {
  return { ...event, digests: Object.fromEntries([...digests].map(([bank, digest]) => [bank, toHex(digest)])) };
}
