// SPDX-License-Identifier: Apache-2.0
import { formatBytes } from '@vouchsafe/base';
import type { SizeNode } from './size-node.ts';
import { type Rectangle, squarify } from './squarify.ts';
import { fitted, widthOf } from './text-width.ts';

const [WIDTH, HEIGHT, MARGIN, TITLE_HEIGHT] = [1280, 800, 12, 68];
const TITLE = { fontSize: 19, isBold: true } as const;
const LEGEND = { fontSize: 12 } as const;
const SWATCH = 12;
/** A heading over what is inside, where there is room for both. */
const HEADING = 18;
const GAP = 2;
const LEAST = { width: 46, height: 40 };
/** Smaller ones would not be seen; their place shows in the colour of what they are in. */
const LEAST_AREA = 12;
const MAX_RECTANGLES = 4000;
/** What has so much of the whole has a colour of its own, if what it is in has so much: else all would be of one colour. */
const OWN_COLOUR = { share: 0.03, withinShare: 0.25 };

/** Hues that are told apart by people who see colours differently, too, as their lightness differs. */
const HUES = [212, 28, 150, 275, 48, 340, 185, 100, 8, 240];
const OVERHEAD: Shade = { hue: 215, saturation: 8 };
/** Room that nothing uses is hatched: it takes no space but in the disk. */
const FREE: Shade = { ...OVERHEAD, pattern: 'vouchsafe-free' };

interface Shade {
  readonly hue: number;
  readonly saturation: number;
  readonly pattern?: string;
}

/**
 * A picture of what takes the space, as SVG: areas are sizes, what is inside something lies inside it. It names no font of
 * its own and runs nothing; each rectangle tells its path and size to who points at it. The same tree gives the same picture.
 */
export function treemapSvg(whole: SizeNode): string {
  const drawing = new Drawing(whole.sizeBytes);
  const area = {
    x: MARGIN,
    y: MARGIN + TITLE_HEIGHT,
    width: WIDTH - 2 * MARGIN,
    height: HEIGHT - 2 * MARGIN - TITLE_HEIGHT,
  };
  drawing.addChildren(whole, area, '', 0, undefined);
  const title = `${whole.name}, ${formatBytes(whole.sizeBytes)}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escaped(`What takes the space of ${title}`)}" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif">
<defs><pattern id="${FREE.pattern}" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="8" height="8" fill="#f6f7f9"/><rect width="3" height="8" fill="#e4e8ec"/></pattern></defs>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>
<text x="${MARGIN + 2}" y="${MARGIN + 18}" font-size="19" font-weight="600" fill="#1c2733">${escaped(fitted(whole.name, WIDTH - 2 * MARGIN - 4, TITLE))}</text>
<text x="${MARGIN + 2}" y="${MARGIN + 36}" font-size="12.5" fill="#52606d">${escaped(`${formatBytes(whole.sizeBytes)} in all; areas are octets of the image, as they are stored; point at one for its path and size`)}</text>
${legend(drawing.tops).join('\n')}
${drawing.elements.join('\n')}
</svg>
`;
}

class Drawing {
  readonly elements: string[] = [];
  /** What the whole is made of at once, and the colour that each has. */
  readonly tops: { readonly node: SizeNode; readonly shade: Shade }[] = [];
  readonly #total: number;
  #hues = 0;

  constructor(total: number) {
    this.#total = total;
  }

  addChildren(node: SizeNode, area: Rectangle, path: string, depth: number, shade: Shade | undefined): void {
    const children = node.children.filter(({ sizeBytes }) => sizeBytes > 0);
    const rectangles = squarify(
      children.map(({ sizeBytes }) => sizeBytes),
      area,
    );
    // Before what is inside them: those beside each other differ in colour.
    const shades = children.map((child) => this.#shadeOf(child, node, depth, shade));
    for (const [i, child] of children.entries()) {
      const own = shades[i] as Shade;
      if (depth === 0) this.tops.push({ node: child, shade: own });
      this.#add(joined(child), inset(rectangles[i] as Rectangle, depth), path, depth, own);
    }
  }

  #add(node: SizeNode, area: Rectangle, above: string, depth: number, shade: Shade): void {
    if (area.width * area.height < LEAST_AREA || this.elements.length >= MAX_RECTANGLES) return;
    const path = above === '' ? node.name : `${above}/${node.name}`;
    const isOpen = node.children.length > 0 && area.width >= LEAST.width && area.height >= LEAST.height;
    const lightness = isOpen ? Math.max(80, 93 - 3 * depth) : Math.min(86, 76 + 2 * depth);
    const share = 100 * this.#shareOf(node);
    const tip = `${path}\n${formatBytes(node.sizeBytes)}, ${share < 0.1 ? 'less than 0.1' : share.toFixed(1)} %`;
    const fill = fillOf(shade, lightness);
    const edge = `hsl(${shade.hue} ${shade.saturation}% ${lightness - 26}%)`;
    this.elements.push(
      `<g><title>${escaped(tip)}</title><rect x="${n(area.x)}" y="${n(area.y)}" width="${n(area.width)}" height="${n(area.height)}" rx="2" fill="${fill}" stroke="${edge}" stroke-width="${depth === 0 ? 1.2 : 0.6}"/>${labels(node, area, isOpen)}</g>`,
    );
    if (!isOpen) return;
    const inner = { ...area, y: area.y + HEADING, height: area.height - HEADING };
    this.addChildren(node, inset(inner, 1), path, depth + 1, shade);
  }

