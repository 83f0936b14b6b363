// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';

/** What the registry says of what is locked. */
export type AdvisoryReport =
  | { readonly isKnown: true; readonly packages: number; readonly advisories: readonly Advisory[] }
  /** The registry does not answer that question. */
  | { readonly isKnown: false; readonly reason: string };

export interface Advisory {
  readonly name: string;
  readonly severity: string;
  readonly title: string;
  readonly url: string;
  readonly range: string;
}

interface AuditAnswer {
  readonly message?: string;
  readonly error?: { readonly summary?: string; readonly code?: string };
  readonly vulnerabilities?: Readonly<Record<string, { readonly via: readonly (string | AuditVia)[] }>>;
  readonly metadata?: { readonly dependencies?: { readonly total?: number } };
}
interface AuditVia {
  readonly name: string;
  readonly severity: string;
  readonly title: string;
  readonly url: string;
  readonly range: string;
}

/** Asks by `npm audit`, of the lock file. @param args more of npm's: '--registry=…', '--omit=dev' */
export async function readAdvisories(root: string, args: readonly string[]): Promise<AdvisoryReport> {
  const { stdout, stderr } = await runNpm(root, ['audit', '--json', '--package-lock-only', ...args]);
  let answer: AuditAnswer;
  try {
    answer = JSON.parse(stdout) as AuditAnswer;
  } catch {
    return { isKnown: false, reason: stderr.trim().split('\n')[0] ?? 'npm said nothing' };
  }
  const { vulnerabilities, metadata } = answer;
  if (vulnerabilities === undefined || answer.error !== undefined) {
    return { isKnown: false, reason: answer.message ?? answer.error?.summary ?? 'npm gave another answer' };
  }
  const found = new Map<string, Advisory>();
  for (const { via } of Object.values(vulnerabilities)) {
    for (const one of via) {
      if (typeof one === 'string') continue;
      const { name, severity, title, url, range } = one;
      found.set(`${name} ${url}`, { name, severity, title, url, range });
    }
  }
  const advisories = [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { isKnown: true, packages: metadata?.dependencies?.total ?? 0, advisories };
}

/** In whichever way npm is here; its settings are the caller's. */
function runNpm(cwd: string, args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('npm', args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => void out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => void err.push(chunk));
    child.once('error', reject);
    child.once('close', () =>
      resolve({ stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
    );
  });
}
