// SPDX-License-Identifier: Apache-2.0
import { execute } from '../command/execute.ts';
import { tpm2GetCapability } from '../commands/capability.ts';
import { TpmError } from '../error.ts';
import { decodePcrSelection, type PcrSelection } from '../pcr-selection.ts';
import type { TpmAlgId } from '../structures/algorithm.ts';
import { TPM_PT, type TpmProperty, type TpmsCapabilityData } from '../structures/capability.ts';
import { firstHandle, type TPM_HT } from '../structures/handle.ts';
import type { TpmTransport } from '../transport.ts';
import { vendorName } from './vendors.ts';

type Capability = TpmsCapabilityData['capability'];
type DataOf<K extends Capability> = Extract<TpmsCapabilityData, { capability: K }>['data'];

/** Answers to one question at most; a TPM that always has more data would otherwise never end. */
const MAX_ANSWERS = 64;
const MAX_COUNT = 0xffff;

/**
 * Every item of a capability from `first` on, asked for as often as the TPM says that there is more.
 * @param next what to ask from after an item
 * @throws {TpmError} 'response_malformed' for an answer about something else, or without an end; as `execute`
 */
async function readAll<K extends Exclude<Capability, 'vendor'>, T>(
  tpm: TpmTransport,
  capability: K,
  first: number,
  items: (data: DataOf<K>) => readonly T[],
  next: (item: T) => number,
): Promise<T[]> {
  const all: T[] = [];
  let property = first;
  for (let i = 0; i < MAX_ANSWERS; i++) {
    const input = { capability, property, propertyCount: MAX_COUNT } as const;
    const { moreData, capabilityData } = await execute(tpm, tpm2GetCapability, input);
    if (capabilityData.capability !== capability) {
      const message = `TPM2_GetCapability: expected ${capability}, found ${capabilityData.capability}`;
      throw new TpmError('response_malformed', message);
    }
    const found = items(capabilityData.data as DataOf<K>);
    all.push(...found);
    const last = found.at(-1);
    if (!moreData || last === undefined) return all;
    property = next(last);
  }
  throw new TpmError(
    'response_malformed',
    `TPM2_GetCapability: expected an end, found more than ${MAX_ANSWERS} answers`,
  );
}

const NAMES = new Map<number, TpmProperty>(Object.entries(TPM_PT).map(([name, value]) => [value, name as TpmProperty]));

/** The fixed or variable properties, by name; those without a name here are left out. */
export async function readProperties(
  tpm: TpmTransport,
  group: 'fixed' | 'variable',
): Promise<ReadonlyMap<TpmProperty, number>> {
  const first = group === 'fixed' ? TPM_PT.familyIndicator : TPM_PT.permanent;
  // Part 2, section 6.13: groups of 256.
  const all = await readAll(
    tpm,
    'tpmProperties',
    first,
    (data) => data,
    ({ property }) => property + 1,
  );
  const inGroup = all.filter(({ property }) => property >>> 8 === first >>> 8);
  return new Map(
    inGroup.flatMap(({ property, value }): [TpmProperty, number][] => {
      const name = NAMES.get(property);
      return name === undefined ? [] : [[name, value]];
    }),
  );
}

/** The handles of a type that are in use, ascending. */
export async function readHandles(tpm: TpmTransport, type: keyof typeof TPM_HT): Promise<number[]> {
  const first = firstHandle(type);
  const all = await readAll(
    tpm,
    'handles',
    first,
    (data) => data,
    (handle) => handle + 1,
  );
  return all.filter((handle) => handle >>> 24 === first >>> 24);
}

/** The PCR banks that are allocated, and which PCRs each has; banks without any are left out. */
export async function readBanks(tpm: TpmTransport): Promise<PcrSelection[]> {
  const { capabilityData } = await execute(tpm, tpm2GetCapability, {
    capability: 'pcrs',
    property: 0,
    propertyCount: MAX_COUNT,
  });
  if (capabilityData.capability !== 'pcrs') {
    throw new TpmError('response_malformed', `TPM2_GetCapability: expected pcrs, found ${capabilityData.capability}`);
  }
  return capabilityData.data.map(decodePcrSelection).filter(({ pcrs }) => pcrs.length > 0);
}

/** The algorithms that the TPM has. */
export async function readAlgorithms(tpm: TpmTransport): Promise<TpmAlgId[]> {
  // Numbers and names are mixed here; the next question goes on from the number.
  const all = await readAll(
    tpm,
    'algs',
    0,
    (data) => data,
    () => MAX_COUNT,
  );
  return all.map(({ alg }) => alg);
}

/** The command codes that the TPM has: bits 0 to 15 and 29 of TPMA_CC. TPM 2.0 Library, Part 2, section 8.9. */
export async function readCommands(tpm: TpmTransport): Promise<number[]> {
  const all = await readAll(
    tpm,
    'commands',
    0,
    (data) => data,
    (cca) => (cca & 0xffff) + 1,
  );
  return all.map((cca) => (cca & 0x2000_ffff) >>> 0);
}

/** Who made a TPM, and what it says of itself. All of it in the clear and unproven. */
export interface TpmIdentity {
  /** Four characters of the TCG's vendor registry: 'INTC'. */
  readonly manufacturer: string;
  /** 'Intel'; undefined for an identifier that is not in the registry as we know it. */
  readonly manufacturerName?: string;
  /** What the vendor wrote, up to 16 characters. */
  readonly vendorString: string;
  /** As the vendor writes it: two words, in 16-bit halves. */
  readonly firmwareVersion: string;
  /** '1.59' of the TPM 2.0 Library. */
  readonly revision: string;
}

/** @throws as `execute` */
export async function readIdentity(tpm: TpmTransport): Promise<TpmIdentity> {
  const properties = await readProperties(tpm, 'fixed');
  const word = (name: TpmProperty): number => properties.get(name) ?? 0;
  const manufacturer = fourCharacters(word('manufacturer')).trimEnd();
  const strings = (['vendorString1', 'vendorString2', 'vendorString3', 'vendorString4'] as const).map(word);
  const name = vendorName(manufacturer);
  const halves = (['firmwareVersion1', 'firmwareVersion2'] as const).flatMap((version) => [
    word(version) >>> 16,
    word(version) & 0xffff,
  ]);
  return {
    manufacturer,
    ...(name === undefined ? {} : { manufacturerName: name }),
    vendorString: strings.map(fourCharacters).join('').trimEnd(),
    firmwareVersion: halves.join('.'),
    revision: (word('revision') / 100).toFixed(2),
  };
}

/** Four octets as characters; zeros and what cannot be shown are left out. */
function fourCharacters(word: number): string {
  return [24, 16, 8, 0]
    .map((shift) => (word >>> shift) & 0xff)
    .filter((octet) => octet >= 0x20 && octet < 0x7f)
    .map((octet) => String.fromCharCode(octet))
    .join('');
}
