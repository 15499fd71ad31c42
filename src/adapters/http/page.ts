/**
 * The chart page: one HTML, one script and one style sheet. A checkout bundles them from src/page when the server
 * starts; the package has them as scripts/build-package.ts has bundled them.
 */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { CdvaultError } from '../../domain/errors.ts';

const FOLDER = path.join(import.meta.dirname, '..', '..', 'page');
const IS_PACKAGE = import.meta.filename.endsWith('.js');
/** The files of the bundle in the package's folder `page`. */
export const BUNDLE = { script: 'bundle.js', style: 'bundle.css' } as const;

export interface PageBundle {
  readonly script: string;
  readonly style: string;
}

export interface ChartPage {
  readonly routes: Hono;
  /** Sources of styles that the page needs besides its style sheet, for Content-Security-Policy. */
  readonly styleSources: readonly string[];
}

/** @throws CdvaultError INTERNAL when the page can't be bundled or read */
export async function bundlePage(): Promise<PageBundle> {
  try {
    if (IS_PACKAGE) return await readBundle();
    const { build } = await import('esbuild');
    const { outputFiles } = await build({
      entryPoints: ['main.ts', 'page.css'].map((name) => path.join(FOLDER, name)),
      bundle: true,
      minify: true,
      write: false,
      format: 'esm',
      target: 'es2023',
      outdir: 'page',
      logLevel: 'silent',
      legalComments: 'none',
    });
    const text = (suffix: string) =>
      outputFiles.find(({ path: name }) => name.endsWith(suffix))?.text ?? '';
    return { script: text('.js'), style: text('.css') };
  } catch (error) {
    throw new CdvaultError('INTERNAL', "the chart page can't be bundled", { cause: error });
  }
}

async function readBundle(): Promise<PageBundle> {
  const [script, style] = await Promise.all(
    [BUNDLE.script, BUNDLE.style].map(async (name) => readFile(path.join(FOLDER, name), 'utf8')),
  );
  return { script: script ?? '', style: style ?? '' };
}

/** Serves the page at `/`. Its parts have a hash in their names and may be kept for as long as a browser likes. */
export function createPage({ script, style }: PageBundle): ChartPage {
  const scriptPath = `/page/${hashOf(script)}.js`;
  const stylePath = `/page/${hashOf(style)}.css`;
  const page = new Hono();
  const html = pageHtml(
    `<link rel="stylesheet" href="${stylePath}">` +
      '<link rel="preload" as="fetch" crossorigin href="/api/v1/series">' +
      `<script type="module" src="${scriptPath}"></script>`,
  );
  page.get('/', (context) => context.html(html, 200, { 'Cache-Control': 'no-cache' }));
  page.use('/page/*', compress());
  const asset = (name: string, type: string, text: string) =>
    page.get(name, (context) =>
      context.body(text, 200, {
        'Content-Type': `${type}; charset=utf-8`,
        'Cache-Control': 'private, max-age=31536000, immutable',
      }),
    );
  asset(scriptPath, 'text/javascript', script);
  asset(stylePath, 'text/css', style);
  return { routes: page, styleSources: logoStyles(script) };
}

/** The chart library styles its logo by an element that its script makes: the policy names that text's hash. */
function logoStyles(script: string): string[] {
  return [...script.matchAll(/innerText\s*=\s*(["'`])(a#tv-attr-logo.*?)\1/g)].map(
    ([, , text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  );
}

/** The same page in one file, which needs no server. `data` is what src/page/main.ts reads from the page. */
export function pageFile({ script, style }: PageBundle, data: unknown): string {
  // Neither may end its element early.
  const json = JSON.stringify(data).replaceAll('<', String.raw`\u003c`);
  const code = script.replaceAll('</script', String.raw`<\/script`);
  return pageHtml(
    `<style>${style}</style>` +
      `<script type="application/json" id="cdvault-answers">${json}</script>` +
      `<script type="module">${code}</script>`,
  );
}

function pageHtml(head: string): string {
  return (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width, initial-scale=1">' +
    '<meta name="color-scheme" content="dark light"><link rel="icon" href="data:,">' +
    `<title>cdvault</title>${head}</head><body></body></html>`
  );
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
