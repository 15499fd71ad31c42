/** A date or time as the API reads it: in UTC unless it says otherwise. The browser reads a time without a zone as local. */
export function utcTime(text: string): number | undefined {
  const hasZone = !text.includes('T') || /(?:Z|[+-]\d\d:?\d\d)$/i.test(text);
  const timeMs = Date.parse(hasZone ? text : `${text}Z`);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
