// SPDX-License-Identifier: Apache-2.0
import { parseSync } from 'oxc-parser';

/** What a source file imports, re-exports or names as a type's module. */
export interface ImportSite {
  /** Undefined when it is computed. */
  readonly specifier: string | undefined;
  readonly line: number;
}

/** A name that is not declared in the file, or a member of one (`Date.now`), where it is used. */
export interface GlobalUse {
  readonly name: string;
  readonly use: GlobalUseKind;
  readonly line: number;
}

export type GlobalUseKind =
  | { readonly kind: 'new' | 'call'; readonly arguments: number }
  | { readonly kind: 'member'; readonly member: string }
  /** As a type, or in `instanceof`: nothing of it runs. */
  | { readonly kind: 'type' }
  /** In any other way, by which it can go anywhere. */
  | { readonly kind: 'name' };

/** A string, or a template's text with `?` in its holes. */
export interface TextSite {
  readonly text: string;
  readonly line: number;
}

export interface Syntax {
  readonly imports: readonly ImportSite[];
  readonly globals: readonly GlobalUse[];
  readonly texts: readonly TextSite[];
  /** Lines of `import.meta`. */
  readonly importMetas: readonly number[];
  /** True when the file has nothing but imports and re-exports, and at least one of the latter. */
  readonly isBarrel: boolean;
  readonly error: string | undefined;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

/** Reads a source file's imports, uses of globals and texts. */
export function readSyntax(file: string, source: string): Syntax {
  const parsed = parseSync(file, source);
  const lineStarts = [0, ...[...source.matchAll(/\n/g)].map((match) => match.index + 1)];
  const lineOf = (offset: number): number => lineStarts.findLastIndex((start) => start <= offset) + 1;
  const program = parsed.program as unknown as Node;
  const collector = new Collector(lineOf);
  collector.visit(program, undefined, '');
  return {
    imports: collector.imports,
    globals: collector.globals.filter((use) => !collector.declared.has(use.name)),
    texts: collector.texts,
    importMetas: parsed.module.importMetas.map((meta) => lineOf(meta.start)),
    isBarrel: isBarrel(program.body as Node[]),
    error: parsed.errors[0]?.message,
  };
}

function isBarrel(statements: readonly Node[]): boolean {
  const reexports = statements.filter(
    (node) => /^Export(Named|All)Declaration$/.test(node.type) && isNode(node.source),
  );
  return (
    reexports.length > 0 && statements.every((node) => reexports.includes(node) || node.type === 'ImportDeclaration')
  );
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

/** Nodes whose named children declare names: variables, parameters, functions, classes, types, imports. */
const DECLARING: Readonly<Record<string, readonly string[]>> = {
  VariableDeclarator: ['id'],
  FunctionDeclaration: ['id', 'params'],
  FunctionExpression: ['id', 'params'],
  ArrowFunctionExpression: ['params'],
  TSDeclareFunction: ['id', 'params'],
  TSFunctionType: ['params'],
  TSConstructorType: ['params'],
  TSMethodSignature: ['params'],
  TSCallSignatureDeclaration: ['params'],
  TSConstructSignatureDeclaration: ['params'],
  TSEmptyBodyFunctionExpression: ['params'],
  TSIndexSignature: ['parameters'],
  TSMappedType: ['key'],
  TSTypeParameter: ['name'],
  TSTypePredicate: ['parameterName'],
  ClassDeclaration: ['id'],
  ClassExpression: ['id'],
  TSTypeAliasDeclaration: ['id'],
  TSInterfaceDeclaration: ['id'],
  CatchClause: ['param'],
  ImportSpecifier: ['local'],
  ImportDefaultSpecifier: ['local'],
  ImportNamespaceSpecifier: ['local'],
};

/** Children that name a member or a label, not a value. */
const NAMING = new Set(['property', 'key', 'imported', 'exported', 'label', 'right-of-type']);

/**
 * Walks the tree once. A name that the file declares anywhere counts as its own everywhere: scopes are not followed.
 * What slips through does not compile in tsconfig.pure.json, where the globals do not exist.
 */
class Collector {
  readonly imports: ImportSite[] = [];
  readonly globals: GlobalUse[] = [];
  readonly texts: TextSite[] = [];
  readonly declared = new Set<string>();
  readonly #lineOf: (offset: number) => number;

  constructor(lineOf: (offset: number) => number) {
    this.#lineOf = lineOf;
  }

  visit(node: Node, parent: Node | undefined, role: string): void {
    this.#note(node, parent, role);
    const declaring = DECLARING[node.type] ?? [];
    for (const [key, value] of Object.entries(node)) {
      const childRole = node.type === 'TSQualifiedName' && key === 'right' ? 'right-of-type' : key;
      for (const child of Array.isArray(value) ? value : [value]) {
        if (!isNode(child)) continue;
        if (declaring.includes(key)) this.#declare(child);
        this.visit(child, node, childRole);
      }
    }
  }

  #note(node: Node, parent: Node | undefined, role: string): void {
    const line = this.#lineOf(node.start);
    const source = node.source;
    if (node.type === 'ImportExpression' || node.type === 'TSImportType') {
      this.imports.push({ specifier: literalOf(isNode(source) ? source : node.argument), line });
    } else if (/^(Import|ExportNamed|ExportAll)Declaration$/.test(node.type) && isNode(source)) {
      this.imports.push({ specifier: literalOf(source), line });
    } else if (node.type === 'Literal' && typeof node.value === 'string') {
      this.texts.push({ text: node.value, line });
    } else if (node.type === 'TemplateLiteral') {
      const parts = (node.quasis as { value: { cooked: string | null } }[]).map((quasi) => quasi.value.cooked ?? '');
      this.texts.push({ text: parts.join('?'), line });
    } else if (node.type === 'Identifier' && !isMemberName(parent, role)) {
      this.globals.push({ name: node.name as string, use: useOf(node, parent, role), line });
    }
  }

  /** Adds the names of a binding: an identifier, or a pattern of them. */
  #declare(node: Node): void {
    if (node.type === 'Identifier') this.declared.add(node.name as string);
    for (const key of ['left', 'argument', 'parameter', 'value', 'elements', 'properties']) {
      for (const child of [node[key]].flat()) if (isNode(child)) this.#declare(child);
    }
  }
}

function literalOf(node: unknown): string | undefined {
  return isNode(node) && node.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined;
}

function isMemberName(parent: Node | undefined, role: string): boolean {
  return NAMING.has(role) && parent?.computed !== true;
}

function useOf(node: Node, parent: Node | undefined, role: string): GlobalUseKind {
  if (parent?.type === 'TSTypeReference' || parent?.type === 'TSQualifiedName') return { kind: 'type' };
  if (parent?.type === 'BinaryExpression' && parent.operator === 'instanceof' && role === 'right')
    return { kind: 'type' };
  if (parent?.type === 'MemberExpression' && role === 'object') {
    const property = parent.property as Node;
    const member = parent.computed === true ? literalOf(property) : (property.name as string);
    return member === undefined ? { kind: 'name' } : { kind: 'member', member };
  }
  if (role !== 'callee' || parent === undefined || parent.callee !== node) return { kind: 'name' };
  const count = (parent.arguments as unknown[]).length;
  return { kind: parent.type === 'NewExpression' ? 'new' : 'call', arguments: count };
}
