// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { contextTag, type DerElement, type DerReader, decodeOid, decodeText, TAG } from '@vouchsafe/pki';

/** Addresses of one component. */
const MAX_ADDRESSES = 64;
/** Identifiers of certificates and URIs that a component may carry; passed over. */
const LAST_FIELD = 7;

/** A part of a platform. TCG Platform Certificate Profile 1.1, ComponentIdentifierV2; 1.0, ComponentIdentifier. */
export interface Component {
  /** Registry and value of the class, such as '2.23.133.18.3.1' and '00070002'; undefined in version 1.0. */
  readonly componentClass: { readonly registry: string; readonly value: string } | undefined;
  readonly manufacturer: string;
  readonly model: string;
  readonly serial: string | undefined;
  readonly revision: string | undefined;
  /** IANA private enterprise number, as its object identifier. */
  readonly manufacturerId: string | undefined;
  readonly fieldReplaceable: boolean | undefined;
  readonly addresses: readonly ComponentAddress[];
  /** In a delta: what became of it. */
  readonly status: 'added' | 'modified' | 'removed' | undefined;
}

export interface ComponentAddress {
  /** Object identifier: 2.23.133.17.1 Ethernet, .2 WLAN, .3 Bluetooth. */
  readonly type: string;
  readonly value: string;
}

const STATUS = ['added', 'modified', 'removed'] as const;

/**
 * One component.
 * @param hasClass since version 1.1 the class comes first.
 * @throws {PkiError} 'der_…'.
 */
export function readComponent(reader: DerReader, hasClass: boolean): Component {
  const componentClass = hasClass ? readClass(reader) : readEarlyClass(reader);
  const manufacturer = text(reader, reader.read('componentManufacturer', TAG.utf8String));
  const model = text(reader, reader.read('componentModel', TAG.utf8String));
  const serial = reader.readOptional('componentSerial', contextTag(0, 'primitive'));
  const revision = reader.readOptional('componentRevision', contextTag(1, 'primitive'));
  const manufacturerId = reader.readOptional('componentManufacturerId', contextTag(2, 'primitive'));
  const replaceable = reader.readOptional('fieldReplaceable', contextTag(3, 'primitive'));
  const addresses = reader.readOptional('componentAddresses', contextTag(4, 'constructed'));
  let status: DerElement | undefined;
  for (let number = 5; number <= LAST_FIELD; number++) {
    const constructed = reader.readOptional('componentPlatformCert', contextTag(number, 'constructed'));
    const primitive = reader.readOptional('status', contextTag(number, 'primitive'));
    if (constructed === undefined && number === LAST_FIELD) status = primitive;
  }
  reader.end();
  return {
    componentClass,
    manufacturer,
    model,
    serial: serial && text(reader, serial),
    revision: revision && text(reader, revision),
    manufacturerId: manufacturerId && objectIdentifier(manufacturerId),
    fieldReplaceable: replaceable && replaceable.contents[0] !== 0,
    addresses: addresses === undefined ? [] : readAddresses(reader.enter(addresses)),
    status: status && STATUS[status.contents[0] ?? -1],
  };
}

function readClass(reader: DerReader): { readonly registry: string; readonly value: string } {
  const sequence = reader.readSequence('componentClass');
  const registry = sequence.readOid('componentClassRegistry');
  const value = toHex(sequence.readOctetString('componentClassValue'));
  sequence.end();
  return { registry, value };
}

/** Certificates of version 1.0 exist with the class of a draft in front: four octets, and no registry to read them by. */
function readEarlyClass(reader: DerReader): undefined {
  reader.readOptional('componentClass', TAG.octetString);
  return undefined;
}

function readAddresses(list: DerReader): ComponentAddress[] {
  return list.rest(MAX_ADDRESSES).map((element) => {
    const sequence = list.enterSequence(element);
    const type = sequence.readOid('addressType');
    const value = text(sequence, sequence.read('addressValue'));
    sequence.end();
    return { type, value };
  });
}

/** IMPLICIT tags hide the type: the profile's strings are UTF-8. */
function text(reader: DerReader, element: DerElement): string {
  const found = decodeText({ ...element, tag: TAG.utf8String });
  if (found === undefined) throw reader.error('der_value', 'text', 'expected text', element);
  return found;
}

/** OBJECT IDENTIFIER behind an IMPLICIT tag. X.690, 8.19. */
function objectIdentifier(element: DerElement): string {
  return decodeOid({ ...element, tag: TAG.oid });
}
