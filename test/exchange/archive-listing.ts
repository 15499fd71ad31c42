/** Listings of the bucket: S3's ListObjects, versions 1 and 2, at most a thousand keys a page. */

export interface ListedKey {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
}

const MOST_KEYS = 1000;

/** @param keys in any order */
export function listingXml(query: URLSearchParams, keys: readonly ListedKey[]): string {
  const prefix = query.get('prefix') ?? '';
  const isVersion2 = query.get('list-type') === '2';
  const token = query.get('continuation-token');
  const after =
    token === null
      ? (query.get(isVersion2 ? 'start-after' : 'marker') ?? '')
      : Buffer.from(token, 'base64').toString('utf8');
  const most = Math.min(MOST_KEYS, Number(query.get('max-keys') ?? MOST_KEYS));
  const found = keys
    .filter(({ key }) => key.startsWith(prefix) && key > after)
    .toSorted((left, right) => (left.key < right.key ? -1 : 1));
  const page = found.slice(0, most);
  const isTruncated = page.length < found.length;
  const last = page.at(-1)?.key ?? '';
  const paging = isVersion2
    ? `<KeyCount>${page.length}</KeyCount>${isTruncated ? `<NextContinuationToken>${Buffer.from(last).toString('base64')}</NextContinuationToken>` : ''}`
    : `<Marker>${escaped(after)}</Marker>`;
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
    `<Name>data.binance.vision</Name><Prefix>${escaped(prefix)}</Prefix>${paging}<MaxKeys>${most}</MaxKeys>` +
    `<IsTruncated>${isTruncated}</IsTruncated>${page.map(contents).join('')}</ListBucketResult>`
  );
}

function contents({ key, bytes, etag }: ListedKey): string {
  return (
    `<Contents><Key>${escaped(key)}</Key><LastModified>2025-01-02T01:07:00.000Z</LastModified>` +
    `<ETag>${escaped(etag)}</ETag><Size>${bytes}</Size><StorageClass>STANDARD</StorageClass></Contents>`
  );
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

export function errorXml(code: 'NoSuchKey' | 'AccessDenied' | 'InternalError'): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code></Error>`;
}
