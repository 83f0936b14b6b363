// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { explainLog, type LogExplanation } from '@vouchsafe/appraise';
import { OutputFile } from '@vouchsafe/bytes/node';
import { decodeTcgLog } from '@vouchsafe/eventlog';
import {
  type BootResult,
  type BootStage,
  expectationOf,
  FIRMWARE_VARIABLES,
  findAccelerator,
  guestReport,
  isSecureBootOn,
  judgeTampering,
  Machine,
  type MachineRequest,
  machineVariables,
  manufactureTpm,
  type SecureBoot,
  stageOf,
  type TamperCaseName,
  tamperedCopy,
  tamperOrders,
} from '@vouchsafe/lab/boot';
import { EXIT } from '../exit-code.ts';
import { type ReadManifest, readManifestFile } from '../manifest-file.ts';
import type { Session } from '../session.ts';
import { writeErr } from '../terminal/standard-streams.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { type BootOptions, defineBootOptions } from './boot-options.ts';
import { type BootAnswer, bootDocument, bootText } from './boot-text.ts';
import { bootTime } from './boot-time.ts';
import { tamperHelp } from './tamper-help.ts';

export const boot: Verb = {
  define(command, session) {
    defineBootOptions(command).action((disk: string | undefined, options: BootOptions) => run(session, disk, options));
  },
};

