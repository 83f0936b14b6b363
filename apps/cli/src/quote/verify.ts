// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, type Finding, parseUtf8, TextError, toHex } from '@vouchsafe/base';
import { comparePcrs, decodeLog, type PcrComparison, parsePcrList, replayLogs } from '@vouchsafe/eventlog';
import { PkiError, parsePem } from '@vouchsafe/pki';
import {
  type AttestationKeyFindingCode,
  checkAttestationKey,
  checkQuote,
  decodePublic,
  formatPcrSelection,
  importSigningKey,
  type PcrSelection,
  type PcrValue,
  type QuoteFindingCode,
  signingKeyFromSpki,
  type TpmSigningKey,
} from '@vouchsafe/tpm';
import { Option } from '../arguments/option.ts';
import { EXIT } from '../exit-code.ts';
import { readLogFile } from '../log/read-log.ts';
import { readManifestFile } from '../manifest-file.ts';
import { collect, hexBytes, readSmallFile } from '../parse.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import { pcrSelections, pcrsDocument, pcrsText } from '../tpm/pcr-option.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { answerVerdict } from './answer-verdict.ts';
import { appraiseFiles } from './appraise-files.ts';

interface VerifyOptions {
  readonly ak: string;
  readonly attest: string;
  readonly signature: string;
  readonly pcrs: string;
  readonly nonce: Uint8Array;
  readonly select?: readonly PcrSelection[];
  readonly log?: readonly string[];
  readonly manifest?: readonly string[];
  readonly key?: readonly string[];
  readonly secureBoot?: 'on' | 'off';
  readonly acceptWarnings?: true;
}

export const verify: Verb = {
  define(command, session) {
    command
      .description(
        'Checks a quote offline: signature over the exact bytes, that a TPM made it, the challenge, which PCRs, and their values; then that the logs lead to these values, and with manifests that every event is one of a known image.',
      )
      .requiredOption('--ak <file>', 'public attestation key: PEM, or TPM2B_PUBLIC, whose attributes are checked too')
      .requiredOption('--attest <file>', 'TPMS_ATTEST')
      .requiredOption('--signature <file>', 'TPMT_SIGNATURE')
      .requiredOption('--pcrs <file>', "PCR values: of tpm quote, of tpm2_pcrread, or lines 'sha256:7:…'")
      .requiredOption('--nonce <hex>', 'the challenge that it must answer', hexBytes)
      .option('--select <list>', 'PCRs that must be quoted, as sha256:0,7,11 (default: those of --pcrs)', pcrSelections)
      .option('--log <file>', 'boot log; may be repeated, in order', collect<string>)
      .option('--manifest <file>', 'signed manifest of an image that may have booted; may be repeated', collect<string>)
      .option('--key <file>', 'public key that manifests must be signed by; may be repeated', collect<string>)
      .addOption(
        new Option('--secure-boot <state>', 'as the machine must have had it (default: either)').choices(['on', 'off']),
      )
      .option('--accept-warnings', 'with --manifest: also what nothing is wrong with, but not all is known')
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        "\nExit status 1: the quote does not hold, or a log does not lead to it; with --manifest: the verdict is not affirming. It is a warning where\neverything checked is right, and there is something to check it by that is missing: a baseline of the firmware, a manifest's --key.\n\nExample:\n  vouchsafe quote verify --ak ak.pem --attest q.attest --signature q.sig --pcrs q.pcrs --nonce 00112233445566778899aabbccddeeff",
      )
      .action((options: VerifyOptions) => run(session, options));
  },
};

