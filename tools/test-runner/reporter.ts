// SPDX-License-Identifier: Apache-2.0
/** A reporter for node:test that writes one JSON document a line: what run-file.ts reads back. */
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

export type ReportLine =
  | { readonly kind: 'test'; readonly name: readonly string[]; readonly status: ReportStatus; readonly detail: string }
  /** The last line: without it, the file ended before its tests did. */
  | { readonly kind: 'end' };

export type ReportStatus = 'passed' | 'failed' | 'skipped';

type ResultEvent = Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>;

// node:test takes the reporter from the default export.
// biome-ignore lint/style/noDefaultExport: node:test wants it
export default async function* reportLines(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  // Events come in the order of declaration, a parent's start before its children's results.
  const around: string[] = [];
  for await (const event of events) {
    if (event.type === 'test:start') {
      around.length = event.data.nesting;
      around.push(event.data.name);
    } else if (event.type === 'test:pass' || event.type === 'test:fail') {
      const name = [...around.slice(0, event.data.nesting), event.data.name];
      const line = lineOf(event, name);
      if (line !== undefined) yield `${JSON.stringify(line)}\n`;
    } else if (event.type === 'test:summary') {
      yield `${JSON.stringify({ kind: 'end' } satisfies ReportLine)}\n`;
    }
  }
}

function lineOf(event: ResultEvent, name: readonly string[]): ReportLine | undefined {
  const { data } = event;
  if (data.todo !== undefined && data.todo !== false) {
    return { kind: 'test', name, status: 'failed', detail: 'marked todo: a test passes, fails, or is skipped by name' };
  }
  if (data.skip !== undefined && data.skip !== false) {
    return { kind: 'test', name, status: 'skipped', detail: data.skip === true ? '' : data.skip };
  }
  const isSuite = data.details.type === 'suite';
  if (event.type === 'test:pass') return isSuite ? undefined : { kind: 'test', name, status: 'passed', detail: '' };
  const { failureType, cause } = event.data.details.error as Error & { failureType?: string };
  if (failureType === 'subtestsFailed') {
    // The subtests have said it; a suite is no test of its own.
    return isSuite ? undefined : { kind: 'test', name, status: 'failed', detail: 'its subtests failed' };
  }
  return { kind: 'test', name, status: 'failed', detail: withoutInternals(inspect(cause ?? event.data.details.error)) };
}

/** Frames inside Node.js say nothing about the test. */
function withoutInternals(text: string): string {
  return text.replace(/\n +at .*\(node:[\w/]+:\d+:\d+\)/g, '').replace(/\n +at async .*node:internal.*/g, '');
}
