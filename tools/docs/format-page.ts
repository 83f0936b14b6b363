// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, type StructCodec } from '@vouchsafe/codec';
import { docComments } from './comments.ts';
import type { FormatPage } from './formats.ts';
import { GENERATED } from './generated.ts';

/** The page as Markdown; undefined while its folder declares no structure. */
export async function formatPage(root: string, { title, about, folder }: FormatPage): Promise<string | undefined> {
  const sections: string[] = [];
  for (const path of globSync(`${folder}/**/*.ts`, { cwd: root, exclude: [`${folder}/node/**`] }).sort()) {
    const source = readFileSync(join(root, path), 'utf8');
    // Loading a file is dear, and most have no structure.
    if (!/\bstruct\(/.test(source)) continue;
    const exported: Record<string, unknown> = await import(pathToFileURL(join(root, path)).href);
    for (const [name, comment] of docComments(path, source)) {
      const value = exported[name];
      if (isStruct(value)) sections.push(section(value, path, comment));
    }
  }
  if (sections.length === 0) return undefined;
  return [`# ${title}`, GENERATED, about, ...sections].join('\n\n').concat('\n');
}

/** Heading and table come from the codec; its docstring, which cites the specification, goes between. */
function section(codec: StructCodec<never>, path: string, comment: string): string {
  const [heading = '', ...table] = describe(codec).split('\n');
  return [heading, comment, `Declared in \`${path}\`.`, table.join('\n').trim()]
    .filter((part) => part !== '')
    .join('\n\n');
}

function isStruct(value: unknown): value is StructCodec<never> {
  return (
    typeof value === 'object' && value !== null && 'fields' in value && 'read' in value && Array.isArray(value.fields)
  );
}
