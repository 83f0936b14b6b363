// SPDX-License-Identifier: Apache-2.0

/** A target of a device-mapper table: its fields as the kernel names them. */
export interface DeviceMapperTarget {
  /** 'verity', 'crypt', 'linear' …; undefined where the record has none. */
  readonly name: string | undefined;
  readonly fields: Readonly<Record<string, string>>;
}

/** What the device mapper did, as IMA measured it. */
export interface DeviceMapperEvent {
  /** 'dm_table_load', 'dm_device_resume', 'dm_device_remove', 'dm_table_clear', 'dm_device_rename', 'dm_target_update'. */
  readonly event: string;
  /** Of the kernel's device mapper: '4.45.0'. */
  readonly version: string;
  /** The device's own fields: name, uuid, major, minor, minor_count, num_targets … */
  readonly device: Readonly<Record<string, string>>;
  /** Those of the table that was loaded and not yet in use, where a device is removed. */
  readonly inactive: Readonly<Record<string, string>>;
  readonly targets: readonly DeviceMapperTarget[];
}

const EVENTS: ReadonlySet<string> = new Set([
  'dm_table_load',
  'dm_device_resume',
  'dm_device_remove',
  'dm_table_clear',
  'dm_device_rename',
  'dm_target_update',
]);

/** Groups of one record at most: a table may have thousands of targets. */
const MAX_GROUPS = 65_536;

/**
 * Parses a device-mapper record. Linux, Documentation/admin-guide/device-mapper/dm-ima.rst: groups between semicolons,
 * fields between commas, each name=value; the device mapper writes \ in front of a , ; = or \ in a name or UUID.
 * @returns undefined where it is not one, or not whole
 */
export function parseDeviceMapper(event: string, text: string): DeviceMapperEvent | undefined {
  if (!EVENTS.has(event) || !text.endsWith(';')) return undefined;
  const groups = split(text.slice(0, -1), ';');
  if (groups.length > MAX_GROUPS) return undefined;
  const version = /^dm_version=(.+)$/.exec(groups[0] ?? '')?.[1];
  if (version === undefined) return undefined;
  const device: Record<string, string> = {};
  const inactive: Record<string, string> = {};
  const targets: DeviceMapperTarget[] = [];
  for (const group of groups.slice(1)) {
    const [, prefix, body = ''] = /^(device_active_metadata=|device_inactive_metadata=)?([\s\S]*)$/.exec(group) ?? [];
    const fields = fieldsOf(body);
    if (fields === undefined) return undefined;
    const into = prefix === 'device_inactive_metadata=' ? inactive : device;
    if (Object.hasOwn(fields, 'target_index')) targets.push({ name: fields.target_name, fields });
    else for (const [name, value] of Object.entries(fields)) into[name] ??= value;
  }
  return { event, version, device, inactive, targets };
}

function fieldsOf(group: string): Record<string, string> | undefined {
  const fields: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const field of split(group, ',')) {
    const at = field.indexOf('=');
    if (at < 0) {
      // An empty field is what a trailing comma leaves.
      if (field !== '') fields[field] = '';
      continue;
    }
    // Linux 5.15 to 6.x writes NULs in front of the capacity when a table is cleared: a length that was not taken back.
    const name = field.slice(0, at).replace(/^\0+/, '');
    // The first one counts: a second one could hide it from whoever reads on.
    if (Object.hasOwn(fields, name)) return undefined;
    fields[name] = field.slice(at + 1).replace(/\\([\\,;=])/g, '$1');
  }
  return fields;
}

/** Splits at a character that no backslash stands in front of. */
function split(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === separator) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}
