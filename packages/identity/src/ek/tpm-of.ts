// SPDX-License-Identifier: Apache-2.0
import {
  type Certificate,
  OID,
  openDerSequence,
  PkiError,
  readAttributeSets,
  reopenDer,
  VENDOR_DER,
} from '@vouchsafe/pki';
import { type Manufacturer, parseManufacturer } from '../manufacturer.ts';
import { TCG_OID } from '../tcg-oid.ts';

/** What an EK certificate says of its TPM. TCG EK Credential Profile, subject alternative name and directory attributes. */
export interface TpmDescription {
  readonly manufacturer: Manufacturer | undefined;
  readonly model: string | undefined;
  /** 'id:' and digits of the firmware's version, as it stands there. */
  readonly version: string | undefined;
  readonly specification: TpmSpecification | undefined;
}

/** tPMSpecification: family '2.0', level, revision times 100. */
export interface TpmSpecification {
  readonly family: string;
  readonly level: number;
  readonly revision: number;
}

/** The TPM that the certificate describes; what is missing or unreadable is undefined, as makers leave parts out. */
export function tpmOf(certificate: Certificate): TpmDescription {
  const texts = new Map<string, string>();
  for (const name of certificate.extensions.subjectAltName ?? []) {
    if (name.kind !== 'directory') continue;
    // Some makers put the three into one relative name, some into three: both occur.
    for (const { oid, text } of name.name.rdns.flat()) {
      if (text !== undefined && !texts.has(oid)) texts.set(oid, text);
    }
  }
  const manufacturer = texts.get(TCG_OID.tpmManufacturer);
  return {
    manufacturer: manufacturer === undefined ? undefined : parseManufacturer(manufacturer),
    model: texts.get(TCG_OID.tpmModel),
    version: texts.get(TCG_OID.tpmVersion),
    specification: specificationOf(certificate),
  };
}

function specificationOf(certificate: Certificate): TpmSpecification | undefined {
  const extension = certificate.extensions.all.find(({ oid }) => oid === OID.subjectDirectoryAttributes);
  if (extension === undefined) return undefined;
  try {
    const sets = readAttributeSets(openDerSequence(extension.value.contents, 'SubjectDirectoryAttributes', VENDOR_DER));
    const [value] = sets.find(({ oid }) => oid === TCG_OID.tpmSpecification)?.values ?? [];
    if (value === undefined) return undefined;
    const sequence = reopenDer(value, VENDOR_DER);
    const family = openText(sequence.read('family').contents);
    const level = Number(sequence.readInteger('level'));
    const revision = Number(sequence.readInteger('revision'));
    return { family, level, revision };
  } catch (error) {
    // It only describes; a certificate is not refused for how it does.
    if (error instanceof PkiError) return undefined;
    throw error;
  }
}

function openText(bytes: Uint8Array): string {
  if (bytes.length > 32 || bytes.some((byte) => byte < 0x20 || byte > 0x7e)) {
    throw new PkiError('der_value', 'expected a family such as 2.0');
  }
  return String.fromCharCode(...bytes);
}
