// SPDX-License-Identifier: Apache-2.0
import {
  type AttributeCertificate,
  type AttributeSet,
  type DerElement,
  decodeAttributeCertificate,
  decodeOid,
  decodeText,
  openDer,
  PkiError,
  reopenDer,
  TAG,
  VENDOR_DER,
} from '@vouchsafe/pki';
import { TCG_OID } from '../tcg-oid.ts';
import { configurationIn, type PlatformConfiguration } from './configuration.ts';

/** A platform certificate: what its maker says a machine is made of. Nothing here says that it is trusted. */
export interface PlatformCertificate {
  readonly attributeCertificate: AttributeCertificate;
  /** A delta changes what a base certificate says. */
  readonly kind: 'base' | 'delta';
  readonly manufacturer: string | undefined;
  readonly model: string | undefined;
  readonly version: string | undefined;
  readonly serial: string | undefined;
  readonly configuration: PlatformConfiguration | undefined;
}

/** Attributes in one relative name. */
const MAX_ATTRIBUTES = 16;

/**
 * A TCG platform attribute certificate of profile 1.0, 1.1 or 2.0, base or delta.
 * @throws {PkiError} 'der_…', 'certificate_malformed', 'unsupported'.
 */
export function decodePlatformCertificate(bytes: Uint8Array): PlatformCertificate {
  const certificate = decodeAttributeCertificate(bytes, VENDOR_DER);
  const texts = namesIn(certificate);
  const first = (...oids: readonly string[]): string | undefined =>
    oids.map((oid) => texts.get(oid)).find((text) => text !== undefined);
  return {
    attributeCertificate: certificate,
    kind: kindOf(certificate.attributes),
    manufacturer: first(TCG_OID.platformManufacturerStr, TCG_OID.platformManufacturer),
    model: first(TCG_OID.platformModel11, TCG_OID.platformModel),
    version: first(TCG_OID.platformVersion11, TCG_OID.platformVersion),
    serial: first(TCG_OID.platformSerial, TCG_OID.credentialSpecification),
    configuration: configurationIn(certificate.attributes),
  };
}

/** The attributes of the subject's alternative names, by their object identifiers. */
function namesIn({ extensions }: AttributeCertificate): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const name of extensions.subjectAltName ?? []) {
    const attributes =
      name.kind === 'directory' ? name.name.rdns.flat() : name.kind === 'other' ? looseAttributes(name.element) : [];
    for (const { oid, text } of attributes) if (text !== undefined) texts.set(oid, text);
  }
  return texts;
}

/** Early certificates have the relative names where a GeneralName should hold them. */
function looseAttributes(element: DerElement): { readonly oid: string; readonly text: string | undefined }[] {
  if (element.tag !== TAG.set) return [];
  const set = openDer(element.contents, VENDOR_DER);
  return set.rest(MAX_ATTRIBUTES).map((attribute) => {
    const sequence = set.enterSequence(attribute);
    const oid = sequence.readOid('type');
    return { oid, text: decodeText(sequence.read('value')) };
  });
}

/** tCGCredentialType: without one, as in profile 1.0, it is a base certificate. */
function kindOf(attributes: readonly AttributeSet[]): 'base' | 'delta' {
  const [value] = attributes.find(({ oid }) => oid === TCG_OID.credentialType)?.values ?? [];
  if (value === undefined) return 'base';
  const type = decodeOid(reopenDer(value, VENDOR_DER).read('certificateType', TAG.oid));
  switch (type) {
    case TCG_OID.platformAttributeCertificate:
    case TCG_OID.platformKeyCertificate:
      return 'base';
    case TCG_OID.deltaPlatformAttributeCertificate:
    case TCG_OID.deltaPlatformKeyCertificate:
      return 'delta';
    default: {
      const { path, offset } = value;
      throw new PkiError('unsupported', `expected the type of a platform certificate, found ${type}`, { path, offset });
    }
  }
}
