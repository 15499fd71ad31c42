import { expect, test } from 'vitest';
import { bundlePage, createPage, pageFile } from '../../../src/adapters/http/page.ts';
import { createEmbeddedSource, embeddedKey } from '../../../src/page/data/embedded-source.ts';

const { signal } = new AbortController();
const series = { market: 'spot', symbol: 'BTCUSDT' };

const source = createEmbeddedSource({
  [embeddedKey('coverage', { symbol: 'BTCUSDT', market: 'spot', from: 0, to: 9 })]: {
    columns: {
      from: [0, 10, 20],
      to: [10, 20, 30],
      verdict: ['proven', 'gap', 'proven'],
      missing: [0, 5, 0],
    },
    count: 3,
    next: null,
  },
});

test('an embedded answer is cut to what is asked for', async () => {
  const { columns, count } = await source.ask('coverage', { ...series, from: 12, to: 21 }, signal);
  expect(columns.verdict).toEqual(['gap', 'proven']);
  expect(count).toBe(2);
});

test('what a file does not hold is refused', async () => {
  const asked = source.ask('coverage', { ...series, symbol: 'ETHUSDT', from: 0, to: 9 }, signal);
  await expect(asked).rejects.toMatchObject({ code: 'NOT_IN_FILE' });
});

test('the page is bundled, names no other host, and its file can hold any text', async () => {
  const bundle = await bundlePage();
  expect(bundle.style).toContain('--ground');
  // The link of the chart library, and the namespace of its drawing.
  const hosts = new Set(
    [...bundle.script.matchAll(/https?:\/\/([\w.-]+)/g)].map(([, host]) => host),
  );
  expect(hosts).toEqual(new Set(['www.tradingview.com', 'www.w3.org']));
  expect(createPage(bundle).styleSources).toHaveLength(1);
  const html = pageFile(bundle, { text: '</script><script>alert(1)</script>' });
  expect(html.match(/<\/script>/g)).toHaveLength(2);
});
