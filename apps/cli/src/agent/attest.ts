// SPDX-License-Identifier: Apache-2.0
import type { AttestOptions } from '@vouchsafe/agent';
import { utf8 } from '@vouchsafe/base';
import { EXIT } from '../exit-code.ts';
import { openSmallOutput } from '../outputs.ts';
import { hexBytes } from '../parse.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { type AgentOptions, addAgentOptions, sayNo, withAgent } from './agent-options.ts';
import { attestationDocument, verdictText } from './attestation-text.ts';
import { writeEvidence } from './write-evidence.ts';

interface AttestVerbOptions extends AgentOptions {
  readonly ear?: string;
  readonly evidence?: string;
  readonly nonce?: Uint8Array;
  readonly force?: true;
}

export const attest: Verb = {
  define(command, session) {
    addAgentOptions(
      command.description('Proves once to the service what this machine has booted, and shows the verdict.'),
    )
      .option('--ear <file>', 'where the attestation result for others goes, a JWT')
      .option(
        '--evidence <folder>',
        'where to keep what was sent, for quote verify; the boot log is in it where it was sent',
      )
      .option('--nonce <hex>', "another party's challenge, which comes back in the attestation result", hexBytes)
      .option('--force', 'replace a file that exists')
      .addHelpText('after', '\nExit status 1: the machine is not trusted.\n\nExample:\n  vouchsafe agent attest')
      .action((options: AttestVerbOptions) => run(session, options));
  },
};

async function run(session: Session, options: AttestVerbOptions): Promise<void> {
  using output =
    options.ear === undefined
      ? undefined
      : openSmallOutput(session, options.ear, { option: '--ear', force: options.force });
  const folder = options.evidence;
  const request: AttestOptions = {
    ...(options.nonce === undefined ? {} : { relyingPartyNonce: options.nonce }),
    ...(folder === undefined
      ? {}
      : { onEvidence: (evidence, key) => writeEvidence(folder, evidence, key, options.force === true) }),
  };
  try {
    const attestation = await withAgent(options, (agent) => agent.attest(request));
    output?.commit(utf8(attestation.ear));
    session.answer(verdictText(attestation), attestationDocument(attestation));
    if (!attestation.verdict.isTrusted) session.exitCode = EXIT.no;
  } catch (error) {
    sayNo(session, error);
  }
}
