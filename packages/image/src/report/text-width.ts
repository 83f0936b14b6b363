// SPDX-License-Identifier: Apache-2.0

/**
 * Widths of characters in heights of the font, rounded up from those of DejaVu Sans: the widest of the fonts that a picture
 * asks for, so that what fits by this fits in the others.
 */
const WIDTHS: readonly (readonly [characters: string, width: number])[] = [
  ["ijlI'|", 0.3],
  ['ftr.,:;/ ()[]-!', 0.42],
  ['sczkvxyJ_L', 0.6],
  ['wCDGHNOQUVXY', 0.83],
  ['mMW@%+~#…', 1],
];
const LATIN = 0.69;
/** Scripts whose characters are as wide as they are high. */
const WIDE = 1.1;
const BOLD = 1.14;

const WIDTH_OF = new Map(WIDTHS.flatMap(([characters, width]) => [...characters].map((one) => [one, width] as const)));

export interface TextStyle {
  readonly fontSize: number;
  readonly isBold?: boolean;
}

/** No less than the text takes, by one of the fonts that are asked for. */
export function widthOf(text: string, style: TextStyle): number {
  let width = 0;
  for (const character of text) width += widthOfCharacter(character, style);
  return width;
}

/** The text, or its beginning with '…' where there is no room for it; nothing where that would tell nothing. */
export function fitted(text: string, width: number, style: TextStyle): string {
  if (widthOf(text, style) <= width) return text;
  let room = width - widthOf('…', style);
  let shown = '';
  for (const character of text) {
    room -= widthOfCharacter(character, style);
    if (room < 0) break;
    shown += character;
  }
  return [...shown].length < LEAST_CHARACTERS ? '' : `${shown}…`;
}

/** Of a name: what is shorter could be the beginning of anything. */
const LEAST_CHARACTERS = 4;

function widthOfCharacter(character: string, { fontSize, isBold = false }: TextStyle): number {
  const width = WIDTH_OF.get(character) ?? ((character.codePointAt(0) as number) < 0x2000 ? LATIN : WIDE);
  return width * fontSize * (isBold ? BOLD : 1);
}
