// SPDX-License-Identifier: Apache-2.0
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Document as YamlDocument,
} from 'yaml';
import { ImageError } from '../error.ts';

/** Characters of a recipe: a page or two are usual. */
const MAX_RECIPE_CHARACTERS = 1024 * 1024;
const MAX_ITEMS = 10_000;

interface Whole {
  readonly document: YamlDocument;
  readonly lines: LineCounter;
  readonly file: string;
}

/** @throws {ImageError} 'recipe_invalid' where there is nothing that could have such a member. */
function setMember(document: YamlDocument, path: string, text: string): void {
  const keys = path.split('.');
  const last = keys.pop() as string;
  const parent = keys.length === 0 ? document.contents : document.getIn(keys, true);
  if (!isMap(parent)) throw new ImageError('recipe_invalid', `${path}: expected a recipe that has ${keys.join('.')}`);
  const value: unknown = /^(true|false|[0-9]+)$/.test(text) ? JSON.parse(text) : text;
  if (parent.has(last)) parent.set(last, document.createNode(value));
  else parent.add(document.createPair(last, value));
}

/** A value of a recipe with its place in the file, so that whatever is wrong with it can be said by line and column. */
export class RecipeNode {
  readonly #whole: Whole;
  readonly #node: Node | null;
  /** Where it begins in the text: of a value that is not there, its key's. */
  readonly #at: number;
  /** By the names that lead to it: `root.tar`. */
  readonly path: string;

  private constructor(whole: Whole, node: Node | null, at: number, path: string) {
    this.#whole = whole;
    this.#at = node?.range?.[0] ?? at;
    this.path = path;
    this.#node = isAlias(node) ? (node.resolve(whole.document) ?? null) : node;
    if (isAlias(node) && this.#node === null)
      this.refuse(`expected an anchor &${node.source} before its alias, found none`);
  }

  /**
   * YAML 1.2, core schema; keys only once.
   * @param file what to call it in messages.
   * @param settings values that stand in for those of the text, by their path with dots: numbers, true and false as they
   * would be read, anything else as text.
   * @throws {ImageError} 'recipe_invalid'
   */
  static parse(text: string, file: string, settings: ReadonlyMap<string, string> = new Map()): RecipeNode {
    if (text.length > MAX_RECIPE_CHARACTERS) {
      throw new ImageError(
        'recipe_invalid',
        `${file}: expected at most ${MAX_RECIPE_CHARACTERS} characters, found ${text.length}`,
      );
    }
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, merge: false });
    const whole: Whole = { document, lines, file };
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) return new RecipeNode(whole, null, problem.pos[0], '').refuse(problem.message);
    for (const [path, value] of settings) setMember(document, path, value);
    return new RecipeNode(whole, document.contents as Node | null, 0, '');
  }

  /** @throws {ImageError} 'recipe_invalid', with file, line and column. */
  refuse(problem: string): never {
    const { line, col } = this.#whole.lines.linePos(this.#at);
    const where = `${this.#whole.file}:${Math.max(1, line)}:${Math.max(1, col)}`;
    throw new ImageError('recipe_invalid', `${where}: ${this.path === '' ? '' : `${this.path}: `}${problem}`);
  }

  /** A member; undefined where it is not there, or says nothing. */
  optional(name: string): RecipeNode | undefined {
    const node = this.#node;
    if (!isMap(node)) return this.refuse(`expected names with values, found ${this.#kind()}`);
    const pair = node.items.find(({ key }) => isScalar(key) && key.value === name);
    if (pair === undefined) return undefined;
    const key = pair.key as Node;
    const value = new RecipeNode(this.#whole, pair.value as Node | null, key.range?.[0] ?? this.#at, this.#below(name));
    return value.isNothing ? undefined : value;
  }

  member(name: string): RecipeNode {
    return this.optional(name) ?? this.refuse(`expected ${name}`);
  }

  /** The members by name, in the order of the file. */
  members(): [name: string, value: RecipeNode][] {
    const node = this.#node;
    if (!isMap(node)) return this.refuse(`expected names with values, found ${this.#kind()}`);
    return node.items.map(({ key, value }): [string, RecipeNode] => {
      const at = (key as Node | null)?.range?.[0] ?? this.#at;
      if (!isScalar(key) || typeof key.value !== 'string') {
        return new RecipeNode(this.#whole, null, at, this.path).refuse(
          'expected a name that is text; put it into quotes',
        );
      }
      return [key.value, new RecipeNode(this.#whole, value as Node | null, at, this.#below(key.value))];
    });
  }

  /** Refuses every other member: a name that was mistyped would otherwise do nothing, silently. */
  allow(...names: readonly string[]): this {
    for (const [name, value] of this.members()) {
      if (!names.includes(name)) value.refuse(`expected one of ${names.join(', ')}, found ${name}`);
    }
    return this;
  }

  /** The items of a list; of a single value, that value. */
  items(): RecipeNode[] {
    const node = this.#node;
    if (!isSeq(node)) return [this];
    if (node.items.length > MAX_ITEMS) this.refuse(`expected at most ${MAX_ITEMS} items, found ${node.items.length}`);
    return node.items.map(
      (item, i) => new RecipeNode(this.#whole, item as Node | null, this.#at, `${this.path}[${i + 1}]`),
    );
  }

  get isNothing(): boolean {
    return this.#node === null || (isScalar(this.#node) && this.#node.value === null);
  }

  text(): string {
    const value = this.#scalar();
    if (typeof value !== 'string') return this.refuse(`expected text, found ${this.#kind()}; put it into quotes`);
    if (value === '' || value.includes('\0')) return this.refuse('expected text that is not empty');
    return value;
  }

  /** Text or a number, as text: for an amount with its unit. */
  plain(): string {
    const value = this.#scalar();
    return typeof value === 'number' ? String(value) : this.text();
  }

  oneOf<const T extends string>(...values: readonly T[]): T {
    const text = this.text();
    return values.find((value) => value === text) ?? this.refuse(`expected one of ${values.join(', ')}, found ${text}`);
  }

  boolean(): boolean {
    const value = this.#scalar();
    return typeof value === 'boolean' ? value : this.refuse(`expected true or false, found ${this.#kind()}`);
  }

  integer(min: number, max: number): number {
    const value = this.#scalar();
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
    return this.refuse(`expected a whole number from ${min} to ${max}, found ${this.#kind()}`);
  }

  /** Permission bits as chmod(1) takes them: octal, however it is written, where YAML would take 0644 for a decimal number. */
  permissions(): number {
    const node = this.#node;
    const source = isScalar(node) ? (node.source ?? String(node.value)) : '';
    const digits = /^(?:0o?)?([0-7]{1,4})$/.exec(source)?.[1];
    return digits === undefined
      ? this.refuse(`expected permission bits as octal digits, found ${this.#kind()}`)
      : Number.parseInt(digits, 8);
  }

  #scalar(): unknown {
    return isScalar(this.#node) ? this.#node.value : undefined;
  }

  #below(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  #kind(): string {
    const node = this.#node;
    if (isMap(node)) return 'names with values';
    if (isSeq(node)) return 'a list';
    if (isScalar(node)) return JSON.stringify(node.value ?? null).slice(0, 100);
    return 'nothing';
  }
}