async function run(session: Session, disk: string | undefined, options: BootOptions): Promise<void> {
  const { tamper = [] } = options;
  if (tamper.includes('help')) {
    const { text, document } = tamperHelp();
    session.answer(text, document);
    return;
  }
  if (disk === undefined) throw new UsageError('expected a disk image to boot, found none');
  const cases = tamper.filter((name) => name !== 'help');
  if (options.secureBoot === 'on' && options.keys === undefined) {
    throw new UsageError('--secure-boot on: whose keys? name the folder with --keys DIR');
  }
  const manifests = (options.manifest ?? []).map((path) => readManifestFile(session, path, options.key ?? []));
  const work = mkdtempSync(join(tmpdir(), 'vouchsafe-lab-'));
  session.whenInterrupted = 'the machine was switched off';
  try {
    const { path: firmwareVariables, secureBoot } = variablesFor(options, join(work, 'variables.fd'));
    const expected = cases.map((name) => expectationOf(name, secureBoot, disk));
    const copy = cases.length === 0 ? disk : join(work, 'disk.raw');
    if (cases.length > 0) await tamperedCopy(cases, disk, copy, inputsOf(options));
    const request = await requestFor(options, copy, cases, firmwareVariables);
    const booted = await watch(session, request, options.serial === true);
    if (options.results !== undefined) writeResults(booted, options.results, options.force === true);
    const verdict = judge(booted, manifests, secureBoot);
    const tampering =
      cases.length === 0
        ? undefined
        : judgeTampering(
            booted,
            expected,
            manifests.map(({ manifest }) => manifest),
            secureBoot,
          );
    const answer: BootAnswer = {
      ...{ booted, secureBoot, manifests, cases, expected },
      // What was tampered with is no boot of the image's own.
      ...(tampering === undefined
        ? { time: bootTime(booted, request.accelerator, verdict?.manifest ?? manifests[0]?.manifest) }
        : {}),
      ...(verdict === undefined ? {} : { explained: verdict }),
      ...(tampering === undefined ? {} : { tampering }),
    };
    if (!isGood(answer)) session.exitCode = EXIT.no;
    session.answer(bootText(answer), bootDocument(answer));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** As it should be: tampered with, it fares as expected; else it comes up, in time, and its log is the image's. */
export function isGood({ booted, explained, tampering, time }: BootAnswer): boolean {
  if (tampering !== undefined) return tampering.isAsExpected;
  const isUp = booted.outcome === 'reported' || booted.outcome === 'reached';
  return isUp && explained?.isAsExpected !== false && time?.isWithin !== false;
}

function inputsOf({ keys, older }: BootOptions) {
  return { ...(keys === undefined ? {} : { keys }), ...(older === undefined ? {} : { olderDisk: older }) };
}

/** The variable store to boot with, and what it says of Secure Boot. */
function variablesFor(options: BootOptions, path: string): { readonly path: string; readonly secureBoot: SecureBoot } {
  const { vars, keys, secureBoot = 'on' } = options;
  if (keys !== undefined) {
    writeFileSync(path, machineVariables(keys, secureBoot));
    return { path, secureBoot };
  }
  copyFileSync(vars ?? FIRMWARE_VARIABLES, path);
  return { path, secureBoot: isSecureBootOn(readFileSync(path)) ? 'on' : 'off' };
}

async function requestFor(
  options: BootOptions,
  disk: string,
  cases: readonly TamperCaseName[],
  firmwareVariables: string,
): Promise<MachineRequest & Required<Pick<MachineRequest, 'accelerator'>>> {
  const { tpm, accelerator, memory, processors, until, timeout } = options;
  return {
    ...{ disk, firmwareVariables, shape: { memoryMib: memory, processors }, timeoutMs: timeout * 1000 },
    tpmInterface: options.crb === true ? 'crb' : 'tis',
    accelerator: accelerator === 'auto' ? await findAccelerator() : accelerator,
    ...(tpm === 'fresh'
      ? {}
      : { tpmState: (await manufactureTpm(join(tpm, 'state'), join(tpm, 'authority'), 'lab')).stateDir }),
    ...(options.network === true ? { network: {} } : {}),
    ...(options.keepWrites === true ? { isDiskKept: true } : {}),
    ...(until === undefined ? {} : { until: new RegExp(until.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')) }),
    ...(cases.length === 0 ? {} : { orders: tamperOrders(cases, disk) }),
  };
}

const STAGE_TEXTS: Readonly<Record<BootStage, string>> = {
  firmware: 'firmware is up',
  image: 'firmware has started the image',
  initrd: 'the initrd runs',
  root: 'the root is verified and runs',
  results: 'the guest has reported',
};
const CANCEL_POLL_MS = 100;

/** Boots, and says how far it has come. @throws when the run is interrupted, after the machine is off. */
async function watch(session: Session, request: MachineRequest, isSerialShown: boolean): Promise<BootResult> {
  let stage: BootStage | undefined;
  let seen = '';
  await using machine = await Machine.start({
    ...request,
    onSerial: (text) => {
      if (isSerialShown) writeErr(text);
      seen += text;
      const now = stageOf(seen);
      if (now === undefined || now === stage) return;
      stage = now;
      if (!isSerialShown) session.note(STAGE_TEXTS[now]);
    },
  });
  session.note(
    `started, ${request.accelerator === 'kvm' ? 'under KVM' : 'emulated: this takes half a minute or more'}`,
  );
  const { signal } = session.work;
  const timer = setInterval(() => {
    try {
      signal?.throwIfAborted();
    } catch {
      void machine.stop();
    }
  }, CANCEL_POLL_MS);
  try {
    const booted = await machine.ended;
    signal?.throwIfAborted();
    return booted;
  } finally {
    clearInterval(timer);
  }
}

/** The log beside the manifests; undefined without one of them. */
function judge(
  booted: BootResult,
  manifests: readonly ReadManifest[],
  secureBoot: SecureBoot,
): LogExplanation | undefined {
  const report = guestReport(booted);
  if (report === undefined || manifests.length === 0) return undefined;
  return explainLog(decodeTcgLog(report.log).events, {
    manifests: manifests.map(({ manifest }) => manifest),
    condition: { secureBoot },
  });
}

/** Names come from the guest. */
function writeResults({ results }: BootResult, folder: string, force: boolean): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of results) {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/.test(name)) continue;
    using file = OutputFile.create(join(folder, name), { force });
    file.write(0, bytes);
    file.commit();
  }
}
