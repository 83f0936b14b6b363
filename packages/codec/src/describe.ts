// SPDX-License-Identifier: Apache-2.0
import type { Codec, FieldDoc } from './codec.ts';

/**
 * Markdown for one structure: a table of its fields, and the members of their enumerations. The pages under
 * docs/formats are made from this, so that they cannot differ from the code.
 */
export function describe(codec: Codec<unknown>): string {
  const fields = codec.fields ?? [];
  let at: number | undefined = 0;
  const rows = fields.map((field) => {
    const offset = at;
    const { size } = field.codec;
    at = at === undefined || size === undefined ? undefined : at + size;
    return `| ${offset ?? ''} | ${size ?? 'varies'} | \`${field.name}\` | ${cell(field.codec.name)} | ${cell(field.doc ?? '')} |`;
  });
  const total = codec.size === undefined ? '' : `\n\n${codec.size} octets.`;
  return [
    `## ${codec.name}${total}`,
    '',
    '| offset | size | field | type | meaning |',
    '|---|---|---|---|---|',
    ...rows,
    ...fields.flatMap(memberRows),
  ].join('\n');
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

function memberRows({ name, codec }: FieldDoc): string[] {
  if (codec.members === undefined) return [];
  const { kind, table } = codec.members;
  const title = kind === 'values' ? 'value' : 'bit';
  const shown = (n: number): string => (kind === 'values' ? `0x${n.toString(16)}` : String(n));
  return [
    '',
    `| \`${name}\` | ${title} |`,
    '|---|---|',
    ...Object.entries(table).map(([member, n]) => `| ${cell(member)} | ${shown(n)} |`),
  ];
}
