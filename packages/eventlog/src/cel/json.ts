// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError, utf8 } from '@vouchsafe/base';
import { CodecError } from '@vouchsafe/codec';
import { hexField, isObject, type JsonObject, jsonDigests, unsignedField } from '../userspace/json-record.ts';
import { CEL_MANAGEMENT, CEL_STATES, type CelManagement } from './management.ts';
import { CEL_CONTENT, type CelContent, type CelContentName, type CelRecord, pcClientType } from './record.ts';

const refuse = (message: string): never => {
  throw new CodecError('invalid', 0, message);
};

/**
 * The records of a log in JSON: an array (CEL 1.1, section 5.3), or one record alone.
 * @throws {CodecError} for text that is no JSON, or no list of objects
 */
export function parseCelJson(bytes: Uint8Array): readonly unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(parseUtf8(bytes)) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TextError) return refuse(error.message);
    throw error;
  }
  // tpm2-tss writes an object that holds the list.
  if (isObject(value) && value.digests === undefined && Array.isArray(value.events)) return value.events;
  return Array.isArray(value) ? value : [value];
}

/**
 * One record.
 * @param position stands in for a recnum that is not there: systemd leaves it to whoever reads
 * @throws {CodecError}
 */
export function celRecordOfJson(record: unknown, position: number): CelRecord {
  if (!isObject(record)) return refuse('expected an object');
  const recnum =
    record.recnum === undefined ? position : unsignedField(record.recnum, 'recnum', Number.MAX_SAFE_INTEGER);
  return {
    recnum: BigInt(recnum),
    register: registerOf(record),
    digests: jsonDigests(record.digests),
    content: contentOf(record.content_type, record.content),
  };
}

function registerOf({ pcr, nv_index: nvIndex }: JsonObject): CelRecord['register'] {
  if ((pcr === undefined) === (nvIndex === undefined)) return refuse('expected either pcr or nv_index');
  if (pcr !== undefined) return { pcr: unsignedField(pcr, 'pcr', 0xffff_ffff) };
  return { nvIndex: unsignedField(nvIndex, 'nv_index', 0xffff_ffff) };
}

function contentName(type: unknown): CelContentName | string | number {
  if (typeof type === 'string') return type;
  if (typeof type !== 'number') return refuse('expected content_type');
  return Object.entries(CEL_CONTENT).find(([, number]) => number === type)?.[0] ?? type;
}

function contentOf(type: unknown, content: unknown): CelContent {
  const name = contentName(type);
  switch (name) {
    case 'pcclient_std': {
      if (!isObject(content)) return refuse('expected event_type and event_data');
      const eventData = hexField(content.event_data ?? '', 'event_data');
      return { kind: 'pcclient', eventType: pcClientType(content.event_type), eventData };
    }
    case 'ima_template': {
      if (!isObject(content) || typeof content.template_name !== 'string') return refuse('expected template_name');
      const templateData = hexField(content.template_data ?? '', 'template_data');
      return { kind: 'ima', templateName: content.template_name, templateData };
    }
    case 'systemd':
      return isObject(content) ? { kind: 'systemd', json: content } : refuse('expected an object as content');
    case 'cel':
      return { kind: 'management', management: managementOf(content) };
    default:
      return { kind: 'other', type: name, data: utf8(JSON.stringify(content) ?? '') };
  }
}

function managementOf(content: unknown): CelManagement {
  if (!isObject(content)) return refuse('expected type and data');
  const { type, data } = content;
  switch (typeof type === 'string' ? CEL_MANAGEMENT[type as keyof typeof CEL_MANAGEMENT] : type) {
    case CEL_MANAGEMENT.cel_version: {
      if (!isObject(data)) return refuse('expected major and minor');
      const [major, minor] = [unsignedField(data.major, 'major', 0xffff), unsignedField(data.minor, 'minor', 0xffff)];
      return { kind: 'version', major, minor };
    }
    case CEL_MANAGEMENT.firmware_end:
      return { kind: 'firmwareEnd' };
    case CEL_MANAGEMENT.cel_timestamp:
      return { kind: 'timestamp', time: BigInt(unsignedField(data, 'data', Number.MAX_SAFE_INTEGER)) };
    case CEL_MANAGEMENT.state_trans: {
      const state = CEL_STATES.find((name, number) => name === data || number === data);
      return state === undefined ? refuse('expected the name of a state') : { kind: 'stateTransition', state };
    }
    default:
      return refuse('expected the type of a management event');
  }
}
