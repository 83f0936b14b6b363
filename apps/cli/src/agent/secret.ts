// SPDX-License-Identifier: Apache-2.0
import { writeSync } from 'node:fs';
import { hostError } from '@vouchsafe/bytes/node';
import { wholeNumber } from '../parse.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { type AgentOptions, addAgentOptions, sayNo, withAgent } from './agent-options.ts';

interface SecretOptions extends AgentOptions {
  readonly fd?: number;
}

export const secret: Verb = {
  define(command, session) {
    addAgentOptions(
      command
        .description(
          'Attests, and prints a secret that the service holds for this machine: its octets and nothing else. It is written to no file.',
        )
        .argument('<NAME>', 'what the operator called it'),
    )
      .option('--fd <number>', 'write to this file descriptor instead of standard output', wholeNumber)
      .addHelpText(
        'after',
        '\nExit status 1: the service does not give it.\n\nExample:\n  vouchsafe agent secret disk-key | cryptsetup open --key-file - /dev/vdb data',
      )
      .action((name: string, options: SecretOptions) => run(session, name, options));
  },
};

async function run(session: Session, name: string, options: SecretOptions): Promise<void> {
  if (options.fd === undefined) session.claimOutput('the secret');
  try {
    const bytes = await withAgent(options, (agent) => agent.secret(name));
    if (options.fd === undefined) session.writeBytes(bytes);
    else writeTo(options.fd, bytes);
    bytes.fill(0);
  } catch (error) {
    sayNo(session, error);
  }
}

function writeTo(fd: number, bytes: Uint8Array): void {
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
  } catch (cause) {
    throw hostError(`file descriptor ${fd}`, cause);
  }
}
