import { rm } from 'node:fs/promises';
import path from 'node:path';
import { dailyStem, monthlyStem, monthOf } from '../../domain/archive/archive-name.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { DAY_MS, type TimeRange } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import type { TradeBlock } from '../../domain/trade/trade-block.ts';
import type {
  ArchiveDay,
  ArchiveListing,
  ArchiveSource,
  ListedFile,
} from '../../ports/archive-source.ts';
import type { Proxies } from '../system/proxies.ts';
import { ArchiveHost, type Download } from './archive-host.ts';
import { dailyKey, folderOf, keyOf, monthlyKey } from './archive-keys.ts';
import { isChecksumOf } from './checksum-file.ts';
import { CsvRows } from './csv-rows.ts';
import { dayRows } from './day-rows.ts';
import { Downloads } from './downloads.ts';
import { listFolder } from './listing.ts';
import { MonthFiles } from './month-files.ts';
import { readRows } from './read-rows.ts';

/**
 * The exchange replaces a file and its checksum one after the other: both are downloaded twice before they
 * count as different.
 */
const TRIES = 2;

interface Saved extends Download {
  readonly name: string;
  readonly file: string;
  readonly url: string;
  /** Something unusual that is no reason to refuse the file. */
  readonly note: string | undefined;
  /** Why the file must not be used. */
  readonly problem: string | undefined;
}

/** The exchange's files over HTTP. */
export function createArchiveSource(
  baseUrl: string,
  { proxies, homeDir }: { readonly proxies: Proxies; readonly homeDir: string },
): ArchiveSource & { close(): Promise<void> } {
  const downloads = new Downloads(path.join(homeDir, 'downloads'));
  return new HttpArchive(new ArchiveHost(baseUrl, proxies), downloads);
}

class HttpArchive implements ArchiveSource {
  readonly #host: ArchiveHost;
  readonly #downloads: Downloads;
  readonly #months = new MonthFiles<Saved>();
  readonly #closing = new AbortController();

  constructor(host: ArchiveHost, downloads: Downloads) {
    this.#host = host;
    this.#downloads = downloads;
  }

  async withDay<T>(
    series: Series,
    dayMs: number,
    signal: AbortSignal,
    use: (day: ArchiveDay) => Promise<T>,
  ): Promise<T | undefined> {
    const folder = this.#downloads.newFolder();
    try {
      const daily = await save(this.#host, dailyKey(series, dayMs), folder, signal);
      if (daily !== undefined) return await use(dayOf(daily, dayMs));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    return this.#useMonth(series, monthOf(dayMs), signal, (saved) => use(dayOf(saved, dayMs)));
  }

  /** @returns undefined when there is no such file, or the month has not ended */
  async #useMonth<T>(
    series: Series,
    month: TimeRange,
    signal: AbortSignal,
    use: (saved: Saved) => Promise<T>,
  ): Promise<T | undefined> {
    if (month.endMs > Date.now()) return undefined;
    const key = monthlyKey(series, month.startMs);
    return this.#months.use(
      key,
      // Several jobs may wait for the file: a stop of one of them must not abort the download.
      () => {
        const folder = this.#downloads.newFolder();
        return { folder, file: save(this.#host, key, folder, this.#closing.signal) };
      },
      signal,
      use,
    );
  }

  async list(
    series: Series,
    range: TimeRange,
    signal: AbortSignal,
  ): Promise<ArchiveListing | undefined> {
    const { symbol } = series;
    const of = (period: 'daily' | 'monthly', firstStem: string) => {
      const folder = folderOf(series, period);
      const askPage = (marker: string) => this.#host.listPage(folder, marker, signal);
      return listFolder(folder, firstStem, range, askPage);
    };
    const [days, months] = await Promise.all([
      of('daily', dailyStem(symbol, range.startMs)),
      of('monthly', monthlyStem(symbol, monthOf(range.startMs).startMs)),
    ]);
    return days === undefined || months === undefined ? undefined : { days, months };
  }

  async find(series: Series, name: string, signal: AbortSignal): Promise<ListedFile | undefined> {
    const key = keyOf(series, name);
    const head = key === undefined ? undefined : await this.#host.head(key, signal);
    return head === undefined ? undefined : { name, ...head };
  }

  async hasLater(
    series: Series,
    dayMs: number,
    aggId: number,
    signal: AbortSignal,
  ): Promise<boolean | undefined> {
    const nextDayMs = dayMs + DAY_MS;
    const later = await this.list(series, { startMs: nextDayMs, endMs: Date.now() }, signal);
    if (later === undefined) return undefined;
    const months = [...later.months.keys()];
    if (later.days.size > 0 || months.some((startMs) => startMs > dayMs)) return true;
    // The file of the day's own month may hold trades of the rest of the month.
    const has = await this.#useMonth(series, monthOf(dayMs), signal, (saved) =>
      hasTradeAfter(rowsIn(saved), aggId),
    );
    return has ?? false;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#months.close();
    this.#downloads.close();
    await this.#host.close();
  }
}

/**
 * Downloads a file and its checksum.
 * @returns undefined when there is no such file
 */
async function save(
  host: ArchiveHost,
  key: string,
  folder: string,
  signal: AbortSignal,
): Promise<Saved | undefined> {
  const name = path.posix.basename(key);
  const file = path.join(folder, name);
  for (let attempt = 1; ; attempt += 1) {
    const download = await host.download(key, file, signal);
    if (download === undefined) return undefined;
    const checksum = await host.text(`${key}.CHECKSUM`, signal);
    const isRight = checksum === undefined || isChecksumOf(checksum, name, download.sha256);
    if (!isRight && attempt < TRIES) continue;
    const url = host.urlOf(key);
    const problem = isRight
      ? undefined
      : `${url}: its SHA-256 is ${download.sha256}, its .CHECKSUM says ${JSON.stringify(checksum.slice(0, 120))}`;
    // A checksum proves which file it is; only its ids prove that it is complete.
    const note =
      checksum === undefined ? 'it has no .CHECKSUM; only its ids are checked' : undefined;
    return { ...download, name, file, url, note, problem };
  }
}

async function hasTradeAfter(rows: AsyncIterable<TradeBlock>, aggId: number): Promise<boolean> {
  for await (const block of rows) if (block.aggIds.some((id) => id > aggId)) return true;
  return false;
}

function dayOf(saved: Saved, dayMs: number): ArchiveDay {
  const { name, etag, sha256, bytes, note } = saved;
  return { name, etag, sha256, bytes, note, ...dayRows(name, dayMs, () => rowsIn(saved)) };
}

function rowsIn({ problem, file, name, url }: Saved): ReturnType<ArchiveDay['rows']> {
  if (problem !== undefined) throw new CdvaultError('ARCHIVE_BAD_FILE', problem);
  return readRows(file, new CsvRows(name), url);
}
