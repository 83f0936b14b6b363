// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Agent, type AgentEvent, runAgent, type ServiceManager, serviceManager } from '@vouchsafe/agent';
import { parseUtf8 } from '@vouchsafe/base';
import { readSmallFile } from '../parse.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { type AgentOptions, addAgentOptions, withAgent } from './agent-options.ts';
import { verdictText } from './attestation-text.ts';
import { joinWithToken } from './enroll.ts';

interface RunVerbOptions extends AgentOptions {
  readonly tokenFile?: string;
}

/** The credential that the unit asks systemd for: see systemd.exec(5), LoadCredential=. */
const CREDENTIAL = 'vouchsafe.token';
/** A step that takes longer than this hangs: the TPM's slowest command takes minutes. */
const STUCK_MS = 15 * 60_000;

export const run: Verb = {
  define(command, session) {
    addAgentOptions(
      command.description(
        'Attests whenever the service wants it, keeps the client certificate fresh, and tries again whatever fails; for a service manager to start. SIGTERM ends it.',
      ),
    )
      .option(
        '--token-file <file>',
        `joins with the token in it where this machine is not enrolled yet; \${CREDENTIALS_DIRECTORY}/${CREDENTIAL} is another place`,
      )
      .addHelpText('after', '\nExample:\n  vouchsafe agent run --token-file /run/vouchsafe-token')
      .action((options: RunVerbOptions) => withAgent(options, (agent) => runUntilStopped(session, agent, options)));
  },
};

async function runUntilStopped(session: Session, agent: Agent, options: RunVerbOptions): Promise<void> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, onSignal);
  const manager = serviceManager();
  let startedMs: number | undefined;
  using _watch = manager.watch(() => startedMs === undefined || performance.now() - startedMs < STUCK_MS);
  await joinWhereNeeded(agent, options);
  manager.ready();
  await runAgent(agent, {
    signal: stop.signal,
    report: (event) => report(session, manager, event),
    onStep: (isUnderWay) => {
      startedMs = isUnderWay ? performance.now() : undefined;
    },
  });
  manager.stopping();
}

async function joinWhereNeeded(agent: Agent, { tokenFile }: RunVerbOptions): Promise<void> {
  if (agent.state !== undefined) return;
  const path = tokenFile ?? credentialPath();
  if (path !== undefined) await agent.beginEnrolment(joinWithToken(parseUtf8(readSmallFile(path))));
}

function credentialPath(): string | undefined {
  const folder = process.env['CREDENTIALS_DIRECTORY'];
  const path = folder === undefined ? undefined : join(folder, CREDENTIAL);
  return path !== undefined && existsSync(path) ? path : undefined;
}

function report(session: Session, manager: ServiceManager, event: AgentEvent): void {
  const text = textOf(event);
  session.note(text);
  manager.status(text.split('\n')[0] ?? '');
}

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

function textOf(event: AgentEvent): string {
  switch (event.kind) {
    case 'enrolled':
      return `enrolled as ${event.deviceId}`;
    case 'awaiting-approval':
      return `an operator has to approve this machine; asking again in ${seconds(event.askAgainAfterMs)}`;
    case 'attested':
      return `${verdictText(event)}\n  next in ${seconds(event.nextInMs)}`;
    case 'certificate':
      return `client certificate until ${new Date(event.notAfterMs).toISOString()}`;
    case 'failed':
      return `${event.error.message}; again in ${seconds(event.againInMs)}`;
  }
}
