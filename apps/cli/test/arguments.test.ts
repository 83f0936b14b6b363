// SPDX-License-Identifier: Apache-2.0
// Internal: how a command line is read by what a verb declares, and what the usage says of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Command } from '../src/arguments/command.ts';
import { CommandLineError } from '../src/arguments/command-line-error.ts';
import { InvalidArgumentError } from '../src/arguments/invalid-argument-error.ts';
import { nearNames } from '../src/arguments/near-names.ts';
import { Option } from '../src/arguments/option.ts';
import { readArguments, readLeadingOptions } from '../src/arguments/read-arguments.ts';
import { usageText } from '../src/arguments/usage-text.ts';
import { COMMANDS } from '../src/noun.ts';
import { Session } from '../src/session.ts';

function even(text: string): number {
  if (Number(text) % 2 !== 0) throw new InvalidArgumentError('Expected an even number.');
  return Number(text);
}

const made = (): Command =>
  new Command('vouchsafe noun verb')
    .description('Does something.')
    .argument('<FIRST>', 'the first')
    .argument('[SECOND]', 'the second')
    .option('-s, --salt <hex>', 'salt')
    .option('-f, --force', 'replace')
    .option('-q', 'quiet')
    .option('--no-superblock', 'there is none')
    .option('--even <number>', 'an even number', even)
    .option('--name <text>', 'a name', 'root')
    .option('--add <text>', 'may be repeated', (text: string, earlier: readonly string[] = []) => [...earlier, text])
    .addOption(new Option('--state <state>', 'on or off').choices(['on', 'off']).default('on'))
    .addOption(new Option('--restart', 'restart').conflicts('panic'))
    .option('--panic', 'panic');

const DEFAULTS = { superblock: true, name: 'root', state: 'on' };

function read(...args: string[]) {
  const found = readArguments(made().spec, args);
  assert.ok(found !== 'help');
  return found;
}

const refused = (...args: string[]): string => {
  try {
    read(...args);
  } catch (error) {
    assert.ok(error instanceof CommandLineError);
    return error.message;
  }
  return assert.fail(`read: ${args.join(' ')}`);
};

test('options and operands in any order, each way to write them', () => {
  assert.deepEqual(read('a'), { operands: ['a', undefined], options: DEFAULTS });
  for (const args of [
    ['a', 'b', '--salt', '-', '--force'],
    ['--salt=-', 'a', '--force', 'b'],
    ['-s', '-', '-f', 'a', 'b'],
    ['-fs-', 'a', 'b'],
    ['-f', '-s-', '--', 'a', 'b'],
    ['-s', '1', 'a', '-fs', '-', '--', 'b'],
  ]) {
    assert.deepEqual(
      read(...args),
      { operands: ['a', 'b'], options: { ...DEFAULTS, salt: '-', force: true } },
      `${args}`,
    );
  }
  assert.deepEqual(read('--', '--salt', '-h').operands, ['--salt', '-h']);
  assert.deepEqual(read('-', '').operands, ['-', '']);
  assert.deepEqual(read('a', '-fq', '--no-superblock', '--even=4', '--state', 'off', '--name', '').options, {
    force: true,
    q: true,
    superblock: false,
    even: 4,
    state: 'off',
    name: '',
  });
  // A value may look like an option, or have = in it.
  assert.deepEqual(read('a', '--add', '--force', '--add=b=c', '--add', '').options['add'], ['--force', 'b=c', '']);
});

test('what was written is what is read', () => {
  const option = fc.oneof(
    fc.record({ property: fc.constantFrom('salt', 'name'), text: fc.string() }),
    fc.constant({ property: 'force', text: undefined }),
  );
  fc.assert(
    fc.property(fc.array(option), fc.boolean(), fc.string(), (options, isJoined, operand) => {
      const args = options.flatMap(({ property, text }) =>
        text === undefined ? [`--${property}`] : isJoined ? [`--${property}=${text}`] : [`--${property}`, text],
      );
      const expected = Object.fromEntries(options.map(({ property, text }) => [property, text ?? true]));
      const found = read(...args, '--', operand);
      assert.deepEqual(found, { operands: [operand, undefined], options: { ...DEFAULTS, ...expected } });
    }),
  );
});

