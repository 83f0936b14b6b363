// SPDX-License-Identifier: Apache-2.0

/** One parameter of a kernel command line. */
export interface KernelParameter {
  /** Without quotes. */
  readonly name: string;
  /** What follows '='; undefined where there is none. */
  readonly value: string | undefined;
  /** Characters from the start of the text. */
  readonly offset: number;
}

/**
 * The parameters of a kernel command line: blanks separate them but inside double quotes, and quotes are no part of name
 * or value. Linux, lib/cmdline.c, next_arg. A quote that is not closed lasts to the end, as it does for the kernel.
 */
export function parseKernelCommandLine(text: string): KernelParameter[] {
  const parameters: KernelParameter[] = [];
  for (const match of text.matchAll(/(?:"[^"]*(?:"|$)|[^\s"\0])+/g)) {
    const [name = '', ...rest] = match[0].replaceAll('"', '').split('=');
    parameters.push({ name, value: rest.length === 0 ? undefined : rest.join('='), offset: match.index });
  }
  return parameters;
}
