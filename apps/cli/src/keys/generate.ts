// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { randomBytes } from '@vouchsafe/crypto/signing';
import { certificateLists, type EfiSignatureList, joinSignatureLists } from '@vouchsafe/pe';
import { fingerprintOf, formatCertificate, formatPem, type Validity } from '@vouchsafe/pki';
import { encryptPrivateKey } from '@vouchsafe/pki/node';
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';
import { collect, timeMs, uuidText, wholeNumber } from '../parse.ts';
import type { Session } from '../session.ts';
import { passphraseOf } from '../signer-options.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { KEY_ROLES, type KeyRole, type KeyRoleName } from './key-roles.ts';
import { type KeyVariableName, makeVariable } from './key-variables.ts';
import { type MadeKey, makeKey } from './make-key.ts';
import { OutputFolder } from './output-folder.ts';
import { readmeText } from './readme-text.ts';
import { readSignatureLists } from './signature-lists-file.ts';
import { readVendorCertificates, type VendorCertificates } from './vendor-certificates.ts';

interface GenerateOptions {
  readonly name: string;
  readonly days: number;
  readonly notBefore?: number;
  readonly owner?: string;
  readonly passphraseFile?: string;
  readonly microsoft?: readonly string[];
  readonly dbx?: readonly string[];
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** A century; a mistyped number is found here rather than by whoever reads the certificate. */
const MAX_DAYS = 36_525;

function daysNumber(text: string): number {
  const days = wholeNumber(text);
  if (days < 1 || days > MAX_DAYS) throw new InvalidArgumentError(`Expected 1 to ${MAX_DAYS} days.`);
  return days;
}

export const generate: Verb = {
  define(command, session) {
    command
      .description(
        'Makes the keys of Secure Boot (PK, KEK, db), of PCR policies, of dm-verity and of manifests, each with its certificate, in a new folder.',
      )
      .argument('<DIR>', 'folder to make')
      .option('--name <text>', "what the certificates' names begin with", 'Vouchsafe')
      .option('--days <days>', 'how long the certificates last', daysNumber, 3650)
      .option('--not-before <time>', 'when they begin (default: the start of today, UTC)', timeMs)
      .option('--owner <uuid>', "owner of the entries in the firmware's variables (default: random)", uuidText)
      .option('--passphrase-file <file>', 'encrypt the keys with the pass phrase in this file, - for standard input')
      .option(
        '--microsoft <file>',
        "add Microsoft's certificates to KEK and db, for option ROMs and other systems; may be repeated",
        collect<string>,
      )
      .option(
        '--dbx <file>',
        "what is forbidden from the start, as Microsoft's DBXUpdate.bin; certificates, signature lists or images; may be repeated",
        collect<string>,
      )
      .option('--json', 'print one JSON document')
      .addHelpText('after', '\nExample:\n  vouchsafe keys generate keys')
      .action((path: string, options: GenerateOptions) => run(session, path, options));
  },
};

async function run(session: Session, path: string, options: GenerateOptions): Promise<void> {
  session.whenInterrupted = 'nothing was left under a final name';
  using folder = OutputFolder.create(path);
  const notBeforeMs = options.notBefore ?? Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const validity: Validity = { notBeforeMs, notAfterMs: notBeforeMs + options.days * DAY_MS };
  const owner = options.owner ?? randomUuid();
  const { passphrase } = passphraseOf(options);
  if (passphrase === '') throw new UsageError('--passphrase-file: expected a pass phrase in the file, found none');
  const vendor = readVendorCertificates(options.microsoft ?? []);
  const dbx = joinSignatureLists(
    (options.dbx ?? []).flatMap((file) => readSignatureLists(file)),
    [],
  );
  const keys = {} as Record<KeyRoleName, MadeKey>;
  for (const [name, role] of Object.entries(KEY_ROLES) as [KeyRoleName, KeyRole][]) {
    // Between two keys, which take a while, the signal of Ctrl-C is heard.
    await new Promise(setImmediate);
    session.work.signal?.throwIfAborted();
    const key = await makeKey(role, `${options.name} ${role.name}`, validity);
    keys[name] = key;
    const { privateKeyPem, certificate } = key;
    const pem = passphrase === undefined ? privateKeyPem : encryptPrivateKey(privateKeyPem, passphrase);
    folder.write(`${role.name}.key`, pem, 'private');
    folder.write(`${role.name}.crt`, formatCertificate(certificate), 'public');
  }
  for (const name of ['pcr', 'manifest'] as const) {
    folder.write(`${name}.pub`, formatPem('PUBLIC KEY', keys[name].signer.spki), 'public');
  }
  await writeVariables(folder, keys, { ...vendor, dbx }, owner, notBeforeMs);
  folder.write(
    'README',
    readmeText({ owner, notAfterMs: validity.notAfterMs, isEncrypted: passphrase !== undefined }),
    'public',
  );
  folder.commit();
  for (const note of vendor.notes) session.note(note);
  session.answer(
    `${path}: keys made, valid until ${new Date(validity.notAfterMs).toISOString().slice(0, 10)}; move PK.key and KEK.key offline (see ${path}/README)`,
    {
      folder: path,
      owner,
      notBefore: new Date(validity.notBeforeMs).toISOString(),
      notAfter: new Date(validity.notAfterMs).toISOString(),
      keys: Object.fromEntries(
        Object.entries(keys).map(([name, { certificate }]) => [
          KEY_ROLES[name as KeyRoleName].name,
          { subject: certificate.subject.text, fingerprint: toHex(fingerprintOf(certificate)) },
        ]),
      ),
    },
  );
}

type VariableRow = [KeyVariableName, EfiSignatureList[], MadeKey];

/** Each variable as lists and as signed update: PK by itself, KEK by PK, db and dbx by KEK. UEFI 2.10, 32.3. */
async function writeVariables(
  folder: OutputFolder,
  { pk, kek, db }: Record<KeyRoleName, MadeKey>,
  more: Pick<VendorCertificates, 'kek' | 'db'> & { readonly dbx: readonly EfiSignatureList[] },
  owner: string,
  timeMs: number,
): Promise<void> {
  const own = ({ certificate }: MadeKey) => certificateLists([certificate.bytes], owner);
  const variables: readonly VariableRow[] = [
    ['PK', own(pk), pk],
    ['KEK', [...own(kek), ...more.kek], pk],
    ['db', [...own(db), ...more.db], kek],
    ...(more.dbx.length === 0 ? [] : [['dbx', [...more.dbx], kek] satisfies VariableRow]),
  ];
  for (const [name, lists, { signer }] of variables) {
    const { esl, auth } = await makeVariable(name, lists, signer, timeMs);
    folder.write(`${name}.esl`, esl, 'public');
    folder.write(`${name}.auth`, auth, 'public');
    // systemd-boot enrols from here: systemd-boot(7), secure-boot-enroll.
    folder.write(`loader/keys/auto/${name}.auth`, auth, 'public');
  }
}

/** RFC 9562, 5.4. */
function randomUuid(): string {
  const hex = toHex(randomBytes(16));
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20)}`;
}
