// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, concatBytes, toHex } from '@vouchsafe/base';
import {
  decodeImaEntry,
  type ImaEntry,
  type ImaEvent,
  type ImaFile,
  type Replay,
  replayedPcr,
} from '@vouchsafe/eventlog';
import type { Manifest } from '@vouchsafe/manifest';
import { isTpmHash, isTpmHashAvailable, tpmDigest } from '@vouchsafe/tpm';
import type { Facts } from '../facts.ts';
import type { AppraisalFinding } from '../finding.ts';
import type { PreparedFiles, PreparedImage } from '../references/reference-set.ts';
import { ImaSignatures } from './ima-signature.ts';
import { VerityWatch } from './verity-watch.ts';

/** What entries are compared with. */
export interface RuntimeReference {
  /** PCRs as they were when the kernel started. Undefined where the entries in question are not the first. */
  readonly atKernelStart: Replay | undefined;
  /** Of the image that was booted; undefined when its lists were not given. */
  readonly files: PreparedFiles | undefined;
  readonly roots: Manifest['roots'];
  /** All that are known, to say whose a file is. */
  readonly images: readonly PreparedImage[];
  readonly deniedFiles: ReadonlySet<string>;
  readonly allowedFiles: ReadonlySet<string>;
  /** Keys that vouch for files, SPKI. */
  readonly imaKeys: readonly Uint8Array[];
}

type Counts = { -readonly [K in keyof Facts['runtime']]: Facts['runtime'][K] };

/** Findings of one part of a list; what is not listed is counted all the same. */
const MAX_FINDINGS = 128;

/** Judges entries of IMA's list one after the other. It never throws: file names hold anything. */
export class EntryJudge {
  readonly findings: AppraisalFinding[] = [];
  readonly #counts: Counts;
  readonly #reference: RuntimeReference;
  readonly #verity: VerityWatch;
  readonly #signatures: ImaSignatures;
  #isUnlistedSaid = false;

  constructor(reference: RuntimeReference, before: Facts['runtime'], verityNames: readonly string[]) {
    this.#reference = reference;
    this.#counts = { ...before };
    this.#verity = new VerityWatch(reference.roots, verityNames);
    this.#signatures = new ImaSignatures(reference.imaKeys);
  }

  get facts(): Facts['runtime'] {
    return this.#counts;
  }

  get verityNames(): readonly string[] {
    return this.#verity.names;
  }

  take(event: ImaEvent): void {
    const isFirst = this.#counts.entries === 0;
    this.#counts.entries++;
    const entry = decodeImaEntry(event);
    if (isFirst) {
      this.#takeAggregate(event, entry);
      return;
    }
    if (event.isViolation) {
      this.#counts.violations++;
      const what = entry.kind === 'file' ? `: ${entry.file.path}` : '';
      const hint = `A file was written to while it was measured, so that nobody knows what was used${what}`;
      this.#add('ima_violation', event, entry, hint);
      return;
    }
    if (entry.kind === 'file') this.#takeFile(event, entry.file, entry);
    else if (entry.kind === 'buffer') this.#takeBuffer(event, entry);
    else {
      this.#counts.unknownEntries++;
      const why = entry.kind === 'raw' ? entry.reason : `the template ${event.type} is not known`;
      this.#add('ima_unread', event, entry, `The entry cannot be taken apart: ${why}`);
    }
  }

