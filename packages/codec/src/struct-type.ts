// SPDX-License-Identifier: Apache-2.0
import type { Codec, Infer } from './codec.ts';

/** A codec, or a codec with one line of documentation. */
export type Field = Codec<unknown> | readonly [codec: Codec<unknown>, doc: string];
export type Fields = Readonly<Record<string, Field>>;

type CodecOf<F> = F extends readonly [infer C, string] ? C : F;
type Flat<T> = { [K in keyof T]: T[K] } & {};
/** void, and nothing else: reserved space has no value, `unknown` and `undefined | T` do. */
// biome-ignore lint/suspicious/noConfusingVoidType: void is what is asked for.
type IsVoid<T> = [T] extends [void]
  ? [undefined] extends [T]
    ? [T] extends [undefined]
      ? false
      : true
    : false
  : false;
type VoidKeys<F> = { [K in keyof F]: IsVoid<Infer<CodecOf<F[K]>>> extends true ? K : never }[keyof F];
type Plain<F> = { -readonly [K in Exclude<keyof F, VoidKeys<F>>]: Infer<CodecOf<F[K]>> };

type SelectKeys<F> = { [K in keyof F]: CodecOf<F[K]> extends { readonly selector: string } ? K : never }[keyof F];
type SelectorOf<C> = C extends { readonly selector: infer K } ? K : never;
type ArmsOf<C> = C extends { readonly arms: infer V } ? V : never;
type OtherOf<C> = C extends { readonly otherwise: Codec<infer O> | undefined } ? O : never;
type IsUnion<T, U = T> = T extends unknown ? ([U] extends [T] ? false : true) : never;

/** Selectors of all unions of a structure; one, where the structure's type can be a discriminated union. */
type Selectors<F> = SelectorOf<CodecOf<F[SelectKeys<F>]>>;
type ArmNames<F> = keyof ArmsOf<CodecOf<F[SelectKeys<F>]>>;
type ArmValue<C, A> = A extends keyof ArmsOf<C> ? Infer<ArmsOf<C>[A]> : OtherOf<C>;
/** One member per arm, so that `value.type === 'quote'` narrows `value.attested`. */
type Narrowed<F, K extends keyof Plain<F>> =
  | {
      [A in ArmNames<F>]: Flat<
        Omit<Plain<F>, K | SelectKeys<F>> & { [P in K]: A } & { [S in SelectKeys<F>]: ArmValue<CodecOf<F[S]>, A> }
      >;
    }[ArmNames<F>]
  | ([OtherOf<CodecOf<F[SelectKeys<F>]>>] extends [never]
      ? never
      : Flat<
          Omit<Plain<F>, K | SelectKeys<F>> & { [P in K]: Exclude<Plain<F>[K], ArmNames<F>> } & {
            [S in SelectKeys<F>]: OtherOf<CodecOf<F[S]>>;
          }
        >);

/** The type of a structure's values. */
export type Struct<F> = [SelectKeys<F>] extends [never]
  ? Flat<Plain<F>>
  : IsUnion<Selectors<F>> extends false
    ? Selectors<F> extends keyof Plain<F>
      ? Narrowed<F, Selectors<F>>
      : Flat<Plain<F>>
    : Flat<Plain<F>>;
