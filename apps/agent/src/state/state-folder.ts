// SPDX-License-Identifier: Apache-2.0
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hostError, OutputFile } from '@vouchsafe/bytes/node';
import { checkMessage, ProtocolError } from '@vouchsafe/protocol';
import { AgentError } from '../error.ts';
import { type AgentState, agentState } from './agent-state.ts';

const STATE_FILE = 'state.json';
/** The certificates in it take some kilobytes each. */
const MAX_STATE_BYTES = 4 * 1024 * 1024;
const PRIVATE_MODE = 0o700;
const OTHERS = 0o077;

/**
 * The agent's folder: nobody else's, and each file in it complete or not there. `state.json` is the truth; the other files
 * are for other programs and are made anew from it at each start, so that a crash between two of them leaves nothing wrong.
 */
export class StateFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Makes the folder where it is not there, and removes what a process that was killed has left in it.
   * @throws {AgentError} 'state_exposed'; {BytesError}
   */
  static open(path: string): StateFolder {
    try {
      mkdirSync(path, { recursive: true, mode: PRIVATE_MODE });
      requirePrivate(path);
      for (const name of readdirSync(path)) {
        if (isLeftOver(name)) rmSync(join(path, name), { force: true });
      }
    } catch (cause) {
      throw cause instanceof AgentError ? cause : hostError(path, cause);
    }
    return new StateFolder(path);
  }

  /**
   * Undefined before the first enrolment.
   * @throws {AgentError} 'state_malformed'; {BytesError}
   */
  read(): AgentState | undefined {
    const file = join(this.path, STATE_FILE);
    let text: string;
    try {
      const stats = lstatSync(file, { throwIfNoEntry: false });
      if (stats === undefined) return undefined;
      if (!stats.isFile() || stats.size > MAX_STATE_BYTES) throw malformed(file);
      text = readFileSync(file, 'utf8');
    } catch (cause) {
      throw cause instanceof AgentError ? cause : hostError(file, cause);
    }
    try {
      return checkMessage(agentState, JSON.parse(text));
    } catch (cause) {
      if (cause instanceof ProtocolError || cause instanceof SyntaxError) throw malformed(file, cause);
      throw cause;
    }
  }

  /** Returns when it is on the device. */
  write(state: AgentState): void {
    this.writeFile(STATE_FILE, `${JSON.stringify(state, null, 2)}\n`);
  }

  /** A file for other programs, beside the state. */
  writeFile(name: string, text: string): void {
    using file = OutputFile.create(join(this.path, name), { force: true, mode: 0o600 });
    file.write(0, Buffer.from(text));
    file.commit();
  }

  /** Undefined when it is not there. */
  readFile(name: string): string | undefined {
    try {
      return readFileSync(join(this.path, name), 'utf8');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw hostError(join(this.path, name), cause);
    }
  }

  removeFile(name: string): void {
    try {
      rmSync(join(this.path, name), { force: true });
    } catch (cause) {
      throw hostError(join(this.path, name), cause);
    }
  }
}

/** `.NAME.PID.N.partial`, of a process that does not run any more. */
function isLeftOver(name: string): boolean {
  const [, pid] = /^\..+\.([0-9]+)\.[0-9]+\.partial$/.exec(name) ?? [];
  if (pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Tightens what is ours, and refuses what is somebody else's: they could exchange what is in it. */
function requirePrivate(path: string): void {
  const { uid, mode } = lstatSync(path);
  if (uid !== process.geteuid?.()) {
    throw new AgentError('state_exposed', `${path}: expected a folder of this user's, found one of user ${uid}`);
  }
  if ((mode & OTHERS) !== 0) chmodSync(path, PRIVATE_MODE);
}

const malformed = (file: string, cause?: unknown): AgentError =>
  new AgentError(
    'state_malformed',
    `${file}: expected the state of the agent, found something else; enrol anew with --force`,
    { cause },
  );
