// SPDX-License-Identifier: Apache-2.0

/** What stands at the top of each generated page. */
export const GENERATED = '<!-- Made by `npm run docs` from the sources; `npm run check` compares. Do not edit. -->';
