// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import {
  createTotp,
  decodeTotpBlob,
  encodeTotpBlob,
  loadTotp,
  removeTotp,
  resealTotp,
  storeTotp,
  TOTP_NV_INDEX,
  type TotpBank,
  type TotpPcrs,
  TpmError,
  type TpmTransport,
  totpCode,
} from '@vouchsafe/tpm';
import { renderUnicodeCompact } from 'uqr';
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';
import { Option } from '../arguments/option.ts';
import { EXIT } from '../exit-code.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { random, type TpmPlace, tpmOption, withTpm } from './open-tpm.ts';
import { pcrSelections } from './pcr-option.ts';
import { readPin } from './seal-options.ts';

interface TotpOptions {
  readonly tpm: TpmPlace;
  readonly pcrs: TotpPcrs;
  readonly nv: number;
  readonly label: string;
  readonly passwordFile?: string;
}

const ACTIONS = ['show', 'init', 'reseal', 'remove'] as const;
type Action = (typeof ACTIONS)[number];

const BANKS: readonly TotpBank[] = ['sha1', 'sha256', 'sha384'];
/** Firmware, boot loader, Secure Boot and the unified kernel image: what a stranger who swaps the disk cannot copy. */
const DEFAULT_PCRS: TotpPcrs = { banks: ['sha256'], pcrs: [0, 2, 4, 7] };

function totpPcrs(text: string): TotpPcrs {
  const selections = pcrSelections(text);
  const [first] = selections;
  const banks = selections.map(({ bank }) => BANKS.find((known) => known === bank));
  const areSame = selections.every(({ pcrs }) => pcrs.join() === first?.pcrs.join());
  if (first === undefined || !areSame || banks.includes(undefined)) {
    throw new InvalidArgumentError('Expected the same PCRs of sha1, sha256 or sha384, as sha1:0,2,4+sha256:0,2,4.');
  }
  return { banks: banks.filter((bank) => bank !== undefined), pcrs: first.pcrs };
}

function nvIndex(text: string): number {
  if (!/^0x01[0-9a-f]{6}$/i.test(text)) throw new InvalidArgumentError('Expected an NV index, as 0x018094af.');
  return Number.parseInt(text, 16);
}

export const totp: Verb = {
  define(command, session) {
    command
      .description(
        'A code that only this machine, booted as it was, can show: compare it with the one on your phone before you type a password. show (the default), init, reseal after an update, remove.',
      )
      .argument('[ACTION]', 'show, init, reseal or remove')
      .addOption(tpmOption())
      .addOption(
        new Option(
          '--pcrs <list>',
          'PCRs that the code depends on; say the same each time: those in NV are not believed',
        )
          .argParser(totpPcrs)
          .default(DEFAULT_PCRS, 'sha256:0,2,4,7'),
      )
      .addOption(new Option('--nv <index>', 'where the key is').argParser(nvIndex).default(TOTP_NV_INDEX, '0x018094af'))
      .option('--label <name>', 'what the phone calls it', 'vouchsafe')
      .option('--password-file <file>', 'password for reseal; with init it is set')
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        '\ntpm2-totp reads and writes the same index; its default is --pcrs sha1:0,2,4+sha256:0,2,4.\nExit status 1: the machine did not boot as it did then.\n\nExample:\n  vouchsafe tpm totp init --password-file pw',
      )
      .action((action: string | undefined, options: TotpOptions) => run(session, action ?? 'show', options));
  },
};

async function run(session: Session, action: string, options: TotpOptions): Promise<void> {
  const known = ACTIONS.find((one) => one === action);
  if (known === undefined) throw new UsageError(`expected ${ACTIONS.join(', ')}, found '${action}'`);
  await withTpm(options.tpm, (tpm) => PERFORM[known](session, tpm, options));
}

type Perform = (session: Session, tpm: TpmTransport, options: TotpOptions) => Promise<void>;

const PERFORM: Readonly<Record<Action, Perform>> = {
  async show(session, tpm, { nv, pcrs }) {
    const blob = decodeTotpBlob(await loadTotp(tpm, nv));
    const timeMs = Date.now();
    try {
      const code = await totpCode(tpm, blob, pcrs, timeMs, random);
      session.answer(`${code}  (${new Date(timeMs).toISOString()})`, { code, timeMs });
    } catch (error) {
      if (!(error instanceof TpmError) || (error.code !== 'policy_failed' && error.code !== 'totp_pcrs')) throw error;
      session.exitCode = EXIT.no;
      session.note(`no code: ${error.message}`);
      if (session.isJson) session.answer('', { error: { code: error.code, message: error.message } });
    }
  },
  async init(session, tpm, { nv, pcrs, label, passwordFile }) {
    const password = passwordFile === undefined ? undefined : utf8(readPin(passwordFile));
    const { blob, secret } = await createTotp(tpm, pcrs, random, password);
    await storeTotp(tpm, nv, encodeTotpBlob(blob));
    const uri = otpauthUri(label, secret);
    if (password === undefined) session.note('without --password-file it cannot be sealed anew after an update');
    session.answer(`${renderUnicodeCompact(uri)}\nScan it with the phone now; it is shown this once:\n${uri}`, { uri });
  },
  async reseal(session, tpm, { nv, pcrs, passwordFile }) {
    if (passwordFile === undefined) throw new UsageError('reseal needs --password-file');
    const old = decodeTotpBlob(await loadTotp(tpm, nv));
    const blob = await resealTotp(tpm, old, pcrs, random, utf8(readPin(passwordFile)));
    await removeTotp(tpm, nv);
    await storeTotp(tpm, nv, encodeTotpBlob(blob));
    session.answer('sealed to the machine as it is now', { resealed: true });
  },
  async remove(session, tpm, { nv }) {
    await removeTotp(tpm, nv);
    session.answer('removed', { removed: true });
  },
};

/** The form that phones scan: Google Authenticator's "Key Uri Format". Base32 as in RFC 4648, section 6, without padding. */
function otpauthUri(label: string, secret: Uint8Array): string {
  return `otpauth://totp/${encodeURIComponent(label)}?secret=${base32(secret)}&issuer=vouchsafe`;
}

function base32(bytes: Uint8Array): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  return (bits.match(/.{1,5}/g) ?? []).map((group) => alphabet[Number.parseInt(group.padEnd(5, '0'), 2)]).join('');
}
