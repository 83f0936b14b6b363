// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { isTpmHash, isTpmHashAvailable, type TpmBank } from '@vouchsafe/tpm';
import { type EventTrust, trustOf } from './data/coverage.ts';
import { decodeEventData, type EventData } from './data/event-data.ts';
import type { VariableValue } from './data/variable-value.ts';
import type { LogEvent } from './event.ts';
import type { ImaEntry } from './ima/entry.ts';
import type { BootLog } from './log.ts';
import { type BootStage, stagesOf } from './stage.ts';
import type { SipaEvent } from './windows/wbcl.ts';

/** An event with all that can be said of it. */
export interface DescribedEvent {
  readonly event: LogEvent;
  readonly stage: BootStage;
  readonly content: EventData;
  /** How far `content` and `summary` may be believed, once the PCR has been matched with a quote. */
  readonly trust: EventTrust;
  /** What happened, in one line. It holds text of the log as it is: escape it before it is shown. */
  readonly summary: string;
}

/**
 * All events of a log, described.
 * @param bank the bank whose digests say what is covered; the log's best one unless given
 */
export function describeLog(log: BootLog, bank: TpmBank | undefined = bestBank(log)): DescribedEvent[] {
  const contents = log.events.map(decodeEventData);
  const stages = stagesOf(log, contents);
  return log.events.map((event, i): DescribedEvent => {
    const content = contents[i] as EventData;
    const trust = bank === undefined ? 'claimed' : trustOf(event, ownBank(event, bank), content);
    return { event, stage: stages[i] ?? 'firmware', content, trust, summary: summaryOf(event, content) };
  });
}

/** An IMA entry's own digest is of the template hash, whatever the bank; NvPCRs have a hash of their own. */
function ownBank(event: LogEvent, bank: TpmBank): TpmBank {
  if (event.source !== 'ima' && event.pcr !== undefined) return bank;
  return event.digests.some((digest) => digest.bank === bank) ? bank : (event.digests[0]?.bank ?? bank);
}

const PREFERENCE: readonly TpmBank[] = ['sha256', 'sha384', 'sha512', 'sha1'];

/** The bank to look at where nobody says which. */
export function bestBank(log: BootLog): TpmBank | undefined {
  const banks = log.kind === 'ima' ? [log.templateHash] : log.banks;
  const usable = banks.filter((bank) => isTpmHash(bank) && isTpmHashAvailable(bank));
  return PREFERENCE.find((bank) => usable.includes(bank)) ?? usable[0];
}

/** What an event says, in one line. */
export function summaryOf(event: LogEvent, content: EventData): string {
  switch (content.kind) {
    case 'specId':
      return `log of version ${content.specId.specVersionMajor}.${content.specId.specVersionMinor}`;
    case 'specIdSha1':
      return 'log with SHA-1 alone';
    case 'startupLocality':
      return `TPM started at locality ${content.locality}`;
    case 'sp800155':
      return `reference manifest ${content.platformId.referenceManifestGuid} of vendor ${content.platformId.vendorId}`;
    case 'noAction':
      return content.signature;
    case 'separator':
      return separatorSummary(content.meaning);
    case 'variable':
      return `${content.variable.unicodeName}${valueSummary(content.value, content.variable.variableData)}`;
    case 'imageLoad':
      return content.path === undefined ? 'an image' : content.path === '' ? 'an image from memory' : content.path;
    case 'gpt':
      return `partition table ${content.gpt.efiPartitionHeader.diskGuid}, ${content.gpt.partitions.length} partitions`;
    case 'firmwareBlob': {
      const place = `0x${content.blobBase.toString(16)}, ${content.blobLength} octets`;
      return content.description === undefined ? `firmware at ${place}` : `${content.description} at ${place}`;
    }
    case 'handoffTables':
      return [content.description ?? 'tables', ...content.tables.map(({ vendorGuid }) => vendorGuid)].join(' ');
    case 'text':
      return content.meaning === undefined
        ? content.text.text
        : `${content.meaning.writer}: ${content.meaning.what} ${content.meaning.argument}`;
    case 'tagged':
      return taggedSummary(content);
    case 'windows':
      return content.events.map(sipaSummary).join(', ');
    case 'spdm':
      return 'a device measured over SPDM';
    case 'ima':
      return entrySummary(content.entry);
    case 'userspace':
      return [content.content.nvIndexName, content.content.eventType, content.content.string]
        .filter((text) => text !== undefined)
        .join(' ');
    case 'celManagement':
      return `log management: ${content.management.kind}`;
    case 'raw':
      return event.data.length === 0 ? 'no data' : `${event.data.length} octets: ${excerpt(event.data)}`;
  }
}

const EXCERPT_BYTES = 16;

function excerpt(bytes: Uint8Array): string {
  const shown = toHex(bytes.subarray(0, EXCERPT_BYTES));
  return bytes.length > EXCERPT_BYTES ? `${shown}…` : shown;
}

function separatorSummary(meaning: 'boundary' | 'error' | 'unknown'): string {
  if (meaning === 'boundary') return "end of the firmware's measurements";
  return meaning === 'error' ? 'the firmware reports an error' : 'a separator with a digest that none has';
}

function valueSummary(value: VariableValue, data: Uint8Array): string {
  switch (value.kind) {
    case 'switch':
      return value.isOn ? ' on' : ' off';
    case 'signatureLists': {
      const count = value.lists.reduce((sum, { signatures }) => sum + signatures.length, 0);
      return count === 0 ? ', empty' : `, ${count} ${count === 1 ? 'entry' : 'entries'}`;
    }
    case 'signature':
      return ` accepted it, ${value.signature.data.length} octets, owner ${value.signature.owner}`;
    case 'bootOrder':
      return ` ${value.entries.map((entry) => entry.toString(16).toUpperCase().padStart(4, '0')).join(' ')}`;
    case 'loadOption':
      return ` ${value.option.description}${value.option.path === '' ? '' : ` (${value.option.path})`}`;
    case 'sbatLevel':
      return ` ${value.level?.datestamp ?? value.text.split('\n')[0]}`;
    case 'raw':
      return data.length === 0 ? ', empty' : `, ${data.length} octets`;
  }
}

function taggedSummary({ tag, text, meaning }: Extract<EventData, { kind: 'tagged' }>): string {
  const name = meaning === undefined ? `tag 0x${tag.toString(16)}` : `${meaning.writer}: ${meaning.what}`;
  return text === undefined ? name : `${name} (${text.text})`;
}

function sipaSummary({ type, name, events, text }: SipaEvent): string {
  const own = name ?? `0x${type.toString(16)}`;
  if (events.length > 0) return `${own}(${events.map(sipaSummary).join(', ')})`;
  return text === undefined ? own : `${own} ${text}`;
}

function entrySummary(entry: ImaEntry): string {
  switch (entry.kind) {
    case 'file':
      return `${entry.file.path} ${entry.file.algorithm}:${toHex(entry.file.digest)}`;
    case 'buffer':
      return entry.deviceMapper === undefined
        ? `${entry.name} ${entry.algorithm}:${toHex(entry.digest)}`
        : `${entry.name} ${entry.deviceMapper.device.name ?? ''} (${entry.deviceMapper.targets.map(({ name }) => name).join(', ')})`;
    case 'fields':
      return `${entry.fields.length} fields`;
    case 'raw':
      return entry.reason;
  }
}
