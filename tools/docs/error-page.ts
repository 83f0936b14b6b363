// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Comment, type Program, parseSync, type TSType } from 'oxc-parser';
import { GENERATED } from './generated.ts';

/** The codes of one error class. */
export interface ErrorTable {
  readonly name: string;
  readonly member: string;
  readonly codes: readonly { readonly code: string; readonly meaning: string }[];
}

/** docs/errors.md: each class that extends VouchsafeError, with its codes and the comments beside them. */
export function errorPage(root: string): string {
  const paths = globSync(['packages/*/src/**/*.ts', 'apps/*/src/**/*.ts'], { cwd: root }).sort();
  const tables = paths.flatMap((path) => {
    const source = readFileSync(join(root, path), 'utf8');
    return source.includes('extends VouchsafeError<') ? errorTables(path, source) : [];
  });
  const about =
    'Every error that Vouchsafe raises on purpose carries a code. Codes are public and never reused; messages are for' +
    ' people and may change.';
  return ['# Errors', GENERATED, about, ...tables.map(formatTable)].join('\n\n').concat('\n');
}

function formatTable({ name, member, codes }: ErrorTable): string {
  const rows = codes.map(({ code, meaning }) => `| \`${code}\` | ${meaning.replaceAll('|', '\\|')} |`);
  return [`## ${name} (${member})`, '', '| code | meaning |', '|---|---|', ...rows].join('\n');
}

/** The error classes of one file. The codes are a union in the class's type argument, or a type of the same file. */
export function errorTables(path: string, source: string): ErrorTable[] {
  const { program, comments } = parseSync(path, source);
  const aliases = typeAliases(program);
  const member = path.split('/').slice(0, 2).join('/');
  return program.body.flatMap((statement): ErrorTable[] => {
    const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (node?.type !== 'ClassDeclaration' || node.id === null || node.superClass?.type !== 'Identifier') return [];
    const [argument] = node.superTypeArguments?.params ?? [];
    if (node.superClass.name !== 'VouchsafeError' || argument === undefined) return [];
    return [{ name: node.id.name, member, codes: codesOf(argument, aliases, source, comments) }];
  });
}

function typeAliases(program: Program): Map<string, TSType> {
  const aliases = new Map<string, TSType>();
  for (const statement of program.body) {
    const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (node?.type === 'TSTypeAliasDeclaration') aliases.set(node.id.name, node.typeAnnotation);
  }
  return aliases;
}

function codesOf(
  type: TSType,
  aliases: ReadonlyMap<string, TSType>,
  source: string,
  comments: readonly Comment[],
): { code: string; meaning: string }[] {
  if (type.type === 'TSUnionType') return type.types.flatMap((part) => codesOf(part, aliases, source, comments));
  if (type.type === 'TSTypeReference' && type.typeName.type === 'Identifier') {
    const target = aliases.get(type.typeName.name);
    return target === undefined ? [] : codesOf(target, aliases, source, comments);
  }
  if (type.type !== 'TSLiteralType' || type.literal.type !== 'Literal') return [];
  return [{ code: String(type.literal.value), meaning: commentBeside(type.end, source, comments) }];
}

/** The `// …` that ends the line, or begins the next when the formatter has moved it there. */
function commentBeside(offset: number, source: string, comments: readonly Comment[]): string {
  const comment = comments.find(({ type, start }) => type === 'Line' && start >= offset);
  return comment !== undefined && /^;?[ \t]*$/.test(source.slice(offset, comment.start)) ? comment.value.trim() : '';
}
