// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { writeFirstImage } from '@vouchsafe/lab';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';

export const init: Verb = {
  define(command, session) {
    command
      .description(
        "Writes all that a first image needs into DIR: a small root of this machine's busybox and tpm2-tools that reports what its boot has measured, Debian's kernel for virtual machines (downloaded with apt-get, not installed), and a recipe.",
      )
      .argument('<DIR>', 'folder to write; there must be nothing in it')
      .option('--json', 'print one JSON document')
      .addHelpText('after', '\nExample:\n  vouchsafe lab init first')
      .action((folder: string) => run(session, folder));
  },
};

function run(session: Session, folder: string): void {
  session.note("fetching Debian's kernel (27 MB) unless it is there");
  const recipe = writeFirstImage(folder);
  const [keys, out] = [join(folder, 'keys'), join(folder, 'out')];
  const next = [
    `vouchsafe keys generate ${keys}`,
    `vouchsafe image build ${recipe} -o ${out}`,
    `vouchsafe lab boot ${join(out, 'first_1.0.0.raw')} --keys ${keys} --manifest ${join(out, 'first_1.0.0.manifest.json')} --key ${join(keys, 'manifest.pub')}`,
  ];
  session.answer([`${recipe}: written. Next:`, ...next.map((line) => `  ${line}`)].join('\n'), { recipe, next });
}
