// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BytesError } from '@vouchsafe/bytes';
import { showLogs } from '../log/show.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';

/** Where Linux and systemd keep what was measured; what is not there was not measured, or not by this system. */
const LOGS = [
  'sys/kernel/security/tpm0/binary_bios_measurements',
  'run/log/systemd/tpm2-measure.log',
  'sys/kernel/security/ima/binary_runtime_measurements',
];

export const events: Verb = {
  define(command, session) {
    command
      .description("Shows this machine's own logs of what was measured: firmware's, systemd's and IMA's.")
      .option('--root <folder>', 'look there instead: a copy of these files', '/')
      .option('--json', 'print one JSON document')
      .addHelpText('after', '\nExample:\n  vouchsafe tpm events --root evidence')
      .action((options: { readonly root: string }) => run(session, options.root));
  },
};

function run(session: Session, root: string): void {
  const paths = LOGS.map((path) => join(root, path)).filter((path) => existsSync(path));
  if (paths.length === 0) {
    const message = `${join(root, 'sys/kernel/security')}: expected a log of what was measured, found none; is there a TPM, are you root, is securityfs mounted?`;
    throw new BytesError('not_found', message);
  }
  showLogs(session, paths, {});
}