  #shareOf({ sizeBytes }: SizeNode): number {
    return this.#total === 0 ? 0 : sizeBytes / this.#total;
  }

  #shadeOf(node: SizeNode, parent: SizeNode, depth: number, inherited: Shade | undefined): Shade {
    if (node.kind === 'free') return FREE;
    if (node.kind === 'overhead') return OVERHEAD;
    const isLarge =
      node.children.length > 0 &&
      this.#shareOf(node) >= OWN_COLOUR.share &&
      this.#shareOf(parent) >= OWN_COLOUR.withinShare;
    if (inherited !== undefined && depth > 0 && !isLarge) return inherited;
    return { hue: HUES[this.#hues++ % HUES.length] as number, saturation: 52 };
  }
}

/** A folder with nothing but another in it, as one: each would need a heading. */
function joined(node: SizeNode): SizeNode {
  const [only] = node.children;
  if (only === undefined || node.children.length > 1 || node.kind !== 'folder' || only.kind !== 'folder') return node;
  const inner = joined(only);
  return { ...inner, name: `${node.name}/${inner.name}` };
}

/** A heading over what is inside; of what has nothing inside, its name and size. */
function labels({ name, sizeBytes }: SizeNode, area: Rectangle, isOpen: boolean): string {
  const size = formatBytes(sizeBytes);
  const width = area.width - 2 * PADDING;
  const text = (y: number, fontSize: number, content: string, more = ''): string =>
    content === ''
      ? ''
      : `<text x="${n(area.x + PADDING)}" y="${n(area.y + y)}" font-size="${fontSize}" fill="#16202a"${more}>${escaped(content)}</text>`;
  if (isOpen) {
    const both = `${name} ${size}`;
    return text(13, 11.5, widthOf(both, HEAD) <= width ? both : fitted(name, width, HEAD), ' font-weight="600"');
  }
  const shown = area.height < 15 ? '' : fitted(name, width, NAME);
  if (shown === '') return '';
  const hasSize = area.height >= 30 && widthOf(size, SIZE) <= width;
  return text(13, NAME.fontSize, shown) + (hasSize ? text(26, SIZE.fontSize, size) : '');
}

const PADDING = 4;
const HEAD = { fontSize: 11.5, isBold: true } as const;
const NAME = { fontSize: 11 } as const;
const SIZE = { fontSize: 10 } as const;

/** A row of names and colours: the parts of the whole, small ones too, which have no room for a name; then what grey means. */
function legend(tops: readonly { readonly node: SizeNode; readonly shade: Shade }[]): string[] {
  const parts = tops.map(({ node, shade }) => ({ text: `${node.name} ${formatBytes(node.sizeBytes)}`, shade }));
  const meanings = [
    { text: 'tables and metadata', shade: OVERHEAD },
    { text: 'free', shade: FREE },
  ];
  const row = [...parts.filter(({ shade }) => shade !== OVERHEAD && shade !== FREE), ...meanings];
  const elements: string[] = [];
  let x = MARGIN + 2;
  for (const { text, shade } of row) {
    const width = SWATCH + 5 + widthOf(text, LEGEND);
    if (x + width > WIDTH - MARGIN) break;
    const y = MARGIN + 47;
    elements.push(
      `<g><rect x="${n(x)}" y="${y}" width="${SWATCH}" height="${SWATCH}" rx="2" fill="${fillOf(shade, 80)}" stroke="hsl(${shade.hue} ${shade.saturation}% 55%)" stroke-width="0.8"/><text x="${n(x + SWATCH + 5)}" y="${y + 10}" font-size="${LEGEND.fontSize}" fill="#1c2733">${escaped(text)}</text></g>`,
    );
    x += width + 16;
  }
  return elements;
}

function fillOf({ hue, saturation, pattern }: Shade, lightness: number): string {
  return pattern === undefined ? `hsl(${hue} ${saturation}% ${lightness}%)` : `url(#${pattern})`;
}

function inset({ x, y, width, height }: Rectangle, depth: number): Rectangle {
  const gap = depth === 0 ? GAP : GAP / 2;
  return { x: x + gap / 2, y: y + gap / 2, width: Math.max(0, width - gap), height: Math.max(0, height - gap) };
}

/** XML 1.0, sections 2.2 and 2.4. Names are anybody's: what XML cannot hold, and what turns writing round, is left out. */
function escaped(text: string): string {
  return text.replace(/[^\P{C}\n]/gu, '\u{fffd}').replace(/[&<>"]/g, (character) => ENTITIES[character] as string);
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const n = (value: number): string => String(Math.round(value * 100) / 100);
