// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { parseHex, toHex } from '@vouchsafe/base';
import { decode } from '@vouchsafe/codec';
import * as library from '@vouchsafe/tpm';

/** Any command as the table declares it. */
export type Declared = library.Command<Record<string, 'user'>, object, string, object>;

/** Every command of the library, by its code. */
export const COMMANDS: ReadonlyMap<number, Declared> = new Map(
  Object.entries(library).flatMap(([name, value]) =>
    name.startsWith('tpm2') && typeof value === 'object' && 'code' in value
      ? [[value.code, value as unknown as Declared] as const]
      : [],
  ),
);

/** One command and its answer, as they passed. */
export interface Exchange {
  readonly command: Declared;
  readonly request: Uint8Array;
  readonly response: Uint8Array;
}

const FILE = new URL('../testdata/transcript.txt', import.meta.url);
const word = (bytes: Uint8Array, at: number): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
const PASSWORD_SESSION = 0x4000_0009;

/** The first good answer to each command that had no session but passwords: what any program would get again. */
export class Transcript {
  readonly #lines = new Map<number, string>();

  note(request: Uint8Array, response: Uint8Array): void {
    const code = word(request, 6);
    const command = COMMANDS.get(code);
    if (command === undefined || word(response, 6) !== 0 || this.#lines.has(code)) return;
    const at = 10 + 4 * command.handles.length;
    const hasSessions = request[1] === 2;
    // Passwords are empty in all of them: an area of nine octets each.
    const passwords = hasSessions ? word(request, at) / 9 : 0;
    for (let i = 0; i < passwords; i++) if (word(request, at + 4 + 9 * i) !== PASSWORD_SESSION) return;
    if (!Number.isInteger(passwords)) return;
    this.#lines.set(code, `${command.name} ${toHex(request)} ${toHex(response)}`);
  }

  write(): void {
    writeFileSync(FILE, `${[...this.#lines.values()].sort().join('\n')}\n`);
  }
}

/** What testdata/transcript.txt holds. */
export function readTranscript(): Exchange[] {
  const lines = readFileSync(FILE, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [, request = '', response = ''] = line.split(' ');
    const command = COMMANDS.get(word(parseHex(request), 6));
    if (command === undefined) throw new Error(`expected a command that is declared: ${line.slice(0, 40)}`);
    return { command, request: parseHex(request), response: parseHex(response) };
  });
}

/** The same command as it was sent, from its octets: what `prepare` takes. */
export function inputOf({ command, request }: Exchange): object {
  const handles = command.handles.map(({ name }, i) => [name, word(request, 10 + 4 * i)] as const);
  let at = 10 + 4 * handles.length;
  if (request[1] === 2) at += 4 + word(request, at);
  return {
    ...decode(command.parameters, request.subarray(at)),
    ...Object.fromEntries(handles.map(([name, handle]) => [name, { handle, name: new Uint8Array() }])),
  };
}
