// SPDX-License-Identifier: Apache-2.0
// What the launcher starts: finds the program of the verb that is asked for, makes it anew when a source has changed, and
// runs it with the code that V8 made of it before. It is bundled as main.cjs and lies beside the programs.
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Script } from 'node:vm';
import { decodeProgramFile, type ProgramFile } from './program-file.ts';

/** From the folder of the bundle to the root of the checkout; bundleCommand puts it in. */
declare const TO_ROOT: string;

const ROOT = resolve(__dirname, TO_ROOT);
const QUIETLY = { throwIfNoEntry: false } as const;
/** Says nothing of verbs but their names: for the usage, and for what is no command. */
const OVERVIEW = 'main';

function start(): void {
  const file = `${NAME}.program`;
  const program = freshProgram(file) ?? remade(file);
  // Without what is needed to make it, the sources run as they are.
  if (program === undefined) void import(`${ROOT}/apps/cli/src/main.ts`);
  else run(file, program);
}

function freshProgram(file: string): ProgramFile | undefined {
  const program = readProgram(file);
  return program !== undefined && isFresh(program) ? program : undefined;
}

/** The same two words that the command will take for its noun and its verb; of a command of one word that one, twice. */
function programName(args: readonly string[]): string {
  const [noun = '', verb = ''] = args.filter((arg) => !arg.startsWith('-'));
  for (const name of [verb, noun]) {
    // They become parts of a path: they must not lead out of the folder.
    if (noun === '' || name === '' || `${noun}${name}`.includes('/')) continue;
    if (statSync(`${ROOT}/apps/cli/src/${noun}/${name}.ts`, QUIETLY)) return `${noun}.${name}`;
  }
  return OVERVIEW;
}

function readProgram(file: string): ProgramFile | undefined {
  try {
    return decodeProgramFile(readFileSync(`${__dirname}/${file}`));
  } catch {
    // Not there yet, or written by another version of this.
    return undefined;
  }
}

/** Whether each file that it was made of is as it was. */
function isFresh({ inputs }: ProgramFile): boolean {
  return inputs.every(([path, size, mtimeMs, ctimeMs]) => {
    const stats = statSync(`${ROOT}/${path}`, QUIETLY);
    return stats?.mtimeMs === mtimeMs && stats.ctimeMs === ctimeMs && stats.size === size;
  });
}

/** Makes the verb's program with its parts, and reads one of them. */
function remade(file: string): ProgramFile | undefined {
  const { spawnSync }: typeof import('node:child_process') = require('node:child_process');
  const { status } = spawnSync(process.execPath, [`${ROOT}/tools/bundle.ts`, __dirname, NAME], {
    stdio: ['ignore', 2, 'inherit'],
  });
  return status === 0 ? readProgram(file) : undefined;
}

function run(file: string, { source, code }: ProgramFile): unknown {
  const filename = `${__dirname}/${file}`;
  const script = new Script(source, { filename, cachedData: code });
  const part = { exports: {} };
  script.runInThisContext()(requirePart, part, part.exports, filename, __dirname);
  return part.exports;
}

/**
 * Node's own modules, and parts of the program that are loaded when they are needed. A part has copies of its own of what it
 * shares with the program, so that one of now goes with a program of before.
 */
function requirePart(specifier: string): unknown {
  if (!specifier.startsWith('./')) return require(specifier);
  const file = `${specifier.slice(2)}.part`;
  const part = freshProgram(file) ?? remade(file);
  if (part === undefined) throw new Error(`a part of the program is missing: ${file}`);
  return run(file, part);
}

/** Of what is asked for; functions above look at it when they run. */
const NAME = programName(process.argv.slice(2));
start();
