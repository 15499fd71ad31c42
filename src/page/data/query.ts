import type { Query } from './source.ts';

export function queryText(query: Query): string {
  const text = Object.entries(query)
    .flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${encodeURIComponent(String(value))}`],
    )
    .join('&');
  return text === '' ? '' : `?${text}`;
}
