// SPDX-License-Identifier: Apache-2.0
import { concatBytes, utf8 } from '@vouchsafe/base';
import { encode, isUuidText } from '@vouchsafe/codec';
import { PeError } from '../error.ts';
import { CHID_DEVICE_BYTES, CHID_KINDS, chidDevice } from '../format/chid-device.ts';
import { MAX_HWID_TEXT_CHARACTERS, MAX_HWIDS } from '../limits.ts';

/** Machines that are to get a device tree, or firmware, of the image. */
export interface HwidDevice {
  readonly type: keyof typeof CHID_KINDS;
  /** For people. */
  readonly name: string;
  /** The first `compatible` of the device tree, or the ID of the firmware. */
  readonly target: string;
  /** Computer hardware IDs, as UUIDs in lower case. */
  readonly hwids: readonly string[];
}

/** Key that holds the target, by type. systemd 258, src/ukify/ukify.py, parse_hwid_dir. */
const TARGET_KEYS = { devicetree: 'compatible', 'uefi-fw': 'fwid' } as const;

/**
 * A description of hardware as systemd has them in JSON (hwdata of src/boot/hwids; hwid2json.py).
 * @throws {PeError} 'hwids_malformed', 'limit'.
 */
export function parseHwidDevice(text: string, label: string): HwidDevice {
  const bad = (problem: string, cause?: unknown): PeError =>
    new PeError('hwids_malformed', `${label}: ${problem}`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw bad('expected JSON', cause);
  }
  if (typeof value !== 'object' || value === null) throw bad('expected a JSON object');
  const { type, name, hwids, ...rest } = value as Readonly<Record<string, unknown>>;
  if (type !== 'devicetree' && type !== 'uefi-fw') throw bad(`expected "type" devicetree or uefi-fw, found ${type}`);
  const key = TARGET_KEYS[type];
  const target = rest[key];
  for (const [what, found] of [
    ['name', name],
    [key, target],
  ] as const) {
    if (typeof found !== 'string' || found === '' || found.includes('\0')) throw bad(`expected "${what}", a text`);
    if (found.length > MAX_HWID_TEXT_CHARACTERS) {
      throw new PeError('limit', `${label}: expected "${what}" of at most ${MAX_HWID_TEXT_CHARACTERS} characters`);
    }
  }
  const other = Object.values(TARGET_KEYS).find((wrong) => wrong !== key && Object.hasOwn(rest, wrong));
  if (other !== undefined) throw bad(`expected no "${other}" for type ${type}`);
  if (!Array.isArray(hwids) || hwids.length === 0) throw bad('expected "hwids", a list of UUIDs');
  const ids = hwids.map((id: unknown): string => {
    if (typeof id !== 'string' || !isUuidText(id)) throw bad(`expected UUIDs in "hwids", found ${String(id)}`);
    return id.toLowerCase();
  });
  return { type, name: name as string, target: target as string, hwids: ids };
}

/**
 * The content of .hwids: by it a stub finds which device tree or firmware fits the machine that it runs on. The same bytes
 * as ukify's (parse_hwid_dir) for one file; ukify takes several in the order of the file system, here it is the caller's.
 * @throws {PeError} 'limit'; 'options_invalid' without a device.
 */
export function encodeHwids(devices: readonly HwidDevice[]): Uint8Array {
  const grouped = new Map<string, HwidDevice & { readonly all: Set<string> }>();
  for (const device of devices) {
    const { type, name, target, hwids } = device;
    const group = grouped.get(JSON.stringify([type, name, target])) ?? { ...device, all: new Set<string>() };
    for (const id of hwids) group.all.add(id);
    grouped.set(JSON.stringify([type, name, target]), group);
  }
  const groups = [...grouped.values()];
  const count = groups.reduce((sum, { all }) => sum + all.size, 0);
  if (count === 0) throw new PeError('options_invalid', 'expected hardware IDs for .hwids, found none');
  if (count > MAX_HWIDS) throw new PeError('limit', `expected at most ${MAX_HWIDS} hardware IDs, found ${count}`);
  const tableBytes = (count + 1) * CHID_DEVICE_BYTES;
  const { text, offsets } = packTexts(
    groups.flatMap(({ name, target }) => [name, target]),
    tableBytes,
  );
  const table = groups.flatMap(({ type, name, target, all }) =>
    [...all].toSorted().map((chid) =>
      encode(chidDevice, {
        descriptor: CHID_KINDS[type] * 2 ** 28 + CHID_DEVICE_BYTES,
        chid,
        nameOffset: offsets.get(name) as number,
        targetOffset: offsets.get(target) as number,
      }),
    ),
  );
  return concatBytes(...table, new Uint8Array(CHID_DEVICE_BYTES), text);
}

/** Each text once, in the order of its characters' numbers, as Python sorts. */
function packTexts(texts: readonly string[], start: number) {
  const encoded = [...new Set(texts)].map((text) => ({ text, bytes: utf8(`${text}\0`) }));
  encoded.sort((a, b) => compareBytes(a.bytes, b.bytes));
  const offsets = new Map<string, number>();
  let at = start;
  for (const { text, bytes } of encoded) {
    offsets.set(text, at);
    at += bytes.length;
  }
  return { text: concatBytes(...encoded.map(({ bytes }) => bytes)), offsets };
}

/** UTF-8 sorts as its characters' numbers do. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((octet, i) => octet !== b[i]);
  return at < 0 ? a.length - b.length : (a[at] as number) - (b[at] ?? -1);
}
