// SPDX-License-Identifier: Apache-2.0
import { HexError, parseHex, parseUtf8, TextError } from '@vouchsafe/base';
import { isTpmHash, type PcrValue, type TpmHash, tpmHashSize } from '@vouchsafe/tpm';
import { EventLogError } from '../error.ts';

/** Lines of one list at most: 24 PCRs in each of eight banks, and some between. */
const MAX_LINES = 4096;
const MAX_BYTES = 1024 * 1024;
const MAX_PCR = 31;

/** The bank of a digest that is given without one. */
const BANK_BY_BYTES: Readonly<Record<number, TpmHash>> = { 20: 'sha1', 32: 'sha256', 48: 'sha384', 64: 'sha512' };

/**
 * PCR values as text, in the forms that are around:
 * - JSON of ours: { "pcrs": { "sha256": { "0": "…" } } }, or the inner object alone;
 * - YAML of tpm2_pcrread and of the end of tpm2_eventlog's: 'sha256:' and lines '  0 : 0x…';
 * - lines 'sha256:0:…', 'sha256:0=0x…', 'sha256 0 …';
 * - sysfs: '/sys/class/tpm/tpm0/pcr-sha256/0:…' as grep prints them, and 'PCR-00: 9A BC …' of a TPM 1.2.
 * @throws {EventLogError} 'pcr_list_malformed' for anything else, a digest of another size than its bank's, two values of
 * one PCR, or none at all
 */
export function parsePcrList(bytes: Uint8Array): PcrValue[] {
  if (bytes.length > MAX_BYTES) throw fail(`expected at most ${MAX_BYTES} octets, found ${bytes.length}`);
  const text = textOf(bytes);
  const values = /^\s*\{/.test(text) ? jsonValues(text) : lineValues(text);
  if (values.length === 0) throw fail('expected PCR values, found none');
  const seen = new Set<string>();
  for (const { bank, pcr } of values) {
    const key = `${bank}:${pcr}`;
    if (seen.has(key)) throw fail(`expected one value of PCR ${pcr} in ${bank}, found two`);
    seen.add(key);
  }
  return values;
}

function fail(message: string, options: ErrorOptions = {}): EventLogError {
  return new EventLogError('pcr_list_malformed', message, options);
}

function textOf(bytes: Uint8Array): string {
  try {
    return parseUtf8(bytes);
  } catch (cause) {
    if (cause instanceof TextError) throw fail('expected text', { cause });
    throw cause;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function jsonValues(text: string): PcrValue[] {
  let document: unknown;
  try {
    document = JSON.parse(text) as unknown;
  } catch (cause) {
    if (cause instanceof SyntaxError) throw fail('expected JSON', { cause });
    throw cause;
  }
  const banks = isObject(document) && isObject(document.pcrs) ? document.pcrs : document;
  if (!isObject(banks)) throw fail('expected banks of PCRs');
  return Object.entries(banks).flatMap(([bank, pcrs]) => {
    if (!isObject(pcrs)) throw fail(`expected PCRs in ${bank}`);
    return Object.entries(pcrs).map(([pcr, value]) => {
      if (typeof value !== 'string') throw fail(`expected PCR ${pcr} in ${bank} in hexadecimal`);
      return pcrValue(bank, pcr, value);
    });
  });
}

const HEAD = /^\s*([a-z0-9_-]+)\s*:\s*$/i;
const NUMBERED = /^\s*([0-9]{1,2})\s*:\s*(?:0x)?([0-9a-f]+)\s*$/i;
const BANKED = /^\s*([a-z][a-z0-9_]+)[:\s]\s*([0-9]{1,2})\s*[:=\s]\s*(?:0x)?([0-9a-f]+)\s*$/i;
const SYSFS = /^.*pcr-([a-z0-9_]+)\/([0-9]{1,2}):\s*([0-9a-f]+)\s*$/i;
const TPM12 = /^\s*PCR-([0-9]{2}):\s*((?:[0-9a-f]{2}\s*)+)$/i;
/** What stands between values in these forms, and means nothing here. */
const EMPTY = /^\s*(#.*|---|pcrs:)?\s*$/;

function lineValues(text: string): PcrValue[] {
  const lines = text.split(/\r?\n/);
  if (lines.length > MAX_LINES) throw fail(`expected at most ${MAX_LINES} lines, found more`);
  const values: PcrValue[] = [];
  let bank: string | undefined;
  lines.forEach((line, i) => {
    if (EMPTY.test(line)) return;
    const found = SYSFS.exec(line) ?? BANKED.exec(line);
    const [, ...numbered] = NUMBERED.exec(line) ?? TPM12.exec(line) ?? [];
    const head = HEAD.exec(line)?.[1];
    if (found !== null) values.push(pcrValue(found[1] ?? '', found[2] ?? '', found[3] ?? ''));
    else if (numbered.length === 2)
      values.push(pcrValue(bank, numbered[0] ?? '', (numbered[1] ?? '').replace(/\s/g, '')));
    else if (head !== undefined) bank = head;
    else throw fail(`line ${i + 1}: expected a bank, or the number and value of a PCR`);
  });
  return values;
}

function pcrValue(bankText: string | undefined, pcrText: string, hex: string): PcrValue {
  const pcr = Number(pcrText);
  if (!/^[0-9]{1,2}$/.test(pcrText) || pcr > MAX_PCR) throw fail(`expected the number of a PCR, found '${pcrText}'`);
  let value: Uint8Array;
  try {
    value = parseHex(hex.replace(/^0x/i, ''));
  } catch (cause) {
    if (cause instanceof HexError) throw fail(`PCR ${pcr}: ${cause.message}`, { cause });
    throw cause;
  }
  const bank = bankText === undefined ? BANK_BY_BYTES[value.length] : bankText.toLowerCase().replace('-', '_');
  if (!isTpmHash(bank)) throw fail(`expected the name of a bank for PCR ${pcr}, found '${bankText ?? 'none'}'`);
  if (value.length !== tpmHashSize(bank)) {
    throw fail(`expected ${tpmHashSize(bank)} octets as PCR ${pcr} in ${bank}, found ${value.length}`);
  }
  return { bank, pcr, value };
}
