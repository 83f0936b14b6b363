// SPDX-License-Identifier: Apache-2.0
import { formatBank, type PcrSelection, readBanks, readPcrs } from '@vouchsafe/tpm';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { type TpmPlace, tpmOption, withTpm } from './open-tpm.ts';
import { pcrSelections, pcrsDocument, pcrsText } from './pcr-option.ts';

interface PcrsOptions {
  readonly tpm: TpmPlace;
  readonly pcrs?: readonly PcrSelection[];
}

export const pcrs: Verb = {
  define(command, session) {
    command
      .description('Shows what the PCRs hold now. Read in the clear: evidence for somebody else is a quote.')
      .addOption(tpmOption())
      .option('--pcrs <list>', 'as sha256:0,7,11+sha1:10 (default: all of all banks)', pcrSelections)
      .option('--json', 'print one JSON document')
      .addHelpText('after', '\nExample:\n  vouchsafe tpm pcrs --pcrs sha256:4,7,11')
      .action((options: PcrsOptions) => run(session, options));
  },
};

async function run(session: Session, options: PcrsOptions): Promise<void> {
  const { values, missing } = await withTpm(options.tpm, async (tpm) =>
    readPcrs(tpm, options.pcrs ?? (await readBanks(tpm))),
  );
  for (const { bank, pcr } of missing) session.note(`this TPM has no PCR ${pcr} in bank ${formatBank(bank)}`);
  session.answer(pcrsText(values), { pcrs: pcrsDocument(values) });
}
