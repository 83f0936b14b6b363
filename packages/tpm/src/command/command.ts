// SPDX-License-Identifier: Apache-2.0
import { type Field, type Struct, type StructCodec, struct } from '@vouchsafe/codec';
import type { HandleValue, TpmEntity } from '../entity.ts';
import { isTpm2b } from '../structures/buffer.ts';

/**
 * Who must agree to the use of a handle. TPM 2.0 Library, Part 1, section 19.2 (Authorization Roles); Part 3 gives the
 * role of each handle in the table of its command. None for a handle without authorization.
 */
export type AuthRole = 'user' | 'admin' | 'dup' | 'none';

type Handles = Readonly<Record<string, AuthRole>>;
type Fields = Readonly<Record<string, Field>>;

/** A command as a row of a table: what goes in, what comes out, in the order of the specification. */
export interface Command<H extends Handles, P, RH extends string, R> {
  /** 'TPM2_Quote'. */
  readonly name: string;
  /** TPM_CC. */
  readonly code: number;
  /** Those with a role come first, as in the specification. */
  readonly handles: readonly { readonly name: keyof H & string; readonly role: AuthRole }[];
  readonly parameters: StructCodec<P>;
  readonly responseHandles: readonly RH[];
  readonly response: StructCodec<R>;
  /** The first parameter is a TPM2B, so that a session can encrypt it. */
  readonly canDecrypt: boolean;
  /** The first parameter of the response is one. */
  readonly canEncrypt: boolean;
  /** Where the first parameter is a secret: it is not sent in the clear unless the caller asks for that. */
  readonly secret?: SecretPlace;
  /** Whether the answer's first parameter is a secret, where that depends on what is asked. */
  readonly isAnswerSecret?: (parameters: P) => boolean;
  /** What success does to the policy session given under this handle. */
  readonly policyEffect?: PolicyEffect;
  /** The authValue that the response is authorized with, of a command that changes it. */
  readonly authAfter?: (entity: TpmEntity, parameters: P) => Uint8Array | undefined;
}

export type SecretPlace = 'request' | 'response';

/** How a policy session authorizes from now on. */
export interface PolicyEffect {
  readonly handle: string;
  readonly needs: 'authValue' | 'password' | 'nothing';
}

/** What a command takes: a value for each handle and each parameter, by the specification's names. */
export type CommandInput<C> =
  C extends Command<infer H, infer P, string, unknown> ? { readonly [K in keyof H]: HandleValue } & Readonly<P> : never;

/** What a command gives. */
export type CommandOutput<C> =
  C extends Command<infer _H, infer _P, infer RH, infer R> ? { readonly [K in RH]: number } & R : never;

interface Declaration<H extends Handles, P extends Fields, RH extends string, R extends Fields> {
  readonly code: number;
  readonly handles?: H;
  readonly parameters?: P;
  readonly responseHandles?: readonly RH[];
  readonly response?: R;
  readonly secret?: SecretPlace;
  readonly isAnswerSecret?: (parameters: Struct<P>) => boolean;
  readonly policyEffect?: PolicyEffect;
  readonly authAfter?: (entity: TpmEntity, parameters: Struct<P>) => Uint8Array | undefined;
}

/** Declares a command. */
export function command<
  const H extends Handles = Record<never, AuthRole>,
  const P extends Fields = Record<never, Field>,
  const RH extends string = never,
  const R extends Fields = Record<never, Field>,
>(name: string, declared: Declaration<H, P, RH, R>): Command<H, Struct<P>, RH, Struct<R>> {
  const parameters = struct(`${name} command`, declared.parameters ?? ({} as P));
  const response = struct(`${name} response`, declared.response ?? ({} as R));
  const { code, secret, isAnswerSecret, policyEffect, authAfter } = declared;
  return {
    name,
    code,
    handles: Object.entries(declared.handles ?? {}).map(([handle, role]) => ({ name: handle, role: role as AuthRole })),
    parameters,
    responseHandles: declared.responseHandles ?? [],
    response,
    canDecrypt: isFirstTpm2b(parameters),
    canEncrypt: isFirstTpm2b(response),
    ...(secret === undefined ? {} : { secret }),
    ...(isAnswerSecret === undefined ? {} : { isAnswerSecret }),
    ...(policyEffect === undefined ? {} : { policyEffect }),
    ...(authAfter === undefined ? {} : { authAfter }),
  };
}

function isFirstTpm2b({ fields }: StructCodec<unknown>): boolean {
  const [first] = fields;
  return first !== undefined && isTpm2b(first.codec);
}

// biome-ignore lint/suspicious/noExplicitAny: any command; its types do not matter where it is only carried.
export type AnyCommand = Command<any, any, string, any>;
