import { XMLParser } from 'fast-xml-parser';
import { z } from 'zod';
import { parseArchiveName } from '../../domain/archive-name.ts';
import { CdvaultError } from '../../domain/errors.ts';
import type { TimeRange } from '../../domain/hour.ts';
import type { ListedFile } from '../../ports/archive-source.ts';
import { bareEtag } from './archive-host.ts';

/** Asks for the page of keys behind a marker; undefined when the host does not say. */
type AskPage = (marker: string) => Promise<string | undefined>;

const parser = new XMLParser({ parseTagValue: false, isArray: (name) => name === 'Contents' });

const PAGE = z.object({
  ListBucketResult: z.object({
    IsTruncated: z.enum(['true', 'false']),
    Contents: z
      .array(z.object({ Key: z.string(), Size: z.coerce.number().int(), ETag: z.string() }))
      .default([]),
  }),
});

type Entry = z.infer<typeof PAGE>['ListBucketResult']['Contents'][number];

/**
 * The zip files of a folder whose days or months touch a range, by their start. Keys come in the order
 * of their dates, so reading begins before the first one wanted and ends behind the last.
 * @returns undefined when the host does not say
 * @throws CdvaultError ARCHIVE_UNREACHABLE for a reply that is no listing
 */
export async function listFolder(
  folder: string,
  firstStem: string,
  { startMs, endMs }: TimeRange,
  askPage: AskPage,
): Promise<ReadonlyMap<number, ListedFile> | undefined> {
  const files = new Map<number, ListedFile>();
  // No key is a bare stem, so the page begins with the first file itself.
  for (let marker = folder + firstStem; ;) {
    const xml = await askPage(marker);
    if (xml === undefined) return undefined;
    const { entries, isLast } = parsePage(xml);
    for (const { Key, Size, ETag } of entries) {
      marker = Key;
      const name = Key.slice(folder.length);
      const file = parseArchiveName(name);
      if (file === undefined || !name.endsWith('.zip') || file.endMs <= startMs) continue;
      if (file.startMs >= endMs) return files;
      files.set(file.startMs, { name, bytes: Size, etag: bareEtag(ETag) });
    }
    if (isLast || entries.length === 0) return files;
  }
}

function parsePage(xml: string): { entries: readonly Entry[]; isLast: boolean } {
  const parsed = PAGE.safeParse(parsedXml(xml));
  if (!parsed.success) throw noListing(xml, parsed.error);
  const { Contents, IsTruncated } = parsed.data.ListBucketResult;
  return { entries: Contents, isLast: IsTruncated === 'false' };
}

function parsedXml(xml: string): unknown {
  try {
    return parser.parse(xml) as unknown;
  } catch (error) {
    throw noListing(xml, error);
  }
}

function noListing(text: string, cause: unknown): CdvaultError {
  const start = JSON.stringify(text.slice(0, 120));
  return new CdvaultError('ARCHIVE_UNREACHABLE', `this is no listing of files: ${start}`, {
    cause,
  });
}
