/** Writes docs/images/chart.png, the picture in README: the demo's day in a real browser. `make demo` serves it. */

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { DAY, HOME, PROJECT, SYMBOL } from '../test/demo/story.ts';
import { openBrowser } from '../test/page/browser.ts';

const FILE = path.join(PROJECT, 'docs', 'images', 'chart.png');

const { stdout: link } = await execa(
  path.join(PROJECT, 'bin', 'cdvault'),
  `chart ${SYMBOL} --from ${DAY} --zone America/New_York --anchor session:09:30@America/New_York`.split(
    ' ',
  ),
  { env: { CDVAULT_HOME: HOME }, stderr: 'inherit' },
);
const browser = await openBrowser();
try {
  const page = await browser.newPage({
    viewport: { width: 1280, height: 800 },
    colorScheme: 'dark',
  });
  await page.goto(link);
  await page.locator('body[data-shown]').waitFor();
  // The corner says what it knows a moment after the chart is drawn.
  await page.locator('[data-field=server]').filter({ hasNotText: '…' }).waitFor();
  mkdirSync(path.dirname(FILE), { recursive: true });
  await page.screenshot({ path: FILE });
} finally {
  await browser.close();
}
console.log(`written: ${path.relative(PROJECT, FILE)}`);
