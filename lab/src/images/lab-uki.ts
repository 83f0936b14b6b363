// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { STUB } from '../machine/firmware.ts';
import { runVouchsafe } from './vouchsafe-command.ts';

/** What goes into the lab's UKI. */
export interface LabUkiInputs {
  readonly linux: string;
  readonly initrd: string;
  readonly cmdline: string;
  readonly uname: string;
  /** A folder of `keys generate`, for the PCR policies. */
  readonly keys: string;
}

const OS_RELEASE = 'ID=vouchsafe-lab\nVERSION_ID=1\nPRETTY_NAME="Vouchsafe lab"\n';

/** Builds the lab's UKI with signed PCR policies, and signs it with the db key of a folder of keys, if one is named. */
export function buildLabUki(path: string, inputs: LabUkiInputs, signingKeys?: string): void {
  const { linux, initrd, cmdline, uname, keys } = inputs;
  runVouchsafe(
    ...['uki', 'build', '--stub', STUB, '--linux', linux, '--initrd', initrd, '--cmdline', cmdline],
    ...['--os-release', OS_RELEASE, '--uname', uname, '--pcr-private-key', join(keys, 'pcr.key'), '-o', path],
    ...(signingKeys === undefined
      ? []
      : ['--key', join(signingKeys, 'db.key'), '--certificate', join(signingKeys, 'db.crt')]),
  );
}
