import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { execa, ExecaError } from 'execa';
import { CdvaultError } from '../../domain/errors.ts';

/** Browsers that can take a picture of a page without a window, by the names of their programs. */
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'] as const;

/** Loading takes about a second; the rest is for a busy machine. */
const PICTURE_MS = 60_000;

export interface PictureSize {
  readonly widthPx: number;
  readonly heightPx: number;
}

/**
 * Writes a PNG of a local page.
 * @param htmlFile it draws within a second of the browser's own time
 * @throws CdvaultError BROWSER_MISSING, BROWSER_FAILED, and the signal's reason
 */
export async function takePicture(
  htmlFile: string,
  pngFile: string,
  { widthPx, heightPx }: PictureSize,
  signal: AbortSignal,
): Promise<void> {
  // A profile of its own: one that is in use would hand the page to the running browser.
  const profile = await mkdtemp(path.join(tmpdir(), 'cdvault-browser-'));
  const args = [
    '--headless',
    '--disable-gpu',
    '--hide-scrollbars',
    `--user-data-dir=${profile}`,
    `--window-size=${widthPx},${heightPx}`,
    // The page draws in frames: the browser's clock runs on until it has drawn.
    '--virtual-time-budget=5000',
    `--screenshot=${pngFile}`,
    // Chromium has no sandbox for root; the page is our own file and asks no other host.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    pathToFileURL(htmlFile).href,
  ];
  try {
    const browser = await run(args, signal);
    // It ends well also when it could not write.
    if (!existsSync(pngFile))
      throw new CdvaultError('BROWSER_FAILED', `${browser} wrote no picture`);
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @returns the browser that ran */
async function run(args: readonly string[], signal: AbortSignal): Promise<string> {
  for (const browser of BROWSERS) {
    try {
      await execa(browser, args, { cancelSignal: signal, timeout: PICTURE_MS, stdin: 'ignore' });
      return browser;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ExecaError)) throw error;
      if (error.code === 'ENOENT') continue;
      throw new CdvaultError(
        'BROWSER_FAILED',
        `${browser} took no picture: ${error.shortMessage}`,
        {
          cause: error,
        },
      );
    }
  }
  throw new CdvaultError('BROWSER_MISSING', `none of ${BROWSERS.join(', ')} is installed`);
}
