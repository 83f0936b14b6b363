// SPDX-License-Identifier: Apache-2.0
import { toHex, utf8 } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import { formatPem } from '@vouchsafe/pki';
import {
  type AttestationKeyKind,
  attestationKeyTemplate,
  createPrimary,
  encodePcrSelection,
  execute,
  type LoadedObject,
  type PcrSelection,
  readObject,
  readPcrs,
  spkiOf,
  TPM_RH,
  type TpmTransport,
  tpm2Quote,
  tpmtSignature,
  withFlushed,
} from '@vouchsafe/tpm';
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';
import { Option } from '../arguments/option.ts';
import { openSmallOutput, requireDistinctOutputs } from '../outputs.ts';
import { hexBytes } from '../parse.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { random, type TpmPlace, tpmOption, withTpm } from './open-tpm.ts';
import { pcrSelections, pcrsDocument, pcrsText } from './pcr-option.ts';

interface QuoteOptions {
  readonly tpm: TpmPlace;
  readonly pcrs: readonly PcrSelection[];
  readonly nonce?: Uint8Array;
  readonly key: AttestationKeyKind;
  readonly ak?: number;
  readonly attest: string;
  readonly signature: string;
  readonly pcrValues: string;
  readonly akPublic?: string;
  readonly force?: true;
}

const KINDS: readonly AttestationKeyKind[] = ['ecdsa-p256', 'ecdsa-p384', 'rsassa-2048', 'rsapss-2048'];
const DEFAULT_PCRS = [{ bank: 'sha256', pcrs: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14] }] as const;

function handleNumber(text: string): number {
  if (!/^0x81[0-9a-f]{6}$/i.test(text)) throw new InvalidArgumentError('Expected a persistent handle, as 0x81000003.');
  return Number.parseInt(text, 16);
}

export const quote: Verb = {
  define(command, session) {
    command
      .description(
        'Has the TPM sign what its PCRs hold, with a key that signs nothing else. Without --ak the key is made anew from its template, the same each time.',
      )
      .addOption(tpmOption())
      .addOption(
        new Option('--pcrs <list>', 'as sha256:0,7,11')
          .argParser(pcrSelections)
          .default(DEFAULT_PCRS, 'sha256:0,1,2,3,4,5,6,7,8,9,11,12,13,14'),
      )
      .option('--nonce <hex>', "the verifier's challenge (default: 32 random octets, which are shown)", hexBytes)
      .addOption(new Option('--key <kind>', 'kind of the attestation key').choices(KINDS).default('ecdsa-p256'))
      .option('--ak <handle>', 'persistent attestation key to sign with', handleNumber)
      .requiredOption('--attest <file>', 'where TPMS_ATTEST goes')
      .requiredOption('--signature <file>', 'where TPMT_SIGNATURE goes')
      .requiredOption('--pcr-values <file>', 'where the PCR values go, JSON')
      .option('--ak-public <file>', 'where the public key goes, PEM')
      .option('--force', 'replace files that exist')
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        '\nExample:\n  vouchsafe tpm quote --nonce 00112233445566778899aabbccddeeff --attest q.attest --signature q.sig --pcr-values q.pcrs --ak-public ak.pem',
      )
      .action((options: QuoteOptions) => run(session, options));
  },
};

async function run(session: Session, options: QuoteOptions): Promise<void> {
  const { nonce = random(32), force } = options;
  if (nonce.length > 64) throw new UsageError(`--nonce: expected at most 64 octets, found ${nonce.length}`);
  requireDistinctOutputs([], [options.attest, options.signature, options.pcrValues, options.akPublic]);
  using outputs = new DisposableStack();
  const open = (path: string, option: string) => outputs.use(openSmallOutput(session, path, { option, force }));
  const attestFile = open(options.attest, '--attest');
  const signatureFile = open(options.signature, '--signature');
  const valuesFile = open(options.pcrValues, '--pcr-values');
  const akFile = options.akPublic === undefined ? undefined : open(options.akPublic, '--ak-public');
  const made = await withTpm(options.tpm, (tpm) =>
    withAk(tpm, options, async (ak) => {
      const { quoted, signature } = await execute(tpm, tpm2Quote, {
        signHandle: ak,
        qualifyingData: nonce,
        inScheme: { scheme: 'null', details: {} },
        PCRselect: options.pcrs.map(encodePcrSelection),
      });
      // After the quote: what was extended between shows as a difference, and not as a value that nobody signed.
      const { values } = await readPcrs(tpm, options.pcrs);
      return { attest: quoted.slice(), signature: encode(tpmtSignature, signature), values, ak };
    }),
  );
  const spki = spkiOf(made.ak.area.value);
  const pcrs = pcrsDocument(made.values);
  attestFile.commit(made.attest);
  signatureFile.commit(made.signature);
  valuesFile.commit(utf8(`${JSON.stringify({ pcrs }, null, 2)}\n`));
  akFile?.commit(utf8(formatPem('PUBLIC KEY', spki)));
  session.answer(`nonce ${toHex(nonce)}\nkey name ${toHex(made.ak.name)}\n${pcrsText(made.values)}`, {
    nonce: toHex(nonce),
    akName: toHex(made.ak.name),
    pcrs,
  });
}

/** The attestation key, flushed after use where it was made for it. */
async function withAk<T>(
  tpm: TpmTransport,
  { ak, key }: QuoteOptions,
  use: (ak: LoadedObject) => Promise<T>,
): Promise<T> {
  if (ak !== undefined) return use(await readObject(tpm, ak));
  const primary = await createPrimary(tpm, { template: attestationKeyTemplate(key), hierarchy: TPM_RH.endorsement });
  return withFlushed(tpm, primary, () => use(primary));
}
