import { PassThrough, pipeline, type Readable, Transform } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import yauzl from 'yauzl';
import { CdvaultError } from '../../domain/errors.ts';

/** A month of the busiest symbol has about 4 GB; a larger file counts as a zip bomb. */
const MOST_BYTES = 16 * 2 ** 30;

/** CSV of trades shrinks to a fifth. */
const MOST_RATIO = 200;

/** Size of unzipped pieces: with 16 KiB (the default), reading a day takes half as long again. */
const PIECE_BYTES = 256 * 1024;

/** Compression methods of the zip format; the exchange's files are deflated. */
const STORED = 0;
const DEFLATED = 8;

/**
 * Unzips the only file of an archive as a stream, which fails when the length or the CRC differs from the
 * zip's directory.
 * @param entryName the name that the only file must have
 * @param place name of the archive in errors, since the path may not exist any more when they are read
 * @throws CdvaultError ARCHIVE_BAD_FILE
 */
export async function openOnlyEntry(
  path: string,
  entryName: string,
  place = path,
): Promise<Readable> {
  const zip = await yauzl
    .openPromise(path, { autoClose: false, lazyEntries: true })
    .catch((error: unknown) => {
      throw badFile(place, 'it is not a readable zip file', error);
    });
  try {
    const entry = await onlyEntry(zip, place);
    if (entry.fileName !== entryName)
      throw badFile(place, `it holds ${JSON.stringify(entry.fileName)} instead of ${entryName}`);
    if (entry.uncompressedSize > MOST_BYTES)
      throw badFile(place, `it unzips to ${entry.uncompressedSize} bytes`);
    if (entry.uncompressedSize > MOST_RATIO * entry.compressedSize)
      throw badFile(place, `it unzips to more than ${MOST_RATIO} times its size`);
    if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED)
      throw badFile(place, `its compression method is ${entry.compressionMethod}, not 0 or 8`);
    const packed = await zip.openReadStreamPromise(entry, { decodeFileData: false });
    const unpack =
      entry.compressionMethod === DEFLATED
        ? createInflateRaw({ chunkSize: PIECE_BYTES })
        : new PassThrough();
    // A failure destroys all streams; the reader of the last one gets the error.
    return pipeline(packed, unpack, checked(place, entry), () => zip.close());
  } catch (error) {
    zip.close();
    // The library looks at the header in front of the content only here.
    throw error instanceof CdvaultError
      ? error
      : badFile(place, 'its content is not where its directory says', error);
  }
}

async function onlyEntry(zip: yauzl.ZipFile, place: string): Promise<yauzl.Entry> {
  const entries: yauzl.Entry[] = [];
  try {
    // The library refuses names that lead out of the folder.
    for await (const entry of zip.eachEntry()) if (entries.push(entry) > 1) break;
  } catch (error) {
    throw badFile(place, 'its directory cannot be read', error);
  }
  const [entry] = entries;
  if (entry === undefined || entries.length > 1)
    throw badFile(place, `it holds ${entries.length === 0 ? 'no file' : 'more than one file'}`);
  return entry;
}

function checked(place: string, { crc32: expected, uncompressedSize }: yauzl.Entry): Transform {
  let crc = 0;
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      crc = crc32(chunk, crc);
      bytes += chunk.length;
      if (bytes > uncompressedSize) done(badFile(place, 'it holds more than its directory says'));
      else done(null, chunk);
    },
    flush(done) {
      if (bytes < uncompressedSize) done(badFile(place, 'it holds less than its directory says'));
      else done(crc === expected ? null : badFile(place, 'its CRC is not that of its content'));
    },
  });
}

function badFile(place: string, why: string, cause?: unknown): CdvaultError {
  const reason = cause instanceof Error ? `${why} (${cause.message})` : why;
  return new CdvaultError('ARCHIVE_BAD_FILE', `${place}: ${reason}`, { cause });
}
