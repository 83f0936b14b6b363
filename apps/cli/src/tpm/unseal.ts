// SPDX-License-Identifier: Apache-2.0
import { type Finding, parseUtf8 } from '@vouchsafe/base';
import { BytesError } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { readLuks2 } from '@vouchsafe/disk';
import { parsePcrSignatures, pcrKeyFingerprint } from '@vouchsafe/measure';
import {
  changedPcrs,
  decryptClevisJwe,
  type PcrValue,
  type PolicySignature,
  parseClevisJwe,
  parseSealedFile,
  parseSystemdToken,
  readPcrs,
  type SealedObject,
  type SealFindingCode,
  SYSTEMD_TOKEN_TYPE,
  systemdSlotPassphrase,
  TpmError,
  type TpmTransport,
  unseal as unsealObject,
} from '@vouchsafe/tpm';
import { EXIT } from '../exit-code.ts';
import { openSmallOutput, requireDistinctOutputs } from '../outputs.ts';
import { readSmallFile, wholeNumber } from '../parse.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { random, type TpmPlace, tpmOption, withTpm } from './open-tpm.ts';
import { pinAuth, readPin } from './seal-options.ts';

interface UnsealOptions {
  readonly tpm: TpmPlace;
  readonly output: string;
  readonly pcrsig?: string;
  readonly pinFile?: string;
  readonly token?: number;
  readonly force?: true;
}

export const unseal: Verb = {
  define(command, session) {
    command
      .description(
        'Opens what tpm seal, clevis encrypt tpm2 or systemd-cryptenroll sealed; when the machine is not as it should be, says which PCR differs.',
      )
      .argument('<FILE>', 'sealed secret, JWE, or LUKS2 volume or header with a token of systemd')
      .addOption(tpmOption())
      .option('-o, --output <file>', 'where the secret goes; of a volume the passphrase of its key slot', '-')
      .option('--pcrsig <file>', 'signed PCR policies, for what is sealed to them')
      .option('--pin-file <file>', 'file with the PIN')
      .option('--token <number>', 'number of the token, where a volume has several of systemd', wholeNumber)
      .option('--force', 'replace a file that exists')
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        '\nExit status 1: the TPM does not open it now.\n\nExample:\n  vouchsafe tpm unseal disk.sealed -o disk.key',
      )
      .action((path: string, options: UnsealOptions) => run(session, path, options));
  },
};

/** A sealed secret, and how the octets that it holds become what was sealed. */
interface Opened {
  readonly sealed: SealedObject;
  readonly sealedTo: readonly PcrValue[];
  readonly finish: (secret: Uint8Array) => Uint8Array;
}

async function run(session: Session, path: string, options: UnsealOptions): Promise<void> {
  requireDistinctOutputs([path, options.pcrsig, options.pinFile], [options.output]);
  const opened = openSealed(path, options.token);
  const { sealed, sealedTo } = opened;
  if (sealed.policy.withPin && options.pinFile === undefined) throw new UsageError('it needs a PIN: --pin-file');
  const signatures = signaturesFor(sealed, options.pcrsig);
  const auth = sealed.policy.withPin && options.pinFile !== undefined ? pinAuth(readPin(options.pinFile)) : undefined;
  using output = openSmallOutput(session, options.output, { option: '--output', force: options.force });
  await withTpm(options.tpm, async (tpm) => {
    try {
      const secret = await unsealObject(tpm, { sealed, signatures, ...(auth === undefined ? {} : { auth }), random });
      output.commit(opened.finish(secret));
      if (options.output !== '-') session.answer(`opened into ${options.output}`, { output: options.output });
    } catch (error) {
      if (!(error instanceof TpmError) || !NO.has(error.code)) throw error;
      await explain(session, tpm, error, sealedTo);
    }
  });
}

/** Answers that are no, and not that something is broken. */
const NO: ReadonlySet<string> = new Set([
  'policy_failed',
  'policy_unsigned',
  'auth_failed',
  'auth_locked',
  'object_foreign',
]);

async function explain(
  session: Session,
  tpm: TpmTransport,
  error: TpmError,
  sealedTo: readonly PcrValue[],
): Promise<void> {
  session.exitCode = EXIT.no;
  const findings: Finding<SealFindingCode>[] = [];
  if (error.code === 'policy_failed' && sealedTo.length > 0) {
    const { values } = await readPcrs(
      tpm,
      [...new Set(sealedTo.map(({ bank }) => bank))].map((bank) => ({
        bank,
        pcrs: sealedTo.flatMap((value) => (value.bank === bank ? [value.pcr] : [])),
      })),
    );
    findings.push(...changedPcrs(sealedTo, values));
  }
  const lines = findings.map(
    ({ hint, expected, actual }) => `  ${hint}\n    sealed to ${expected}\n    now       ${actual ?? '-'}`,
  );
  session.note(printable([`it does not open: ${error.message}`, ...lines].join('\n')));
  if (session.isJson) session.answer('', { error: { code: error.code, message: error.message }, findings });
}

function openSealed(path: string, tokenNumber: number | undefined): Opened {
  const bytes = headOf(path);
  if (isLuks(bytes)) return openToken(path, tokenNumber);
  const text = parseUtf8(readSmallFile(path)).trim();
  if (text.startsWith('{')) {
    const { sealed, sealedTo } = parseSealedFile(text, path);
    return { sealed, sealedTo, finish: (secret) => secret };
  }
  const jwe = parseClevisJwe(text, path);
  return { sealed: jwe.sealed, sealedTo: [], finish: (jwk) => decryptClevisJwe(jwe, jwk, path) };
}

function headOf(path: string): Uint8Array {
  using source = FileSource.open(path);
  const head = new Uint8Array(Math.min(source.size, 6));
  source.read(0, head);
  return head;
}

const isLuks = ([a, b, c, d, e, f]: Uint8Array): boolean =>
  a === 0x4c && b === 0x55 && c === 0x4b && d === 0x53 && e === 0xba && f === 0xbe;

function openToken(path: string, wanted: number | undefined): Opened {
  using source = FileSource.open(path);
  const tokens = Object.entries(readLuks2(source).metadata.tokens).filter(
    ([number, { type }]) => type === SYSTEMD_TOKEN_TYPE && (wanted === undefined || Number(number) === wanted),
  );
  const [first, ...more] = tokens;
  if (first === undefined)
    throw new BytesError('not_found', `${path}: expected a token ${SYSTEMD_TOKEN_TYPE}, found none`);
  if (more.length > 0) {
    const numbers = tokens.map(([number]) => number).join(', ');
    throw new UsageError(`${path}: it has several such tokens (${numbers}); choose one with --token`);
  }
  const { sealed } = parseSystemdToken(first[1], `${path}: token ${first[0]}`);
  return { sealed, sealedTo: [], finish: systemdSlotPassphrase };
}

/** Those that the policy's key made, over digests that a TPM takes for it. */
function signaturesFor({ policy: { signedPcrs } }: SealedObject, path: string | undefined): PolicySignature[] {
  if (signedPcrs === undefined) return [];
  if (path === undefined) throw new UsageError('it is sealed to signed PCRs: give the signatures with --pcrsig');
  const fingerprint = pcrKeyFingerprint(signedPcrs.spki);
  return parsePcrSignatures(parseUtf8(readSmallFile(path)), path)
    .filter(({ keyFingerprint, bank }) => bank === 'sha256' && equal(keyFingerprint, fingerprint))
    .map(({ policy, signature }) => ({
      policy,
      signature: { sigAlg: 'rsassa', signature: { hash: 'sha256', sig: signature } },
    }));
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((octet, i) => octet === b[i]);
