// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SizeNode, treemapSvg } from '@vouchsafe/image';
import { needsTool } from '@vouchsafe/testing';
import { inChromium } from '@vouchsafe/testing/browser';
import { leaf } from '../src/report/size-node.ts';

/** Names of files whose letters are narrow and wide, of several scripts. */
const NAMES = [
  'libgnutls.so.30',
  'WWWWMMMM',
  'iiiiiiiiiiiiiiii',
  'BOOTX64.EFI',
  'CPAN',
  '内核模块',
  '😀😀😀😀😀',
  'a name of words',
];

/** Folders in folders, of files of all sizes. */
function folder(name: string, depth: number, scale: number): SizeNode {
  const files = NAMES.map((one, i) => leaf(one, 'file', Math.ceil(scale / (i + 1))));
  const folders = depth === 0 ? [] : NAMES.slice(0, 4).map((one, i) => folder(one, depth - 1, scale / (2 + 3 * i)));
  const children = [...files, ...folders].toSorted((a, b) => b.sizeBytes - a.sizeBytes);
  return { name, kind: 'folder', sizeBytes: children.reduce((sum, child) => sum + child.sizeBytes, 0), children };
}

/** Of each rectangle with a name: how far its texts reach beyond it, and their contrast with it. */
interface Seen {
  readonly text: string;
  readonly beyondPx: number;
  readonly contrast: number;
}

test('in Chromium no name reaches beyond its rectangle, and each can be read', needsTool('chromium'), async () => {
  const parts = [
    folder('root', 2, 1_000_000),
    folder('esp', 1, 200_000),
    leaf('free', 'free', 900_000),
    leaf('table', 'overhead', 50_000),
  ];
  const whole: SizeNode = {
    name: 'edge_1.0.0.raw',
    kind: 'disk',
    sizeBytes: parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    children: parts.toSorted((a, b) => b.sizeBytes - a.sizeBytes),
  };
  const { seen, legend } = await inChromium({ script: ';', inputs: [] }, async (page) => {
    await page.setContent(treemapSvg(whole));
    // It runs in the page, where there is nothing of this file.
    return page.evaluate(`(() => {
      const light = (colour) => {
        const [r, g, b] = colour.match(/[0-9.]+/g).slice(0, 3).map((value) => {
          const part = Number(value) / 255;
          return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const seen = [...document.querySelectorAll('g:has(> title)')].flatMap((group) => {
        const rect = group.querySelector('rect');
        const box = rect.getBoundingClientRect();
        const fill = getComputedStyle(rect).fill;
        return [...group.querySelectorAll('text')].map((text) => {
          const own = text.getBoundingClientRect();
          const [dark, bright] = [light(getComputedStyle(text).fill), fill.startsWith('url') ? 0.75 : light(fill)];
          return {
            text: text.textContent,
            beyondPx: Math.max(own.right - box.right, box.left - own.left, own.bottom - box.bottom - 2, box.top - own.top - 2),
            contrast: (bright + 0.05) / (dark + 0.05),
          };
        });
      });
      const legend = [...document.querySelectorAll('g:not(:has(> title))')].map((group) => {
        const { left, right } = group.getBoundingClientRect();
        return { text: group.textContent, left, right, fill: group.querySelector('rect').getAttribute('fill') };
      });
      return { seen, legend };
    })()`) as Promise<{ seen: Seen[]; legend: { text: string; left: number; right: number; fill: string }[] }>;
  });
  assert.ok(seen.length > 60, `${seen.length} names`);
  assert.deepEqual(
    seen.filter(({ beyondPx }) => beyondPx > 0),
    [],
  );
  // WCAG 2.2, section 1.4.6.
  assert.deepEqual(
    seen.filter(({ contrast }) => contrast < 7),
    [],
  );
  assert.equal(legend.length, 4, JSON.stringify(legend));
  assert.equal(new Set(legend.map(({ fill }) => fill)).size, 4);
  legend.slice(1).forEach(({ left }, i) => {
    assert.ok(left > (legend[i]?.right ?? 0));
  });
});
