// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** A page of docs, as whoever follows it reads it: each command is taken from it, and what was not taken is known. */
export class GuidePage {
  readonly #path: string;
  readonly #text: string;
  readonly #left: string[];

  constructor(path: string) {
    this.#path = path;
    this.#text = readFileSync(`${ROOT}${path}`, 'utf8');
    this.#left = [...this.#text.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = '']) => commandsOf(block));
  }

  /** The one command of the page's blocks that begins so, whole. */
  command(start: string): string {
    const [found, ...others] = this.#left.filter((line) => line.startsWith(start));
    assert.ok(found !== undefined && others.length === 0, `${this.#path}: one command left that begins '${start}'`);
    this.#left.splice(this.#left.indexOf(found), 1);
    return found;
  }

  /** The one block that holds this, with the names that the page has for what is elsewhere here. */
  block(words: string, names: Readonly<Record<string, string>>): string {
    const blocks = [...this.#text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
    const [found, ...others] = blocks.filter((block) => block.includes(words));
    assert.ok(found !== undefined && others.length === 0, `${this.#path}: one block with '${words}'`);
    return Object.entries(names).reduce((text, [name, here]) => text.replaceAll(name, here), found);
  }

  /** A command in the running text, which must be there as it is given. */
  inText(command: string): string {
    const plain = this.#text.replaceAll(/\s+/g, ' ');
    assert.ok(plain.includes(`\`${command}\``), `${this.#path}: expected \`${command}\` in its text`);
    return command.startsWith('vouchsafe ') ? command : `vouchsafe ${command}`;
  }

  /** What its blocks tell to type and nobody has asked for. */
  get left(): readonly string[] {
    return this.#left;
  }
}

/** Lines, those that go on in the next one joined, without their comments. */
function commandsOf(block: string): string[] {
  return block
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}
