// SPDX-License-Identifier: Apache-2.0
import { isVouchsafeError } from '@vouchsafe/base';
import { type ByteSource, BytesError, readBytes } from '@vouchsafe/bytes';
import { readSwapArea, type SwapHeader } from '@vouchsafe/disk';
import { describeCertificates, describePlatformCertificate } from './describe-certificates.ts';
import { describeDisk } from './describe-disk.ts';
import { describeSignatureLists, describeVariableStore } from './describe-firmware.ts';
import { describeCompressed, describeInitrd } from './describe-initrd.ts';
import { describeEventLog, describeImaLog, describeOtherLog } from './describe-log.ts';
import { describePe } from './describe-pe.ts';
import { describeManifest, describePem } from './describe-text.ts';
import { describeVerityHash, describeVeritySignature } from './describe-verity.ts';
import { describeErofs, describeFat } from './describe-volume.ts';
import type { ArtefactDescription, ArtefactHead, Content } from './description.ts';
import type { InspectOptions } from './inspect-options.ts';
import { type ArtefactKind, recogniseArtefact } from './recognise.ts';
import { sha256Of } from './sha256-of.ts';

const SMALL_BYTES = 1024 * 1024;
/** What is read whole to be described. Firmware's stores and logs, lists and manifests are far smaller. */
const MAX_WHOLE_BYTES = 64 * 1024 * 1024;

/**
 * Says what a file is and what is in it. Nothing in it is verified. Structures are read and not contents, unless digests
 * are asked for.
 * @throws what the format's reader throws for what is malformed. @throws {BytesError}
 */
export function describeArtefact(source: ByteSource, options: InspectOptions): ArtefactDescription {
  return describeAs(recogniseArtefact(source), source, options);
}

/** The same for a part of something: what cannot be read is said instead of thrown. */
function describeContent(source: ByteSource, options: InspectOptions): Content {
  try {
    return describeArtefact(source, options);
  } catch (error) {
    if (!isVouchsafeError(error) || (error instanceof BytesError && error.code === 'io')) throw error;
    return { error: { code: error.code, message: error.message } };
  }
}

function describeAs(kind: ArtefactKind, source: ByteSource, options: InspectOptions): ArtefactDescription {
  const head = headOf(source, options);
  switch (kind) {
    case 'disk':
      return describeDisk(source, head, (content) => describeContent(content, options));
    case 'pe':
      return describePe(source, head, options);
    case 'erofs':
      return describeErofs(source, head);
    case 'fat':
      return describeFat(source, head, (content) => describeContent(content, options));
    case 'verity-hash':
      return describeVerityHash(source, head);
    case 'verity-signature':
      return describeVeritySignature(readWhole(source), head);
    case 'initrd':
      return describeInitrd(source, head);
    case 'compressed':
      return describeCompressed(source, head);
    case 'variable-store':
      return describeVariableStore(readWhole(source), head);
    case 'signature-lists':
    case 'signed-variable':
      return describeSignatureLists(readWhole(source), head, kind);
    case 'certificates':
      return describeCertificates(readWhole(source), head);
    case 'platform-certificate':
      return describePlatformCertificate(readWhole(source), head);
    case 'pem':
      return describePem(readWhole(source), head);
    case 'manifest':
      return describeManifest(readWhole(source), head);
    case 'event-log':
      return describeEventLog(readWhole(source), head);
    case 'ima-log':
      return describeImaLog(readWhole(source), head);
    case 'userspace-log':
    case 'canonical-log':
    case 'launch-log':
      return describeOtherLog(readWhole(source), head, kind);
    case 'swap':
      return { ...head, kind, swap: readSwapArea(source) as SwapHeader };
    default:
      return { ...head, kind };
  }
}

/** @throws {BytesError} 'out_of_range' for more than is read of such a thing. */
function readWhole(source: ByteSource): Uint8Array {
  if (source.size > MAX_WHOLE_BYTES) {
    throw new BytesError(
      'out_of_range',
      `${source.label}: expected at most ${MAX_WHOLE_BYTES} octets, found ${source.size}`,
    );
  }
  return readBytes(source, 0, source.size);
}

function headOf(source: ByteSource, { allDigests }: InspectOptions): Omit<ArtefactHead, 'kind'> {
  const head = { label: source.label, sizeBytes: source.size };
  return allDigests || source.size <= SMALL_BYTES ? { ...head, sha256: sha256Of(source) } : head;
}
