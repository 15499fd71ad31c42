import path from 'node:path';
import { SaxesParser } from 'saxes';
import { parseArchiveName } from '../../domain/archive/archive-name.ts';
import { CdvaultError } from '../../domain/errors.ts';
import type { TimeRange } from '../../domain/time/hour.ts';
import type { ListedFile } from '../../ports/archive-source.ts';
import { bareEtag } from './archive-host.ts';

/** A listing has four levels, with the owner of a file. */
const DEEPEST = 8;

/** Requests the page of keys after a marker; undefined when the host denies listings. */
type AskPage = (marker: string) => Promise<string | undefined>;

interface Entry {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
}

interface Page {
  readonly entries: readonly Entry[];
  readonly isLast: boolean;
}

/**
 * The zip files of a folder whose days or months overlap a range, by the start of their day or month. Keys
 * come in the order of their dates, so reading begins before the first one needed and ends after the last.
 * @returns undefined when the host denies listings
 * @throws CdvaultError ARCHIVE_UNREACHABLE for a reply that is not a listing of the folder after the marker
 */
export async function listFolder(
  folder: string,
  firstStem: string,
  { startMs, endMs }: TimeRange,
  askPage: AskPage,
): Promise<ReadonlyMap<number, ListedFile> | undefined> {
  const files = new Map<number, ListedFile>();
  // No key equals a stem without an extension, so the page begins with the first file.
  for (let marker = folder + firstStem; ;) {
    const xml = await askPage(marker);
    if (xml === undefined) return undefined;
    const { entries, isLast } = parsePage(xml);
    for (const { key, bytes, etag } of entries) {
      // A host that ignores the marker would be asked for ever.
      if (!key.startsWith(folder) || key <= marker) throw noListing(xml);
      marker = key;
      const name = key.slice(folder.length);
      const file = parseArchiveName(name);
      const isOfSeries = file?.symbol === path.posix.basename(folder);
      if (!isOfSeries || !name.endsWith('.zip') || file.endMs <= startMs) continue;
      if (file.startMs >= endMs) return files;
      files.set(file.startMs, { name, bytes, etag: bareEtag(etag) });
    }
    if (isLast || entries.length === 0) return files;
  }
}

/** Parses a stream of elements: building a tree of 1,000 keys takes seven times as long. */
function parsePage(xml: string): Page {
  const entries: Entry[] = [];
  const names: string[] = [];
  let text = '';
  let isTruncated = '';
  let fields = new Map<string, string>();
  const parser = new SaxesParser();
  parser.on('opentag', ({ name }) => {
    if (names.push(name) > DEEPEST) throw noListing(xml);
    text = '';
  });
  parser.on('text', (part) => (text += part));
  parser.on('closetag', () => {
    switch (names.join('/')) {
      case 'ListBucketResult/IsTruncated':
        isTruncated = text;
        break;
      case 'ListBucketResult/Contents/Key':
      case 'ListBucketResult/Contents/Size':
      case 'ListBucketResult/Contents/ETag':
        fields.set(names.at(-1) ?? '', text);
        break;
      case 'ListBucketResult/Contents':
        entries.push(entryOf(fields, xml));
        fields = new Map();
    }
    names.pop();
  });
  try {
    parser.write(xml).close();
  } catch (error) {
    throw error instanceof CdvaultError ? error : noListing(xml, error);
  }
  if (isTruncated !== 'true' && isTruncated !== 'false') throw noListing(xml);
  return { entries, isLast: isTruncated === 'false' };
}

function entryOf(fields: ReadonlyMap<string, string>, xml: string): Entry {
  const [key, size, etag] = ['Key', 'Size', 'ETag'].map((field) => fields.get(field));
  if (key === undefined || etag === undefined || !/^\d{1,15}$/.test(size ?? ''))
    throw noListing(xml);
  return { key, bytes: Number(size), etag };
}

function noListing(text: string, cause?: unknown): CdvaultError {
  const start = JSON.stringify(text.slice(0, 120));
  return new CdvaultError('ARCHIVE_UNREACHABLE', `the reply is not a file listing: ${start}`, {
    cause,
  });
}
