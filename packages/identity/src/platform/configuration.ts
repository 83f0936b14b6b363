// SPDX-License-Identifier: Apache-2.0
import {
  type AttributeSet,
  contextTag,
  type DerElement,
  type DerReader,
  decodeText,
  reopenDer,
  VENDOR_DER,
} from '@vouchsafe/pki';
import { TCG_OID } from '../tcg-oid.ts';
import { type Component, readComponent } from './component.ts';

/** Parts and properties of one platform; servers with many disks and memory modules have some hundreds. */
const MAX_COMPONENTS = 4096;
const MAX_PROPERTIES = 1024;
const MAX_TRAITS = 64;

export interface PlatformProperty {
  readonly name: string;
  readonly value: string;
}

/** PlatformConfiguration, in any of its three versions. */
export interface PlatformConfiguration {
  /** 1, 2 and 3 of the attribute: profile 1.0, 1.1 and 2.0. */
  readonly version: 1 | 2 | 3;
  readonly components: readonly Component[];
  readonly properties: readonly PlatformProperty[];
}

const VERSIONS: ReadonlyMap<string, 1 | 2 | 3> = new Map([
  [TCG_OID.platformConfiguration1, 1],
  [TCG_OID.platformConfiguration2, 2],
  [TCG_OID.platformConfiguration3, 3],
]);

/**
 * The configuration among a certificate's attributes; undefined when it has none. TCG Platform Certificate Profile 1.0
 * and 1.1, section 3.1; 2.0 with traits.
 * @throws {PkiError} 'der_…'.
 */
export function configurationIn(attributes: readonly AttributeSet[]): PlatformConfiguration | undefined {
  for (const { oid, values } of attributes) {
    const version = VERSIONS.get(oid);
    const [value] = values;
    if (version !== undefined && value !== undefined) return readConfiguration(value, version);
  }
  return undefined;
}

function readConfiguration(value: DerElement, version: 1 | 2 | 3): PlatformConfiguration {
  const sequence = reopenDer(value, VENDOR_DER);
  const components = sequence.readOptional('componentIdentifiers', contextTag(0, 'constructed'));
  // Version 1.0 has the properties as [1]; since 1.1 a URI of components came between.
  if (version > 1) sequence.readOptional('componentIdentifiersUri', contextTag(1, 'constructed'));
  const properties = sequence.readOptional('platformProperties', contextTag(version === 1 ? 1 : 2, 'constructed'));
  sequence.readOptional('platformPropertiesUri', contextTag(version === 1 ? 2 : 3, 'constructed'));
  sequence.end();
  return {
    version,
    components: components === undefined ? [] : readComponents(sequence.enter(components), version),
    properties: properties === undefined ? [] : readProperties(sequence.enter(properties)),
  };
}

function readComponents(list: DerReader, version: 1 | 2 | 3): Component[] {
  return list.rest(MAX_COMPONENTS).flatMap((element) => {
    const component = list.enterSequence(element);
    if (version < 3) return [readComponent(component, version === 2)];
    return componentTraits(component);
  });
}

/** Profile 2.0: a component is a list of traits; the one of version 1.1's identifier says what it is. */
function componentTraits(traits: DerReader): Component[] {
  return traits.rest(MAX_TRAITS).flatMap((element) => {
    const trait = traits.enterSequence(element);
    const id = trait.readOid('traitId');
    trait.readOid('traitCategory');
    trait.readOid('traitRegistry');
    if (id !== TCG_OID.traitComponentIdentifier11) return [];
    trait.readOptional('description', contextTag(0, 'primitive'));
    trait.readOptional('descriptionURI', contextTag(1, 'primitive'));
    const component = readComponent(trait.readSequence('traitValue'), true);
    trait.end();
    return [component];
  });
}

/** Property: name, value, and in a delta a status. */
function readProperties(list: DerReader): PlatformProperty[] {
  return list.rest(MAX_PROPERTIES).map((element) => {
    const sequence = list.enterSequence(element);
    const name = decodeText(sequence.read('propertyName')) ?? '';
    const value = decodeText(sequence.read('propertyValue')) ?? '';
    sequence.readOptional('status', contextTag(0, 'primitive'));
    sequence.end();
    return { name, value };
  });
}
