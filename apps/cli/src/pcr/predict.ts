// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import type { Bank } from '@vouchsafe/manifest';
import { type BootPrediction, predictBoot } from '@vouchsafe/measure';
import { isPe } from '@vouchsafe/pe';
import { type StartedDigests, startMeasuredDigests } from '@vouchsafe/pe/node';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { type BootInputs, openBootInputs } from './boot-inputs.ts';
import { type IdentityPrediction, identityPrediction, identityText } from './identity.ts';
import { addPredictOptions, type PredictOptions } from './predict-options.ts';
import { predictedPhases } from './predicted-phases.ts';
import { eventDocument, eventsText, phasesText, unpredictedText } from './prediction-text.ts';

export const predict: Verb = {
  define(command, session) {
    addPredictOptions(
      command
        .description(
          'Computes what the TPM will hold when FILE has booted: each PCR that firmware, boot loader, stub and kernel extend because of it, and each event with the file that causes it.',
        )
        .argument('<FILE>', 'unified kernel image, disk image, or manifest'),
    )
      .addHelpText(
        'after',
        '\nThe first phase is the moment when the kernel has started. PCRs that depend on the machine are named, not guessed.\n\nExample:\n  vouchsafe pcr predict linux.efi --secure-boot on --pcrs 4,11',
      )
      .action((path: string, options: PredictOptions) => run(session, path, options));
  },
};

async function run(session: Session, path: string, options: PredictOptions): Promise<void> {
  using files = new DisposableStack();
  const source = files.use(FileSource.open(path));
  if (beginsAsJson(source)) {
    refuseOutputs(options);
    if (identityPrediction(['sha256'], options) !== undefined) {
      throw new UsageError('PCR 15 is of a machine, and no part of a manifest');
    }
    const { predictFromManifest } = await import('./from-manifest.ts');
    predictFromManifest(session, path, options);
    return;
  }
  if (options.key !== undefined || options.corim !== undefined) {
    throw new UsageError('--key and --corim go with a manifest');
  }
  const banks = options.bank ?? ['sha256'];
  const started = startLargeFile(source, banks, options);
  const inputs = await openBootInputs(path, source, options, files);
  const ukiDigests = (): ReadonlyMap<Bank, Uint8Array> | undefined => started?.take();
  const identity = identityPrediction(banks, options);
  const prediction = predictBoot(banks, inputs.artefacts, { ...inputs.circumstances, ukiDigests });
  // Loaded only when something is written: keys and manifests are not needed for an answer.
  const written = needsOutputs(options)
    ? await (await import('./prediction-outputs.ts')).writeOutputs(session, path, inputs, prediction, options)
    : [];
  answer(session, inputs, { prediction, identity }, options, written);
}

/** Below this a thread takes longer to start than to hash it. */
const LARGE_BYTES = 16 * 1024 * 1024;

/** A UKI is hashed twice, in the order of the file for PCR 4 and by sections for PCR 11: both at once where there is room. */
function startLargeFile(
  source: FileSource,
  banks: readonly Bank[],
  { pcrs }: PredictOptions,
): StartedDigests | undefined {
  const isWorth = source.size >= LARGE_BYTES && availableParallelism() > 1 && (pcrs?.includes(4) ?? true);
  return isWorth && isPe(source) ? startMeasuredDigests(source, banks) : undefined;
}

const BRACE = 0x7b;

function beginsAsJson(source: ByteSource): boolean {
  return source.size > 0 && readBytes(source, 0, 1)[0] === BRACE;
}

const OUTPUTS = [
  'pcrlock',
  'pcrsig',
  'manifest',
  'name',
  'imageVersion',
  'manifestPrivateKey',
  'pcrPrivateKey',
] as const;

function needsOutputs(options: PredictOptions): boolean {
  return OUTPUTS.some((name) => options[name] !== undefined);
}

function refuseOutputs(options: PredictOptions): void {
  const found = OUTPUTS.find((name) => options[name] !== undefined);
  if (found !== undefined)
    throw new UsageError('a manifest and other files are made from a UKI or a disk, not from a manifest');
}

function answer(
  session: Session,
  { kind }: BootInputs,
  { prediction, identity }: { readonly prediction: BootPrediction; readonly identity: IdentityPrediction | undefined },
  options: PredictOptions,
  written: readonly string[],
): void {
  const { condition, covers } = prediction;
  const events = [...prediction.events, ...(identity?.events ?? [])];
  const unpredicted = prediction.unpredicted.filter(({ pcr }) => pcr !== 15 || identity === undefined);
  const phases = predictedPhases(options.bank ?? ['sha256'], prediction);
  const lines = [
    ...(options.events === undefined ? [] : [eventsText(events)]),
    phasesText(phases),
    ...(identity === undefined ? [] : [identityText(identity)]),
    ...(options.pcrs === undefined ? [unpredictedText(unpredicted)] : []),
    ...written.map((file) => `wrote ${file}`),
  ];
  session.answer(printable(lines.join('\n')), {
    kind,
    secureBoot: condition.secureBoot,
    condition,
    covers,
    phases,
    ...(identity === undefined ? {} : { identity: { pcr: 15, values: identity.values } }),
    unpredicted,
    ...(options.events === undefined ? {} : { events: events.map(eventDocument) }),
    ...(written.length === 0 ? {} : { written }),
  });
}
