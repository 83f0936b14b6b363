// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '@vouchsafe/base';
import { OutputFile } from '@vouchsafe/bytes/node';
import {
  type AuthenticatedVariable,
  decodeAuthenticatedVariable,
  decodeSignatureLists,
  decodeVariableStore,
  type EfiSignatureList,
  encodeSignatureLists,
  enrolSecureBoot,
  joinSignatureLists,
  liveVariables,
  MAX_STORE_BYTES,
  PeError,
  verifyAuthenticatedVariable,
} from '@vouchsafe/pe';
import { type Certificate, decodeCertificate, fingerprintOf, VENDOR_DER } from '@vouchsafe/pki';
import { requireDistinctOutputs } from '../outputs.ts';
import { collect, readSmallFile } from '../parse.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { KEY_VARIABLES, type KeyVariableName } from './key-variables.ts';
import { readSignatureLists } from './signature-lists-file.ts';
import { readVendorCertificates } from './vendor-certificates.ts';

interface EnrollOptions {
  readonly vars: string;
  readonly output: string;
  readonly microsoft?: readonly string[];
  readonly dbx?: readonly string[];
  readonly keep?: true;
  readonly force?: true;
}

export const enroll: Verb = {
  define(command, session) {
    command
      .description(
        'Puts the keys of DIR into a copy of the variable store of a virtual machine (OVMF) and turns Secure Boot on. For real machines see the README in DIR.',
      )
      .argument('<DIR>', 'folder that keys generate has made; no private key is read')
      .requiredOption('--vars <file>', 'variable store to copy: OVMF_VARS.fd, OVMF_VARS_4M.fd')
      .requiredOption('-o, --output <file>', 'file to write')
      .option(
        '--microsoft <file>',
        "add Microsoft's certificates to KEK and db, for option ROMs and other systems; may be repeated",
        collect<string>,
      )
      .option('--keep', 'keep the certificates that KEK and db of the store hold (what dbx holds is always kept)')
      .option(
        '--dbx <file>',
        'what is forbidden too: certificates, signature lists, a signed update, or images, by their digest; may be repeated',
        collect<string>,
      )
      .option('--force', 'replace an existing file')
      .option('--json', 'print one JSON document')
      .addHelpText('after', '\nExample:\n  vouchsafe keys enroll keys --vars OVMF_VARS_4M.fd -o machine-vars.fd')
      .action((path: string, options: EnrollOptions) => run(session, path, options));
  },
};

function run(session: Session, folder: string, options: EnrollOptions): void {
  requireDistinctOutputs([options.vars, ...(options.microsoft ?? []), ...(options.dbx ?? [])], [options.output]);
  session.whenInterrupted = 'nothing was left under a final name';
  using output = OutputFile.create(options.output, { force: options.force ?? false });
  const updates = readUpdates(folder);
  const vendor = readVendorCertificates(options.microsoft ?? []);
  const { PK, KEK, db } = updates;
  const vars = readSmallFile(options.vars, MAX_STORE_BYTES);
  const present = presentLists(vars);
  const kept = (name: string): EfiSignatureList[] => (options.keep === undefined ? [] : present(name));
  const own = ({ data }: AuthenticatedVariable) => decodeSignatureLists(data);
  // A revocation that is there stays: who starts from a store with dbx wants no less of it.
  const forbidden = [...present('dbx'), ...(updates.dbx === undefined ? [] : own(updates.dbx))];
  const dbx = joinSignatureLists(
    forbidden,
    (options.dbx ?? []).flatMap((path) => readSignatureLists(path)),
  );
  const store = enrolSecureBoot(vars, {
    pk: PK.data,
    kek: encodeSignatureLists(joinSignatureLists([...own(KEK), ...vendor.kek], kept('KEK'))),
    db: encodeSignatureLists(joinSignatureLists([...own(db), ...vendor.db], kept('db'))),
    ...(dbx.length === 0 ? {} : { dbx: encodeSignatureLists(dbx) }),
    timeMs: timeMsOf(PK),
  });
  output.write(0, store);
  output.commit();
  for (const note of vendor.notes) session.note(note);
  const [owner] = certificatesOf(PK);
  session.answer(`${options.output}: Secure Boot on, platform key ${printable(owner?.subject.text ?? 'unknown')}`, {
    output: options.output,
    ...(owner === undefined
      ? {}
      : { platformKey: { subject: owner.subject.text, fingerprint: toHex(fingerprintOf(owner)) } }),
  });
}

/**
 * The signed updates of the folder, each checked as firmware would: files of two key folders do not go together.
 * @throws {PkiError} as verifyAuthenticatedVariable.
 */
function readUpdates(folder: string) {
  const pathOf = (name: KeyVariableName): string => join(folder, `${name}.auth`);
  const read = (name: KeyVariableName): AuthenticatedVariable =>
    decodeAuthenticatedVariable(readSmallFile(pathOf(name)), pathOf(name));
  const updates = {
    PK: read('PK'),
    KEK: read('KEK'),
    db: read('db'),
    dbx: existsSync(pathOf('dbx')) ? read('dbx') : undefined,
  };
  verifyAuthenticatedVariable(updates.PK, KEY_VARIABLES.PK, certificatesOf(updates.PK));
  verifyAuthenticatedVariable(updates.KEK, KEY_VARIABLES.KEK, certificatesOf(updates.PK));
  verifyAuthenticatedVariable(updates.db, KEY_VARIABLES.db, certificatesOf(updates.KEK));
  if (updates.dbx !== undefined) {
    verifyAuthenticatedVariable(updates.dbx, KEY_VARIABLES.dbx, certificatesOf(updates.KEK));
  }
  return updates;
}

/** What the variables of a store hold. */
function presentLists(file: Uint8Array): (name: string) => EfiSignatureList[] {
  const live = liveVariables(decodeVariableStore(file));
  return (name) => {
    const { vendor } = KEY_VARIABLES[name as KeyVariableName];
    const found = live.find((variable) => variable.name === name && variable.vendor === vendor);
    return found === undefined ? [] : decodeSignatureLists(found.data, name);
  };
}

function certificatesOf({ data }: AuthenticatedVariable): Certificate[] {
  return decodeSignatureLists(data)
    .filter(({ type }) => type === 'x509')
    .flatMap(({ signatures }) => signatures.map((signature) => decodeCertificate(signature.data, VENDOR_DER)));
}

/** The update's own time, so that the same keys give the same store, and firmware still takes later updates. */
function timeMsOf({ time }: AuthenticatedVariable): number {
  const { year, month, day, hour, minute, second } = time;
  const value = Date.UTC(year, month - 1, day, hour, minute, second);
  if (Number.isNaN(value)) throw new PeError('variable_malformed', `PK.auth: expected a time, found year ${year}`);
  return value;
}
