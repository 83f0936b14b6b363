// SPDX-License-Identifier: Apache-2.0
import { type Comment, parseSync } from 'oxc-parser';

/** Exported declarations of a file in their order, each with the words of the docstring in front of it, or ''. */
export function docComments(file: string, source: string): Map<string, string> {
  const { program, comments } = parseSync(file, source);
  const found = new Map<string, string>();
  for (const node of program.body) {
    if (node.type !== 'ExportNamedDeclaration' || node.declaration === null) continue;
    const text = docBefore(source, comments, node.start);
    const { declaration } = node;
    if (declaration.type === 'VariableDeclaration') {
      for (const { id } of declaration.declarations) if (id.type === 'Identifier') found.set(id.name, text);
    } else if ('id' in declaration && declaration.id?.type === 'Identifier') {
      found.set(declaration.id.name, text);
    }
  }
  return found;
}

function docBefore(source: string, comments: readonly Comment[], offset: number): string {
  const comment = comments.find(({ end }) => end <= offset && source.slice(end, offset).trim() === '');
  if (comment?.type !== 'Block' || !comment.value.startsWith('*')) return '';
  return comment.value
    .slice(1)
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .replace(/\{@link (\w+)\}/g, '`$1`')
    .trim();
}