test('what does not fit is refused by name', () => {
  for (const [args, message] of [
    [[], /'FIRST'/],
    [['a', 'b', 'c'], /Expected 2 arguments but got 3/],
    [['a', '--sal', '1'], /'--sal'[\s\S]*mean --salt\?/],
    [['a', '-x'], /'-x'/],
    [['a', '-fx'], /'-x'/],
    [['a', '--force=1'], /'--force' takes no value/],
    [['a', '--superblock'], /unknown option '--superblock'/],
    [['a', '--salt'], /'-s, --salt <hex>' argument missing/],
    [['a', '--even', '3'], /'3' is invalid. Expected an even number/],
    [['a', '--state', 'maybe'], /'maybe' is invalid. Allowed choices are on, off/],
    [['a', '--restart', '--panic'], /'--restart' cannot be used with option '--panic'/],
    [['a', '--panic', '--restart'], /'--restart' cannot be used with option '--panic'/],
  ] as const) {
    assert.match(refused(...args), message);
  }
});

test('an option that has to be given; an operand once or more; a defect of a reader stays one', () => {
  const spec = new Command('x y').argument('<FILE...>', 'files').requiredOption('-o, --output <file>', 'output').spec;
  assert.throws(() => readArguments(spec, ['a']), CommandLineError);
  assert.throws(() => readArguments(spec, ['-o', 'a']), CommandLineError);
  assert.deepEqual(readArguments(spec, ['a', '-o', 'x', 'b']), { operands: [['a', 'b']], options: { output: 'x' } });
  const broken = new Command('x y').option('--n <n>', 'n', () => {
    throw new RangeError();
  }).spec;
  assert.throws(() => readArguments(broken, ['--n', '1']), RangeError);
});

test('the usage is shown wherever it is asked for, but not for what only looks so', () => {
  for (const args of [['-h'], ['a', '--bogus', '--help'], ['--even', '3', '-h'], ['a', 'b', 'c', '-h']]) {
    assert.equal(readArguments(made().spec, args), 'help');
  }
  assert.equal(read('a', '--salt', '-h').options['salt'], '-h');
});

test('options of the program stand before the command; the rest is not looked at', () => {
  const spec = new Command('vouchsafe').option('--json', 'JSON').spec;
  const { options, rest } = readLeadingOptions(spec, ['--json', 'verb', '--json', '-h', '--', 'a']) as Exclude<
    ReturnType<typeof readLeadingOptions>,
    'help'
  >;
  assert.deepEqual(options, { json: true });
  assert.deepEqual(rest, ['verb', '--json', '-h', '--', 'a']);
  assert.equal(readLeadingOptions(spec, ['-h', 'verb']), 'help');
  assert.throws(() => readLeadingOptions(spec, ['--bogus', 'verb']), CommandLineError);
});

test('near names are those that a slip or two make', () => {
  const names = ['--salt', '--seed', '--force', '--format', '--no-superblock', 'sign'];
  for (const [mistyped, near] of [
    ['--slat', ['--salt']],
    ['--sal', ['--salt']],
    ['--sealt', ['--salt']],
    ['--forme', ['--force']],
    ['--no-superblok', ['--no-superblock']],
    ['sing', ['sign']],
    ['--seld', ['--seed']],
    ['--x', []],
    ['', []],
    ['--root-hash', []],
  ] as const) {
    assert.deepEqual(nearNames(mistyped, names), near, mistyped);
  }
  assert.deepEqual(nearNames('read', ['reap', 'rear', 'read-all']), ['reap', 'rear']);
});

test('what cannot be read is no declaration', () => {
  for (const flags of ['', 'force', '--Force', '--a <b', '--files <file...>', '--color [when]', '-f, -g', '-ab']) {
    assert.throws(() => new Option(flags, ''), TypeError, flags);
  }
  for (const operand of ['FILE', '<FILE', '[FILE...]']) {
    assert.throws(() => new Command('x').argument(operand, ''), TypeError, operand);
  }
  assert.throws(() => made().option('-f, --fresh', 'taken'), TypeError);
});

test('the usage shows what was declared, within the width of the terminal', () => {
  const spec = made().addHelpText('after', '\nExample:\n  vouchsafe noun verb a').spec;
  for (const columns of [50, 80, 200]) {
    const text = usageText(spec, columns);
    assert.match(
      text,
      /^Usage: vouchsafe noun verb \[options\] <FIRST> \[SECOND\]\n\nDoes something\.\n\nArguments:\n/,
    );
    for (const { flags } of spec.options) assert.ok(text.includes(`\n  ${flags}`), flags);
    assert.match(text, /choices: "on", "off",\s+default: "on"/);
    assert.ok(text.endsWith('\nExample:\n  vouchsafe noun verb a\n'));
    if (columns >= 80) assert.ok(text.split('\n').every((line) => line.length <= columns));
  }
});

test('every verb can be declared', async (t) => {
  const session = new Session(false);
  t.after(() => session.close());
  for (const [words, { load }] of COMMANDS) {
    const command = new Command(`vouchsafe ${words.join(' ')}`);
    (await load()).define(command, session);
    assert.notEqual(command.spec.description, '');
  }
});
