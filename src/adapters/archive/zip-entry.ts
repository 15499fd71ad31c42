import { PassThrough, pipeline, type Readable, Transform } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import yauzl from 'yauzl';
import { CdvaultError } from '../../domain/errors.ts';

/** A month of the busiest symbol is some 4 GB; beyond this it is a bomb. */
const MOST_BYTES = 16 * 2 ** 30;

/** Of what is unzipped at a time: with pieces of 16 KiB (the default) reading a day costs half as much again. */
const PIECE_BYTES = 256 * 1024;

/** How zip files say "as it is" and "deflated"; the exchange's files are deflated. */
const STORED = 0;
const DEFLATED = 8;

/**
 * The one file that an archive must hold, unzipped as a stream that fails when its length or its CRC
 * are not those of the directory.
 * @param entryName what the one file must be called
 * @param place what the archive is called in errors: a path may be gone when they are read
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
      throw badFile(place, 'it is no readable zip file', error);
    });
  try {
    const entry = await onlyEntry(zip, place);
    if (entry.fileName !== entryName)
      throw badFile(place, `it holds ${JSON.stringify(entry.fileName)} instead of ${entryName}`);
    if (entry.uncompressedSize > MOST_BYTES)
      throw badFile(place, `it unzips to ${entry.uncompressedSize} bytes`);
    if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED)
      throw badFile(place, `its method of compression is ${entry.compressionMethod}`);
    const packed = await zip.openReadStreamPromise(entry, { decodeFileData: false });
    const unpack =
      entry.compressionMethod === DEFLATED
        ? createInflateRaw({ chunkSize: PIECE_BYTES })
        : new PassThrough();
    // A failure anywhere destroys all with its error, which the reader of the last one gets.
    return pipeline(packed, unpack, checked(place, entry), () => zip.close());
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function onlyEntry(zip: yauzl.ZipFile, place: string): Promise<yauzl.Entry> {
  const entries: yauzl.Entry[] = [];
  try {
    // Names that climb out of the folder are refused by the library on the way.
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
