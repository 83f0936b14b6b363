// SPDX-License-Identifier: Apache-2.0

/** An error of Cedar, with its place in the text: UTF-8 octets from its start. */
export interface CedarError {
  readonly message: string;
  readonly help?: string | null;
  readonly sourceLocations?: readonly { readonly label: string | null; readonly start: number; readonly end: number }[];
}

type Answer<T> =
  | ({ readonly type: 'success' } & T)
  | { readonly type: 'failure'; readonly errors: readonly CedarError[] };

interface Uid {
  readonly type: string;
  readonly id: string;
}

interface Request {
  readonly principal: Uid;
  readonly action: Uid;
  readonly resource: Uid;
  readonly context: Readonly<Record<string, unknown>>;
  readonly entities: readonly unknown[];
}

/**
 * What is used of @cedar-policy/cedar-wasm. The caller loads and initialises it: in Node.js with `loadCedar` of
 * `@vouchsafe/appraise/node`, in a browser with the package's `./web` entry.
 */
export interface CedarEngine {
  checkParsePolicySet(policies: { readonly staticPolicies: string }): Answer<unknown>;
  policySetTextToParts(
    text: string,
  ): Answer<{ readonly policies: readonly string[]; readonly policy_templates: readonly string[] }>;
  policyToJson(policy: string): Answer<{ readonly json: CedarPolicyJson }>;
  policyToText(policy: CedarPolicyJson): Answer<{ readonly text: string }>;
  validate(call: { readonly schema: string; readonly policies: { readonly staticPolicies: string } }): Answer<{
    readonly validationErrors: readonly { readonly policyId: string; readonly error: CedarError }[];
  }>;
  preparsePolicySet(
    id: string,
    policies: { readonly staticPolicies: Readonly<Record<string, string>> },
  ): Answer<unknown>;
  statefulIsAuthorized(call: Request & { readonly preparsedPolicySetId: string }): Answer<{
    readonly response: {
      readonly decision: 'allow' | 'deny';
      readonly diagnostics: {
        readonly reason: readonly string[];
        readonly errors: readonly { readonly policyId: string; readonly error: CedarError }[];
      };
    };
  }>;
  isAuthorized(
    call: Request & { readonly policies: { readonly staticPolicies: Readonly<Record<string, CedarPolicyJson>> } },
  ): ReturnType<CedarEngine['statefulIsAuthorized']>;
}

/** A policy in Cedar's JSON form, as far as it is looked at. */
export interface CedarPolicyJson {
  readonly effect: 'permit' | 'forbid';
  readonly principal: unknown;
  readonly action: unknown;
  readonly resource: unknown;
  readonly conditions: readonly { readonly kind: 'when' | 'unless'; readonly body: unknown }[];
  readonly annotations?: Readonly<Record<string, string>>;
}
