// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from 'node:path';
import { AgentError } from '@vouchsafe/agent';
import { decodeCertificate, formatCertificate } from '@vouchsafe/pki';
import { parseBase64url } from '@vouchsafe/protocol';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { type AgentOptions, addAgentOptions, sayNo, withAgent } from './agent-options.ts';

interface CertOptions extends AgentOptions {
  readonly renew?: true;
}

export const cert: Verb = {
  define(command, session) {
    addAgentOptions(
      command.description(
        'Shows the client certificate that the service granted, with its issuers, PEM. The files for other programs are in the state folder: client.crt, client.key (a reference to the key in the TPM), openssl.cnf.',
      ),
    )
      .option('--renew', 'attest first, and have the key certified anew')
      .addHelpText(
        'after',
        '\nExit status 1: the service does not grant one.\n\nExample:\n  vouchsafe agent cert --renew',
      )
      .action((options: CertOptions) => run(session, options));
  },
};

async function run(session: Session, options: CertOptions): Promise<void> {
  try {
    await withAgent(options, async (agent) => {
      if (options.renew === true) {
        const { certificate, verdict } = await agent.attest({ certifiesKeys: true });
        if (certificate === undefined) {
          const message = `the service grants no certificate: the verdict is ${verdict.status}; agent attest shows why`;
          throw new AgentError('certificate_refused', message);
        }
      }
      const certificate = agent.state?.certificate;
      if (certificate === undefined) {
        throw new AgentError(
          'certificate_refused',
          'expected a client certificate, found none yet; agent attest asks for one',
        );
      }
      const chain = certificate.chain.map((der) => decodeCertificate(parseBase64url(der)));
      const file = (name: string): string => resolve(join(options.state, name));
      session.answer(chain.map(formatCertificate).join(''), {
        subject: chain[0]?.subject.text,
        notBeforeMs: certificate.notBeforeMs,
        notAfterMs: certificate.notAfterMs,
        renewAtMs: certificate.renewAtMs,
        files: { certificate: file('client.crt'), key: file('client.key'), opensslConf: file('openssl.cnf') },
      });
    });
  } catch (error) {
    sayNo(session, error);
  }
}
