// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import { FileSource } from '@vouchsafe/bytes/node';
import { type DiskVerdict, verifyDisk } from '@vouchsafe/image';
import { certificateLists, type EfiSignatureList } from '@vouchsafe/pe';
import { type Certificate, decodeCertificates, VENDOR_DER } from '@vouchsafe/pki';
import { EXIT } from '../exit-code.ts';
import { readSignatureLists } from '../keys/signature-lists-file.ts';
import { collect, readSmallFile, wholeNumber } from '../parse.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import { inFile } from '../signature-files.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { findingsText } from '../verity/findings-text.ts';

interface VerifyOptions {
  readonly key?: readonly string[];
  readonly db?: readonly string[];
  readonly dbx?: readonly string[];
  readonly name?: string;
  readonly threads?: number;
}

export const verify: Verb = {
  define(command, session) {
    command
      .description(
        'Checks all that a disk image promises, without mounting it: the partition table, every block under every hash tree, signatures and UUIDs of root hashes, the volumes that firmware reads, the signatures of what boots, and that what boots is for these root hashes.',
      )
      .argument('<DISK>', 'disk image to check')
      .option(
        '--key <file>',
        'certificate of who must have signed root hashes, and, without --db, what boots; may be repeated',
        collect<string>,
      )
      .option(
        '--db <file>',
        'what firmware trusts: certificates, signature lists (.esl) or a signed update (.auth); may be repeated',
        collect<string>,
      )
      .option('--dbx <file>', 'what firmware forbids, in the same forms; may be repeated', collect<string>)
      .option('--name <name>', "name of the image, which an extension's files must have (default: that of the file)")
      .option('--threads <number>', 'threads to hash with (default: as the machine and the size suggest)', wholeNumber)
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        '\nExits with 0 when all is well, 1 when something is not. Warnings do not count.\n\nExample:\n  vouchsafe image verify disk.raw --key verity.crt --db db.crt',
      )
      .action((path: string, options: VerifyOptions) => run(session, path, options));
  },
};

async function run(session: Session, path: string, options: VerifyOptions): Promise<void> {
  const { key = [], db, dbx, threads } = options;
  if (dbx !== undefined && db === undefined && key.length === 0) {
    throw new UsageError('--dbx goes with --db or --key: firmware that forbids something trusts something, too');
  }
  const rootHashSigners = key.flatMap(readCertificates);
  using disk = FileSource.open(path);
  const verdict = await verifyDisk(
    disk,
    {
      rootHashSigners,
      db: db === undefined ? listsOf(rootHashSigners) : db.flatMap((file) => readSignatureLists(file)),
      dbx: dbx?.flatMap((file) => readSignatureLists(file)),
      threads,
      name: options.name ?? imageName(path),
    },
    session.work,
  );
  if (!verdict.isGood) session.exitCode = EXIT.no;
  session.answer(printable(verdictText(path, verdict, key.length > 0)), verdict);
}

function readCertificates(path: string): Certificate[] {
  return inFile(path, () => decodeCertificates(readSmallFile(path), VENDOR_DER));
}

/** For entries that are compared and not written: nobody sees their owner. */
const NO_OWNER = '00000000-0000-0000-0000-000000000000';

function listsOf(certificates: readonly Certificate[]): EfiSignatureList[] | undefined {
  if (certificates.length === 0) return undefined;
  return certificateLists(
    certificates.map(({ bytes }) => bytes),
    NO_OWNER,
  );
}

/** What systemd calls an image: its file's name without the endings that it knows. */
function imageName(path: string): string {
  return basename(path).replace(/(\.sysext|\.confext|\.portable)?\.raw$/, '');
}

function verdictText(
  path: string,
  { isGood, findings, roots, bootFiles, uncovered }: DiskVerdict,
  hasKey: boolean,
): string {
  const of = (severity: string) => findings.filter((finding) => finding.severity === severity);
  const section = (title: string, severity: string): string[] =>
    of(severity).length === 0 ? [] : ['', `${title}:`, findingsText(of(severity))];
  return [
    `${path}: ${isGood ? 'good' : 'not good'}`,
    ...section('Errors', 'error'),
    ...section('Warnings', 'warning'),
    ...section('Remarks', 'info'),
    '',
    'Checked:',
    ...roots.map(({ what, architecture, rootHash, dataBlocks, signedBy }) => {
      const signature = signedBy === undefined ? (hasKey ? '' : ', signer not compared') : `, signed by ${signedBy}`;
      return `    ${what} (${architecture}): all ${dataBlocks} blocks have the root hash ${rootHash}${signature}`;
    }),
    ...bootFiles.map(({ path: file, kind, isSigned, allowedBy }) => {
      const by = allowedBy === undefined ? (isSigned ? 'signed' : 'not signed') : `allowed by ${allowedBy}`;
      return `    ${file}: ${kind}, ${by}`;
    }),
    ...(uncovered.length === 0 ? [] : ['', 'Not covered by a hash tree:']),
    ...uncovered.map(({ number, label, type }) => `    ${number}: ${label} (${type})`),
  ].join('\n');
}
