// SPDX-License-Identifier: Apache-2.0

/** Lines of the service's log: structured, one JSON object each, never a secret. */
export interface Log {
  info(members: object, message: string): void;
  warn(members: object, message: string): void;
  error(members: object, message: string): void;
}

/** Who does something: an operator, a machine, the service itself. */
export interface Actor {
  readonly kind: 'operator' | 'device' | 'service';
  readonly name: string;
}

/** Something that happened and must be known afterwards. Times are added when it is written. */
export interface Act {
  /** Noun and verb: 'device.approve', 'reference.add'. */
  readonly kind: string;
  readonly actor: Actor;
  /** What it was done to. */
  readonly subject: string;
  /** JSON-able; never a secret. */
  readonly detail?: Readonly<Record<string, unknown>>;
}
