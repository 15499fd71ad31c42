/** The chart page: one HTML, one script and one style sheet, bundled from src/page when the server starts. */

import { createHash } from 'node:crypto';
import path from 'node:path';
import { build } from 'esbuild';
import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { CdvaultError } from '../../domain/errors.ts';

const SOURCES = path.join(import.meta.dirname, '..', '..', 'page');

export interface PageBundle {
  readonly script: string;
  readonly style: string;
}

export interface ChartPage {
  readonly routes: Hono;
  /** Sources of styles that the page needs besides its style sheet, for Content-Security-Policy. */
  readonly styleSources: readonly string[];
}

/** @throws CdvaultError INTERNAL when the sources of the page can't be bundled */
export async function bundlePage(): Promise<PageBundle> {
  try {
    const { outputFiles } = await build({
      entryPoints: ['main.ts', 'page.css'].map((name) => path.join(SOURCES, name)),
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
