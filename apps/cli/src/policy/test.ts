// SPDX-License-Identifier: Apache-2.0
import {
  type AppraisalFinding,
  appraise,
  type Facts,
  inputOf,
  type PreparedPolicy,
  parseBundle,
  preparePolicy,
  prepareReferences,
  STRICT_POLICY,
  type Verdict,
} from '@vouchsafe/appraise';
import { loadCedar } from '@vouchsafe/appraise/node';
import { parseUtf8, TextError } from '@vouchsafe/base';
import { EXIT } from '../exit-code.ts';
import { collect, readSmallFile } from '../parse.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';

interface TestOptions {
  readonly evidence: readonly string[];
  readonly facts?: true;
}

/** Evidence with an IMA list of months, and lists of files. */
const MAX_BUNDLE_BYTES = 512 * 1024 * 1024;

/** The name of the built-in policy, where a file is expected. */
const BUILT_IN = 'strict';

export const test: Verb = {
  define(command, session) {
    command
      .description(
        'Tries a policy on recorded evidence: says for each file whether the machine would be trusted, which policy decided, which conditions do not hold, and what was found.',
      )
      .argument('<POLICY>', `Cedar policies, or '${BUILT_IN}' for the built-in one`)
      .requiredOption('--evidence <file>', 'bundle of recorded evidence; may be repeated', collect<string>)
      .option('--facts', 'show all facts, too')
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        '\nExit status 1: one of the machines would not be trusted.\n\nExample:\n  vouchsafe policy test strict --evidence boot.evidence.json',
      )
      .action((policy: string, options: TestOptions) => run(session, policy, options));
  },
};

function run(session: Session, path: string, options: TestOptions): void {
  const policy = readPolicy(path);
  const tried = options.evidence.map((file) => ({ file, verdict: verdictOn(file, policy) }));
  if (tried.some(({ verdict }) => !verdict.isTrusted)) session.exitCode = EXIT.no;
  session.answer(
    printable(tried.map(({ file, verdict }) => textOf(file, verdict, options.facts === true)).join('\n\n')),
    {
      policy: { name: policy.name, sha256: policy.sha256 },
      evidence: tried.map(({ file, verdict }) => documentOf(file, verdict)),
    },
  );
}

function readPolicy(path: string): PreparedPolicy {
  const engine = loadCedar();
  if (path === BUILT_IN) return preparePolicy(engine, BUILT_IN, STRICT_POLICY);
  try {
    return preparePolicy(engine, path, parseUtf8(readSmallFile(path)));
  } catch (error) {
    if (error instanceof TextError) throw new UsageError(`${path}: expected a policy as text, found other bytes`);
    throw error;
  }
}

function verdictOn(file: string, policy: PreparedPolicy): Verdict {
  const bundle = parseBundle(readSmallFile(file, MAX_BUNDLE_BYTES));
  return appraise({ ...inputOf(bundle), references: prepareReferences(bundle.references), policy });
}

function textOf(file: string, verdict: Verdict, withFacts: boolean): string {
  const { status, isTrusted, decision, image, findings, facts } = verdict;
  const { decidedBy, unmet, errors } = decision;
  const booted = image === undefined ? 'no image that is known' : `${image.name} ${image.version}`;
  return [
    `${file}: ${isTrusted ? 'trusted' : 'NOT trusted'} (${status}), booted ${booted}`,
    ...(decidedBy.length === 0
      ? []
      : [`  ${decision.isPermitted ? 'permitted' : 'forbidden'} by ${decidedBy.join(', ')}`]),
    ...errors.map((error) => `  not to be evaluated: ${error}`),
    ...unmet.map(({ policy, condition }) => `  ${policy}: does not hold: ${condition}`),
    // The policy's own words are above.
    ...grouped(findings.filter(({ code }) => code !== 'policy_denied')).map((line) => `  ${line}`),
    ...(withFacts ? factLines(facts).map((line) => `  ${line}`) : []),
  ].join('\n');
}

/** One line for each code and hint: what holds for many PCRs or files is said once. */
function grouped(findings: readonly AppraisalFinding[]): string[] {
  const lines = new Map<string, { readonly first: AppraisalFinding; count: number }>();
  for (const finding of findings) {
    const known = lines.get(finding.code);
    if (known === undefined) lines.set(finding.code, { first: finding, count: 1 });
    else known.count++;
  }
  return [...lines.values()].map(({ first: { severity, code, hint, where }, count }) => {
    const place = where.pcr === undefined || count > 1 ? '' : ` (PCR ${where.pcr})`;
    return `${severity}: ${code}${count > 1 ? ` (${count} times)` : place}: ${hint}`;
  });
}

function factLines(facts: Facts): string[] {
  return Object.entries(facts).flatMap(([group, members]) =>
    Object.entries(members as Readonly<Record<string, unknown>>).map(
      ([name, value]) => `${group}.${name} = ${JSON.stringify(value)}`,
    ),
  );
}

function documentOf(file: string, verdict: Verdict): unknown {
  const { status, isTrusted, isAuthentic, decision, image, findings, facts, references, ear } = verdict;
  return { file, status, isTrusted, isAuthentic, decision, image, findings, facts, references, ear };
}
