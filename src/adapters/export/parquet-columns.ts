import { type FileHandle, open } from 'node:fs/promises';
import { zstdDecompressSync } from 'node:zlib';
import { type AsyncBuffer, parquetMetadataAsync, parquetScan } from 'hyparquet';

/** The values of one column in some rows. */
export type Column = Awaited<ReturnType<Awaited<ReturnType<typeof parquetScan>>['readColumn']>>;

/**
 * The columns of a Parquet file, row group by row group. Decimals keep their digits, see unitsOf(); times
 * are microseconds.
 * @param names of the columns, in the order of the answer
 * @throws Error when the file is no Parquet file with these columns
 */
export async function* readColumns(
  file: string,
  names: readonly string[],
): AsyncGenerator<readonly Column[]> {
  const handle = await open(file, 'r');
  try {
    const buffer = await bufferOf(handle);
    const metadata = await parquetMetadataAsync(buffer);
    // The library would convert decimals to floats; without the type it returns the exact digits.
    for (const element of metadata.schema) {
      if (element.converted_type === 'DECIMAL') delete element.converted_type;
    }
    const scan = await parquetScan({
      file: buffer,
      metadata,
      compressors: { ZSTD: (bytes) => zstdDecompressSync(bytes) },
      parsers: { timestampFromMicroseconds: (timeUs) => timeUs },
    });
    for (const range of scan.ranges)
      yield await Promise.all(names.map((column) => scan.readColumn({ ...range, column })));
  } finally {
    await handle.close();
  }
}

async function bufferOf(handle: FileHandle): Promise<AsyncBuffer> {
  const { size } = await handle.stat();
  return {
    byteLength: size,
    async slice(start, end = size) {
      const bytes = new Uint8Array(end - start);
      await handle.read(bytes, 0, bytes.length, start);
      return bytes.buffer;
    },
  };
}

/** The unscaled value of a stored decimal: a bigint already, or bytes in big-endian order. */
export function unitsOf(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (!(value instanceof Uint8Array)) throw new TypeError(`not a decimal: ${String(value)}`);
  const unsigned = BigInt(`0x${Buffer.from(value).toString('hex')}`);
  return BigInt.asIntN(value.length * 8, unsigned);
}
