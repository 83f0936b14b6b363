// SPDX-License-Identifier: Apache-2.0
import type { VerdictSummary } from '@vouchsafe/protocol';

/** What the agent tells whoever runs it. Nothing in it is secret. */
export type AgentEvent =
  | { readonly kind: 'enrolled'; readonly deviceId: string }
  | { readonly kind: 'awaiting-approval'; readonly askAgainAfterMs: number }
  | { readonly kind: 'attested'; readonly verdict: VerdictSummary; readonly nextInMs: number }
  | { readonly kind: 'certificate'; readonly notAfterMs: number }
  | { readonly kind: 'failed'; readonly error: Error; readonly againInMs: number };