function run(session: Session, options: VerifyOptions): void {
  const values = parsePcrList(readSmallFile(options.pcrs));
  const { key, findings: keyFindings } = readAk(options.ak);
  const evidence = {
    attest: readSmallFile(options.attest),
    signature: readSmallFile(options.signature),
    pcrs: values,
  };
  const selection = options.select ?? selectionOf(values);
  if (options.manifest !== undefined) {
    const files = {
      manifests: options.manifest.map((path) => readManifestFile(session, path, options.key ?? [])),
      condition: options.secureBoot === undefined ? {} : { secureBoot: options.secureBoot },
      logs: options.log ?? [],
    };
    const expected = { key, selection, nonce: options.nonce };
    const appraised = appraiseFiles(evidence, expected, files, (text) => session.note(text));
    answerVerdict(session, appraised, keyFindings, options.acceptWarnings === true);
    return;
  }
  const misplaced = (['key', 'secureBoot', 'acceptWarnings'] as const).find((name) => options[name] !== undefined);
  if (misplaced !== undefined) throw new UsageError(`--key, --secure-boot and --accept-warnings go with --manifest`);
  const outcome = checkQuote(evidence, { key, selection, nonce: options.nonce }, options.attest);
  const findings: Finding<QuoteFindingCode | AttestationKeyFindingCode>[] = [
    ...keyFindings,
    ...(outcome.isGood ? [] : outcome.findings),
  ];
  // Nothing of the logs matters before the values they must lead to are known to be the TPM's.
  const compared = outcome.isGood ? compareLogs(options.log ?? [], outcome.quote.pcrs) : [];
  const isGood = findings.length === 0 && compared.every(({ result }) => GOOD.has(result));
  if (!isGood) session.exitCode = EXIT.no;
  const clock = outcome.isGood ? outcome.quote.attest.clockInfo : undefined;
  session.answer(
    printable(
      [
        isGood ? 'The quote holds.' : 'The quote does NOT hold.',
        ...findings.map(({ code, actual, hint }) => `${code}: ${actual ?? ''}\n  ${hint}`),
        ...(outcome.isGood ? [`quoted ${formatPcrSelection(selection)}`, pcrsText(outcome.quote.pcrs)] : []),
        ...(clock === undefined
          ? []
          : [
              `resets ${clock.resetCount}, restarts ${clock.restartCount}, clock ${clock.clock} ms${clock.safe ? '' : ', not safe: the TPM lost power without notice'}`,
            ]),
        ...compared.map(({ bank, pcr, result }) => `${bank} ${String(pcr).padStart(2)} ${LOG_WORDS[result]}`),
      ].join('\n'),
    ),
    {
      isGood,
      findings,
      ...(outcome.isGood ? { pcrs: pcrsDocument(outcome.quote.pcrs), clockInfo: clock } : {}),
      ...(options.log === undefined
        ? {}
        : { logs: compared.map(({ bank, pcr, result, value }) => ({ bank, pcr, result, value: toHex(value) })) }),
    },
  );
}

const GOOD: ReadonlySet<PcrComparison['result']> = new Set(['equal', 'equal_to_part']);

const LOG_WORDS: Readonly<Record<PcrComparison['result'], string>> = {
  equal: 'explained by the log',
  equal_to_part: 'explained by the log; what follows there was not quoted',
  different: 'DIFFERENT from what the log leads to',
  unexplained: 'in no log',
  not_in_bank: 'not in the log in this bank',
};

function compareLogs(paths: readonly string[], values: readonly PcrValue[]): PcrComparison[] {
  if (paths.length === 0) return [];
  const logs = paths.map((path) => decodeLog(readLogFile(path)));
  const replay = replayLogs(logs, { artefacts: paths });
  return comparePcrs(replay, logs, values);
}

/** Each bank as the values have it. */
function selectionOf(values: readonly PcrValue[]): PcrSelection[] {
  const banks = [...new Set(values.map(({ bank }) => bank))];
  return banks.map((bank) => ({
    bank,
    pcrs: values.flatMap((value) => (value.bank === bank ? [value.pcr] : [])).sort((a, b) => a - b),
  }));
}

interface ReadAk {
  readonly key: TpmSigningKey;
  readonly findings: readonly Finding<AttestationKeyFindingCode>[];
}

/** PEM says nothing of what the key may do; a TPM2B_PUBLIC does. */
function readAk(path: string): ReadAk {
  const bytes = readSmallFile(path);
  const spki = pemKey(bytes);
  if (spki !== undefined) return { key: signingKeyFromSpki(spki), findings: [] };
  const area = decodePublic(bytes).value;
  return { key: importSigningKey(area), findings: checkAttestationKey(area, path) };
}

function pemKey(bytes: Uint8Array): Uint8Array | undefined {
  const begin = new TextEncoder().encode('-----BEGIN');
  if (!bytesEqual(bytes.subarray(0, begin.length), begin)) return undefined;
  try {
    return parsePem(parseUtf8(bytes), 'PUBLIC KEY')[0]?.bytes;
  } catch (error) {
    if (error instanceof TextError)
      throw new PkiError('pem_malformed', 'expected a public key in PEM', { cause: error });
    throw error;
  }
}
