// SPDX-License-Identifier: Apache-2.0
import type { AttackTest } from './attack-tests.ts';
import type { Attack } from './attacks.ts';
import { GENERATED } from './generated.ts';

const ABOUT =
  'Each known attack is carried out by tests that carry its number in their names, against the parts that must withstand' +
  ' it: the parsers, the appraisal, a TPM (swtpm), the running service. They assert what was found, and not merely that' +
  ' something was refused. What quotes cannot show at all, such as somebody on the TPM’s bus, is in' +
  ' [SECURITY.md](../../SECURITY.md).';

/** docs/security/attacks.md: each attack with the tests that carry it out. */
export function attackPage(attacks: readonly Attack[], tests: readonly AttackTest[]): string {
  const rows = attacks.map(({ number, what, notYet }) => {
    const mine = tests.filter(({ numbers }) => numbers.includes(number));
    const covered = mine.length === 0 ? `not yet: ${notYet ?? 'no test'}` : testsOf(mine);
    return `| A${number} | ${cell(what)} | ${covered} |`;
  });
  const table = ['| number | attack | carried out by |', '|---|---|---|', ...rows].join('\n');
  return ['# Attacks that must fail', GENERATED, ABOUT, table].join('\n\n').concat('\n');
}

/** By file, so that each is linked once. */
function testsOf(tests: readonly AttackTest[]): string {
  const paths = [...new Set(tests.map(({ path }) => path))];
  return paths
    .map((path) => {
      const short = path
        .replace(/^(packages|apps)\//, '')
        .replace('/test/', '/')
        .replace(/\.test\.ts$/, '');
      const names = [...new Set(tests.filter((one) => one.path === path).map(({ name }) => name))];
      return `[${short}](../../${path}): ${names.map(cell).join(' · ')}`;
    })
    .join('<br>');
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ');

/** Findings as lines: attacks that no test carries out though they must be, and numbers that no attack has. */
export function checkAttacks(attacks: readonly Attack[], tests: readonly AttackTest[]): string[] {
  const covered = new Set(tests.flatMap(({ numbers }) => numbers));
  const known = new Set(attacks.map(({ number }) => number));
  return [
    ...attacks
      .filter(({ number, notYet }) => notYet === undefined && !covered.has(number))
      .map(({ number, what }) => `A${number} (${what}): no test carries it out; name one 'A${number}: …'`),
    ...attacks
      .filter(({ number, notYet }) => notYet !== undefined && covered.has(number))
      .map(({ number }) => `A${number}: a test carries it out; remove its reason in tools/docs/attacks.ts`),
    ...tests
      .filter(({ numbers }) => numbers.some((number) => !known.has(number)))
      .map(({ path, name }) => `${path}: '${name}' is for an attack that tools/docs/attacks.ts does not have`),
  ];
}
