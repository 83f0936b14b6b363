// SPDX-License-Identifier: Apache-2.0
import { AppraiseError, type CedarEngine, type PreparedPolicy, preparePolicy } from '@vouchsafe/appraise';
import { ServerError } from '../error.ts';

/** Prepared policies that are kept: of secrets, mostly. */
const MAX_PREPARED = 256;

/**
 * Prepares policies, and keeps those that were asked for last: preparing takes a hundred times as long as asking.
 * @returns a function that throws {ServerError} 'policy_malformed'
 */
export function policySource(engine: CedarEngine): (name: string, text: string) => PreparedPolicy {
  const prepared = new Map<string, PreparedPolicy>();
  return (name, text) => {
    const key = `${name}\0${text}`;
    const found = prepared.get(key) ?? prepareOrExplain(engine, name, text);
    prepared.delete(key);
    if (prepared.size >= MAX_PREPARED) prepared.delete(prepared.keys().next().value as string);
    prepared.set(key, found);
    return found;
  };
}

function prepareOrExplain(engine: CedarEngine, name: string, text: string): PreparedPolicy {
  try {
    return preparePolicy(engine, name, text);
  } catch (cause) {
    if (!(cause instanceof AppraiseError)) throw cause;
    throw new ServerError('policy_malformed', cause.message, { cause });
  }
}
