// SPDX-License-Identifier: Apache-2.0
import type { AgentState } from './agent-state.ts';
import { writeClientFiles } from './client-files.ts';
import type { StateFolder } from './state-folder.ts';

/** Where the agent keeps what it must not forget; the load generator has memory. */
export interface AgentStore {
  /** Undefined before the first enrolment. */
  read(): AgentState | undefined;
  /** Returns when it will be found again, whatever happens. */
  write(state: AgentState): void;
}

/** The state folder, with the files for other programs beside the state. */
export function folderStore(folder: StateFolder): AgentStore {
  const written = folder.read();
  // A crash may have come between the state and these.
  if (written !== undefined) writeClientFiles(folder, written);
  return {
    read: () => folder.read(),
    write: (state) => {
      folder.write(state);
      writeClientFiles(folder, state);
    },
  };
}
