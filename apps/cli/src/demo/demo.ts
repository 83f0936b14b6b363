// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';
import { EXIT } from '../exit-code.ts';
import { wholeNumber } from '../parse.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import type { ServeCommand } from './commands.ts';
import { DemoDisplay } from './display.ts';
import { openDemoFolder } from './folder.ts';
import { outcomeText } from './outcome-text.ts';
import { runDemo } from './run-demo.ts';

const MAX_FLEET = 99_999;

interface DemoOptions {
  readonly output: string;
  readonly keep?: true;
  readonly fleet?: number;
}

export const demo: Verb = {
  define(command, session) {
    command
      .description(
        'The main job in one go, on this machine: makes keys and an image, starts the service, boots a good machine and a tampered one under emulation, and shows what each of them is granted. Takes some minutes.',
      )
      .option(
        '-o, --output <folder>',
        'where everything lies; keys and image are kept for the next run',
        'vouchsafe-demo',
      )
      .option(
        '--fleet <n>',
        'that many simulated machines join too, with the same boot and TPMs of a test maker',
        fleetSize,
      )
      .option('--keep', 'leave the service running at the end, until Ctrl-C')
      .option('--json', 'print one JSON document, which names the files to check it by')
      .addHelpText(
        'after',
        '\nNeeds QEMU, OVMF, swtpm and systemd-boot-efi, as the set-up installs them for root.\nExit status 1: it did not come out as promised.\n\nExample:\n  vouchsafe demo\n  vouchsafe demo --fleet 1000 --keep',
      )
      .action((options: DemoOptions) => run(session, options));
  },
};

function fleetSize(text: string): number {
  const size = wholeNumber(text);
  if (size < 1 || size > MAX_FLEET) throw new InvalidArgumentError(`Expected a number from 1 to ${MAX_FLEET}.`);
  return size;
}

async function run(session: Session, options: DemoOptions): Promise<void> {
  const folder = openDemoFolder(options.output);
  session.whenInterrupted = 'what it had started is stopped';
  const display = new DemoDisplay();
  const outcome = await runDemo({
    folder,
    display,
    ...(options.fleet === undefined ? {} : { fleetSize: options.fleet }),
    ...(options.keep === true
      ? { whenDone: (service: ServeCommand) => untilStopped(session, service, folder.admin) }
      : {}),
  });
  session.answer(outcomeText(outcome, folder), {
    ...outcome,
    folder: folder.path,
    manifest: folder.manifest,
    disk: folder.disk,
  });
  if (!outcome.isAsPromised) session.exitCode = EXIT.no;
}

async function untilStopped(session: Session, service: ServeCommand, admin: string): Promise<void> {
  session.note(`the service goes on until Ctrl-C; try: vouchsafe device list --service ${admin}`);
  await Promise.race([service.ended, ...['SIGINT', 'SIGTERM'].map((signal) => once(process, signal))]);
}
