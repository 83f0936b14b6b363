// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Agent,
  AgentError,
  type EndorsementOptions,
  type EnrolmentOutcome,
  type JoinOptions,
} from '@vouchsafe/agent';
import { parseUtf8, toHex } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { decodeCertificates, formatCertificate, VENDOR_DER } from '@vouchsafe/pki';
import { parseJoinToken } from '@vouchsafe/protocol';
import { EK_TEMPLATES } from '@vouchsafe/tpm';
import { Option } from '../arguments/option.ts';
import { collect, readSmallFile } from '../parse.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { type AgentOptions, addAgentOptions, sayNo, withAgent } from './agent-options.ts';

interface EnrollOptions extends AgentOptions {
  readonly url?: string;
  readonly ca?: string;
  readonly inventory?: true;
  readonly approval?: true;
  readonly wait?: true;
  readonly id?: string;
  readonly ek?: string;
  readonly ekCertificate?: readonly string[];
  readonly platformCertificate?: readonly string[];
  readonly force?: true;
}

export const enroll: Verb = {
  define(command, session) {
    addAgentOptions(
      command
        .description(
          "Joins a service: proves that this machine's TPM is genuine and holds the keys that are made for it. Without a token or --url it goes on with what was begun.",
        )
        .argument('[TOKEN]', 'what token create printed; - reads it from standard input, @FILE from a file'),
    )
      .option('--url <url>', 'the service, as https://HOST:PORT, where there is no token')
      .option('--ca <file>', "the authority of the service's certificate, PEM; with --url")
      .option('--inventory', 'the service knows this TPM already')
      .option('--approval', 'an operator of the service lets it in')
      .option('--wait', 'wait for the operator')
      .option('--id <name>', 'the name to propose')
      .addOption(
        new Option('--ek <template>', 'endorsement key to take, where there are several').choices(
          EK_TEMPLATES.map(({ name }) => name),
        ),
      )
      .option(
        '--ek-certificate <file>',
        "the maker's certificate of the endorsement key, where NV has none; may be repeated",
        collect<string>,
      )
      .option('--platform-certificate <file>', 'certificate of the platform, DER; may be repeated', collect<string>)
      .option('--force', 'leave the service that this machine is enrolled with')
      .addHelpText(
        'after',
        '\nExit status 1: the service does not take it, or an operator has to approve it first.\n\nExample:\n  vouchsafe agent enroll - < token',
      )
      .action((token: string | undefined, options: EnrollOptions) => run(session, token, options));
  },
};

async function run(session: Session, token: string | undefined, options: EnrollOptions): Promise<void> {
  const join = joinOptions(token, options);
  try {
    await withAgent(
      options,
      async (agent) => {
        if (join !== undefined) await agent.beginEnrolment(join);
        const outcome = await untilApproved(session, agent, options.wait === true);
        if (outcome.state === 'awaiting-approval') {
          throw new AgentError(
            'awaiting_approval',
            'an operator has to approve this machine; run this again, or with --wait',
          );
        }
        const { deviceId } = outcome.kept.enrolment;
        const { url } = outcome.kept.server;
        session.answer(`enrolled as ${deviceId} at ${url}`, { deviceId, url });
      },
      endorsementOptions(options),
    );
  } catch (error) {
    sayNo(session, error);
  }
}

async function untilApproved(session: Session, agent: Agent, waits: boolean): Promise<EnrolmentOutcome> {
  for (;;) {
    const outcome = await agent.continueEnrolment();
    if (outcome.state === 'enrolled' || !waits) return outcome;
    session.work.signal?.throwIfAborted();
    session.note('waiting for an operator to approve this machine');
    await sleep(outcome.askAgainAfterMs);
  }
}

function joinOptions(token: string | undefined, options: EnrollOptions): JoinOptions | undefined {
  const more = {
    ...(options.id === undefined ? {} : { proposedId: options.id }),
    force: options.force === true,
  };
  if (token !== undefined) {
    if (options.url !== undefined) throw new UsageError('a token names its service; leave out --url');
    return { ...joinWithToken(tokenText(token)), ...more };
  }
  if (options.url === undefined) return undefined;
  if (options.ca === undefined) throw new UsageError('--url needs --ca: the service must be known by its certificate');
  if ((options.inventory === true) === (options.approval === true)) {
    throw new UsageError('--url needs one of --inventory and --approval');
  }
  const [authority] = decodeCertificates(readSmallFile(options.ca));
  if (authority === undefined) throw new UsageError(`${options.ca}: expected a certificate in PEM`);
  const caSha256 = toHex(digest('sha256', authority.publicKey.bytes));
  return {
    server: { url: options.url.replace(/\/$/, ''), caPem: formatCertificate(authority), caSha256 },
    joining: { kind: options.inventory === true ? 'inventory' : 'approval' },
    ...more,
  };
}

/** @throws {ProtocolError} 'join_token_malformed' */
export function joinWithToken(text: string): Pick<JoinOptions, 'server' | 'joining'> {
  const { url, caSha256, token } = parseJoinToken(text.trim());
  return { server: { url, caSha256 }, joining: { kind: 'token', token } };
}

function tokenText(token: string): string {
  if (token === '-') return parseUtf8(readSmallFile('-'));
  return token.startsWith('@') ? parseUtf8(readSmallFile(token.slice(1))) : token;
}

function endorsementOptions({ ek, ekCertificate = [], platformCertificate = [] }: EnrollOptions): EndorsementOptions {
  return {
    ...(ek === undefined ? {} : { template: ek }),
    certificates: ekCertificate
      .flatMap((path) => decodeCertificates(readSmallFile(path), VENDOR_DER))
      .map(({ bytes }) => bytes),
    platformCertificates: platformCertificate.map((path) => readSmallFile(path)),
  };
}
