// SPDX-License-Identifier: Apache-2.0

/** Where an image is in its life. Times in milliseconds since 1970, UTC. */
export type ManifestLife =
  /** Known, and not released yet. */
  | { readonly state: 'candidate' }
  | { readonly state: 'active' }
  /** Still good until then, so that a roll-out has a window; afterwards it is retired. */
  | { readonly state: 'retiring'; readonly untilMs: number }
  /** Withdrawn; bad from one moment to the next. */
  | { readonly state: 'revoked'; readonly sinceMs: number };

/** The same at some moment: what was retiring is retired once its time is over. */
export function lifeAt(life: ManifestLife, nowMs: number): ManifestLife['state'] | 'retired' {
  return life.state === 'retiring' && life.untilMs <= nowMs ? 'retired' : life.state;
}

/** For people: 'retired on 2026-11-30'. */
export function lifeText(life: ManifestLife, nowMs: number): string {
  const day = (ms: number): string => {
    // Beyond what a Date can say it is no day that anybody meant.
    const date = new Date(ms);
    return Number.isNaN(date.getTime()) ? 'an unknown day' : date.toISOString().slice(0, 10);
  };
  switch (life.state) {
    case 'candidate':
      return 'a candidate, not released yet';
    case 'active':
      return 'active';
    case 'retiring':
      return lifeAt(life, nowMs) === 'retired' ? `retired on ${day(life.untilMs)}` : `retiring on ${day(life.untilMs)}`;
    case 'revoked':
      return `revoked on ${day(life.sinceMs)}`;
  }
}
