import { type FileHandle, open } from 'node:fs/promises';
import { zstdDecompressSync } from 'node:zlib';
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetScan } from 'hyparquet';

/** An export has 10,000 rows a row group: 160 KB a column. */
const MOST_PAGE_BYTES = 64 * 2 ** 20;
const MOST_GROUP_ROWS = 1_000_000n;

/** The values of one column in some rows. */
export type Column = Awaited<ReturnType<Awaited<ReturnType<typeof parquetScan>>['readColumn']>>;

export interface ColumnsRequest {
  readonly file: string;
  /** The columns, in the order of the answer. */
  readonly names: readonly string[];
  /** That all decimals of the file must have; default: any. */
  readonly scale?: number;
}

/**
 * The columns of a Parquet file, row group by row group. Decimals keep their digits, see unitsOf(); times
 * are microseconds.
 * @throws Error when the file is no Parquet file with these columns
 */
export async function* readColumns({
  file,
  names,
  scale,
}: ColumnsRequest): AsyncGenerator<readonly Column[]> {
  const handle = await open(file, 'r');
  try {
    const buffer = await bufferOf(handle);
    const metadata = await parquetMetadataAsync(buffer);
    assertFlat(metadata);
    // The library would convert decimals to floats; without the type it returns the exact digits.
    for (const element of metadata.schema) {
      if (element.converted_type !== 'DECIMAL') continue;
      if (scale !== undefined && element.scale !== scale)
        throw new Error(`${element.name} has ${element.scale} decimal places, not ${scale}`);
      delete element.converted_type;
    }
    const scan = await parquetScan({
      file: buffer,
      metadata,
      useOffsetIndex: false,
      compressors: { ZSTD: unpacked, SNAPPY: refused },
      parsers: { timestampFromMicroseconds: (timeUs) => timeUs },
    });
    for (const range of scan.ranges)
      yield await Promise.all(names.map((column) => scan.readColumn({ ...range, column })));
  } finally {
    await handle.close();
  }
}

function unpacked(bytes: Uint8Array, size: number): Uint8Array {
  if (size > MOST_PAGE_BYTES) throw new RangeError(`a page has ${size} bytes`);
  return zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, size) });
}

function refused(): Uint8Array {
  throw new Error('it is compressed by Snappy, and an export is not');
}

/** What the library takes for granted. Columns that it reads beside the one that is asked for could fail unheard. */
function assertFlat({ schema, row_groups: groups }: FileMetaData): void {
  const [root, ...leaves] = schema;
  const isFlat =
    root?.num_children === leaves.length &&
    leaves.every(({ num_children: children = 0 }) => children === 0) &&
    new Set(leaves.map(({ name }) => name)).size === leaves.length;
  if (!isFlat) throw new Error('its columns are not those of a table');
  for (const { columns, num_rows: rows } of groups) {
    const names = columns.map(({ meta_data: column }) => column?.path_in_schema.join('.'));
    const isOne = leaves.every(({ name }, at) => names[at] === name);
    if (!isOne || names.length !== leaves.length || rows < 0n || rows > MOST_GROUP_ROWS)
      throw new Error('a row group has other columns than the file, or too many rows');
  }
}

async function bufferOf(handle: FileHandle): Promise<AsyncBuffer> {
  const { size } = await handle.stat();
  return {
    byteLength: size,
    slice(start, end = size) {
      const bytes = partOf(handle, start, end, size);
      // The library asks for parts in advance, and waits for none of them after its first failure.
      bytes.catch(() => undefined);
      return bytes;
    },
  };
}

async function partOf(
  handle: FileHandle,
  start: number,
  end: number,
  size: number,
): Promise<ArrayBuffer> {
  if (!(start >= 0 && start <= end && end <= size))
    throw new RangeError(`a part of it is from ${start} to ${end}, and it has ${size} bytes`);
  const bytes = new Uint8Array(end - start);
  await handle.read(bytes, 0, bytes.length, start);
  return bytes.buffer;
}

/** The unscaled value of a stored decimal: a bigint already, or bytes in big-endian order. */
export function unitsOf(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (!(value instanceof Uint8Array)) throw new TypeError(`not a decimal: ${String(value)}`);
  const unsigned = BigInt(`0x${Buffer.from(value).toString('hex')}`);
  return BigInt.asIntN(value.length * 8, unsigned);
}
