// SPDX-License-Identifier: Apache-2.0
import {
  Agent,
  AgentError,
  type EndorsementOptions,
  findTpmDevice,
  folderStore,
  linuxLogs,
  localTpm,
  StateFolder,
} from '@vouchsafe/agent';
import type { Command } from '../arguments/command.ts';
import { Option } from '../arguments/option.ts';
import { EXIT } from '../exit-code.ts';
import type { Session } from '../session.ts';
import { openPlace, type TpmPlace, tpmPlace, VARIABLE } from '../tpm/open-tpm.ts';

export interface AgentOptions {
  readonly state: string;
  readonly tpm?: TpmPlace;
  readonly root: string;
}

const DEFAULT_STATE = '/var/lib/vouchsafe-agent';

/** Where the state is, as systemd or the user says it. */
export function stateOption(): Option {
  const place = process.env['STATE_DIRECTORY'] || DEFAULT_STATE;
  return new Option('--state <folder>', 'folder of what the agent keeps').default(place, place);
}

/** The options of all verbs that use the machine. */
export function addAgentOptions(command: Command): Command {
  const tpm = new Option(
    '--tpm <place>',
    `device:PATH, swtpm:SOCKET or swtpm:HOST:PORT; ${VARIABLE} says another default`,
  )
    .argParser(tpmPlace)
    .default(placeOf(process.env[VARIABLE]), process.env[VARIABLE] || '/dev/tpmrm0, else /dev/tpm0');
  return command
    .addOption(stateOption())
    .addOption(tpm)
    .option('--root <folder>', 'look for the logs there instead: a copy of these files', '/')
    .option('--json', 'print one JSON document');
}

const placeOf = (text: string | undefined): TpmPlace | undefined =>
  text === undefined || text === '' ? undefined : tpmPlace(text);

/** The agent of this machine, with its state. The caller closes it. */
function openAgent(options: AgentOptions, endorsement: EndorsementOptions = {}): Agent {
  return new Agent({
    store: folderStore(StateFolder.open(options.state)),
    tpm: localTpm(() => openPlace(options.tpm ?? { kind: 'device', path: findTpmDevice() }), endorsement),
    logs: linuxLogs(options.root),
  });
}

/** Runs with an agent, and ends its connections. */
export async function withAgent<T>(
  options: AgentOptions,
  use: (agent: Agent) => Promise<T>,
  endorsement: EndorsementOptions = {},
): Promise<T> {
  const agent = openAgent(options, endorsement);
  try {
    return await use(agent);
  } finally {
    agent.close();
  }
}

/** Errors that say no, where others say that something is broken. */
const NO: readonly string[] = ['secret_refused', 'certificate_refused', 'credential_refused', 'awaiting_approval'];
const FORBIDDEN = 403;

/** An answer of no, as a message and exit status 1; anything else is thrown on. */
export function sayNo(session: Session, error: unknown): void {
  const isNo = error instanceof AgentError && (NO.includes(error.code) || error.problem?.status === FORBIDDEN);
  if (!isNo) throw error;
  session.fail(error.code, error.message, false);
  session.exitCode = EXIT.no;
}
