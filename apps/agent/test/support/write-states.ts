// SPDX-License-Identifier: Apache-2.0
// Writes states without end, until it is killed: `node write-states.ts FOLDER`.
import { folderStore, StateFolder } from '@vouchsafe/agent';
import { madeState } from './made-state.ts';

const store = folderStore(StateFolder.open(process.argv[2] ?? ''));
let n = Number(store.read()?.bootId);
process.stdout.write('begins\n');
for (;;) store.write(madeState(++n));
