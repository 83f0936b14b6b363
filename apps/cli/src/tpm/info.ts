// SPDX-License-Identifier: Apache-2.0
import {
  formatBank,
  formatPcrSelection,
  readAlgorithms,
  readBanks,
  readCommands,
  readHandles,
  readIdentity,
  readProperties,
} from '@vouchsafe/tpm';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { type TpmPlace, tpmOption, withTpm } from './open-tpm.ts';

export const info: Verb = {
  define(command, session) {
    command
      .description('Says which TPM this is, what it can do, and what is in it.')
      .addOption(tpmOption())
      .option('--json', 'print one JSON document')
      .addHelpText('after', '\nExample:\n  vouchsafe tpm info')
      .action((options: { readonly tpm: TpmPlace }) => run(session, options.tpm));
  },
};

async function run(session: Session, place: TpmPlace): Promise<void> {
  const found = await withTpm(place, async (tpm) => ({
    identity: await readIdentity(tpm),
    banks: await readBanks(tpm),
    algorithms: await readAlgorithms(tpm),
    commands: (await readCommands(tpm)).length,
    persistent: await readHandles(tpm, 'persistent'),
    nv: await readHandles(tpm, 'nvIndex'),
    variable: await readProperties(tpm, 'variable'),
  }));
  const { identity, banks, algorithms, commands, persistent, nv, variable } = found;
  const lockout = { counter: variable.get('lockoutCounter'), max: variable.get('maxAuthFail') };
  const maker = identity.manufacturerName ?? 'not in the registry';
  const lines = [
    `Manufacturer  ${identity.manufacturer} (${maker})`,
    `Model         ${identity.vendorString}`,
    `Firmware      ${identity.firmwareVersion}`,
    `Specification TPM 2.0, revision ${identity.revision}; ${commands} commands`,
    `PCR banks     ${formatPcrSelection(banks).replaceAll('+', '\n              ')}`,
    `Algorithms    ${algorithms.join(' ')}`,
    `Wrong PINs    ${lockout.counter ?? '?'} of ${lockout.max ?? '?'} before it locks`,
    `Persistent    ${persistent.map(hex).join(' ') || 'nothing'}`,
    `NV indices    ${nv.map(hex).join(' ') || 'none'}`,
  ];
  session.answer(printable(lines.join('\n')), {
    ...identity,
    banks: Object.fromEntries(banks.map(({ bank, pcrs }) => [formatBank(bank), pcrs])),
    algorithms,
    commands,
    lockout,
    persistentHandles: persistent.map(hex),
    nvIndices: nv.map(hex),
  });
}

const hex = (handle: number): string => `0x${handle.toString(16).padStart(8, '0')}`;
