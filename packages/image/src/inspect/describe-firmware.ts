// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { decodeSignatureUpdate, decodeVariableStore, type EfiSignature, liveVariables } from '@vouchsafe/pe';
import { decodeCertificate, fingerprintOf, PkiError, VENDOR_DER } from '@vouchsafe/pki';
import { describeCertificate } from './describe-certificates.ts';
import type {
  ArtefactHead,
  ListedSignature,
  SignatureListsDescription,
  VariableStoreDescription,
} from './description.ts';

/** @throws {PeError} */
export function describeVariableStore(bytes: Uint8Array, head: Omit<ArtefactHead, 'kind'>): VariableStoreDescription {
  const store = decodeVariableStore(bytes, head.label);
  const variables = liveVariables(store).map(({ name, vendor, attributes, data }) => {
    return { name, vendor, attributes, sizeBytes: data.length, sha256: toHex(digest('sha256', data)) };
  });
  return { ...head, kind: 'variable-store', variables, freeBytes: store.endOffset - store.freeOffset };
}

/** @throws {PeError} */
export function describeSignatureLists(
  bytes: Uint8Array,
  head: Omit<ArtefactHead, 'kind'>,
  kind: 'signature-lists' | 'signed-variable',
): SignatureListsDescription {
  const { lists, variable } = decodeSignatureUpdate(bytes, head.label);
  const signatures = lists.flatMap(({ type, signatures: all }) => all.map((signature) => describe(type, signature)));
  if (variable === undefined) return { ...head, kind, signatures };
  const { year, month, day, hour, minute, second } = variable.time;
  const two = (value: number): string => String(value).padStart(2, '0');
  return {
    ...head,
    kind,
    timeText: `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`,
    signedBy: variable.signedData.certificates.map((der) => subjectOf(der) ?? `${der.length} octets`),
    signatures,
  };
}

function describe(type: string, { owner, data }: EfiSignature): ListedSignature {
  if (type !== 'x509') return { type, owner, value: toHex(data) };
  const subject = subjectOf(data);
  return { type, owner, ...(subject === undefined ? {} : { subject }), value: toHex(digest('sha256', data)) };
}

/** Of a certificate in DER; undefined for what is none. */
function subjectOf(der: Uint8Array): string | undefined {
  try {
    const certificate = decodeCertificate(der, VENDOR_DER);
    return `${describeCertificate(certificate).subject} (sha256 ${toHex(fingerprintOf(certificate))})`;
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    return undefined;
  }
}