  /** A42. Linux, ima_calc_boot_aggregate_tfm: the digest over PCR 0 to 9, of the bank of the kernel's hash. */
  #takeAggregate(event: ImaEvent, entry: ImaEntry): void {
    const { atKernelStart } = this.#reference;
    const file = entry.kind === 'file' ? entry.file : undefined;
    const isGood =
      file !== undefined &&
      !event.isViolation &&
      file.path === 'boot_aggregate' &&
      atKernelStart !== undefined &&
      isAggregate(file, atKernelStart);
    this.#counts.isAggregateGood = isGood;
    if (isGood) return;
    const hint =
      'The list does not begin with the digest over this boot’s PCR 0 to 9: it is of another boot, or the kernel was started by another one (kexec)';
    this.#add('ima_aggregate', event, entry, hint, 'error');
  }

  #takeFile(event: ImaEvent, file: ImaFile, entry: ImaEntry): void {
    const hex = toHex(file.digest);
    const { deniedFiles, allowedFiles, files } = this.#reference;
    const isContent = file.algorithm === 'sha256' && file.digestType !== 'verity';
    // Before all else: a file that was good once, and signed, is not good for ever.
    if (isContent && deniedFiles.has(hex)) {
      this.#counts.deniedFiles++;
      this.#add('ima_file_denied', event, entry, `${file.path} is on the list of denied files`, 'error');
      return;
    }
    if (isContent && (allowedFiles.has(hex) || files?.byDigest.has(hex))) return;
    if (this.#signatures.isSigned(file)) {
      this.#counts.signedFiles++;
      return;
    }
    this.#counts.unknownFiles++;
    if (files === undefined) {
      if (this.#isUnlistedSaid) return;
      this.#isUnlistedSaid = true;
      const hint =
        'Files were used, and there is no list of the image’s files to compare them with; give the lists that its manifest names';
      this.#add('ima_unlisted', event, entry, hint);
      return;
    }
    this.#add('ima_file_unknown', event, entry, this.#whose(file, hex, isContent));
  }

  /** What is known of a file that the image does not have. */
  #whose({ path, algorithm }: ImaFile, hex: string, isContent: boolean): string {
    if (!isContent) return `${path} was used, known by a digest (${algorithm}) that the image’s lists do not have`;
    const other = this.#reference.images.find(({ files }) => files?.byDigest.has(hex));
    if (other !== undefined) return `${path} was used, which is not the image’s; it is the one of ${other.name}`;
    if (this.#reference.files?.byPath.has(path)) return `${path} was used, with another content than the image’s`;
    return `${path} was used, which the image does not have`;
  }

  #takeBuffer(event: ImaEvent, entry: Extract<ImaEntry, { kind: 'buffer' }>): void {
    // The digest is of the buffer, which is what is read.
    if (!isDigestOf(entry)) {
      this.#counts.unknownEntries++;
      this.#add('ima_unread', event, entry, `${entry.name}: the buffer is not the one that was measured`);
      return;
    }
    const said = this.#verity.take(entry);
    if (said.kind === 'verity') this.#counts.verityDevices++;
    else if (said.kind === 'bad') {
      this.#counts.isVerityIntact = false;
      this.#add(said.code, event, entry, said.hint, 'error');
    } else if (said.kind === 'unknown') {
      this.#counts.unknownEntries++;
      this.#add('ima_buffer_unknown', event, entry, `${entry.name} was measured, which no rule knows: ${said.hint}`);
    }
  }

  #add(
    code: AppraisalFinding['code'],
    { pcr, index, offset }: ImaEvent,
    entry: ImaEntry,
    hint: string,
    severity: AppraisalFinding['severity'] = 'warning',
  ): void {
    if (this.findings.length >= MAX_FINDINGS) return;
    const digest = entry.kind === 'file' ? entry.file.digest : entry.kind === 'buffer' ? entry.digest : undefined;
    const path =
      entry.kind === 'file'
        ? entry.file.path.slice(0, 512)
        : entry.kind === 'buffer'
          ? entry.name.slice(0, 512)
          : undefined;
    this.findings.push({
      code,
      severity,
      where: { artefact: 'IMA list', pcr, event: index, offset, ...(path === undefined ? {} : { path }) },
      ...(digest === undefined ? {} : { actual: toHex(digest) }),
      hint: hint.slice(0, 1024),
    });
  }
}

const AGGREGATE_PCRS = 10;

function isAggregate({ algorithm, digest }: ImaFile, replay: Replay): boolean {
  if (!isTpmHash(algorithm) || algorithm === 'sha1' || !isTpmHashAvailable(algorithm)) return false;
  const bank = replay.banks.get(algorithm);
  if (bank === undefined) return false;
  const pcrs = Array.from({ length: AGGREGATE_PCRS }, (_, pcr) => replayedPcr(replay, bank, pcr));
  return bytesEqual(tpmDigest(algorithm, concatBytes(...pcrs)), digest);
}

function isDigestOf({ algorithm, digest, buffer }: Extract<ImaEntry, { kind: 'buffer' }>): boolean {
  return isTpmHash(algorithm) && isTpmHashAvailable(algorithm) && bytesEqual(tpmDigest(algorithm, buffer), digest);
}
