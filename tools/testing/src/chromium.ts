// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium, type Page } from 'playwright-core';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** No network, no account, no first-run pages: nothing but the page. */
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A program for a page. */
export interface BrowserBundle {
  readonly script: string;
  /** The sources in it, by their paths from the root. */
  readonly inputs: readonly string[];
}

/** What a browser's bundler makes of a source: the packages' browser entries, and an error for anything of Node.js. */
export async function bundleForBrowser(entryPath: string): Promise<BrowserBundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entryPath],
    bundle: true,
    write: false,
    metafile: true,
    format: 'iife',
    platform: 'browser',
    conditions: ['browser'],
    target: 'chrome120',
    logLevel: 'silent',
  });
  return { script: outputFiles[0]?.text ?? '', inputs: Object.keys(metafile.inputs) };
}

/** Runs a bundle in an empty page of a headless Chromium, then `use`, and closes it. */
export async function inChromium<T>(bundle: BrowserBundle, use: (page: Page) => Promise<T>): Promise<T> {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGUMENTS });
  try {
    const page = await browser.newPage();
    await page.setContent('<!doctype html><title>test</title>');
    await page.addScriptTag({ content: bundle.script });
    return await use(page);
  } finally {
    await browser.close();
  }
}
