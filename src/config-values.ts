/** The forms that values of settings may have. */

import { z } from 'zod';
import { DEFAULT_TIERS, type TierBounds } from './domain/bars/tier.ts';

/** A limit, since each tier has a row for every minute. */
const MOST_TIERS = 15;

export const text = z.string();
export const number = (min: number, max: number) =>
  numeric(`a number from ${min} to ${max}`, min, max);
export const wholeNumber = (min: number, max: number) =>
  numeric(`a whole number from ${min} to ${max}`, min, max).refine(Number.isInteger, {
    error: `must be a whole number from ${min} to ${max}`,
  });

export function wholeNumberOrAuto(min: number, max: number) {
  const expected = `must be auto or a whole number from ${min} to ${max}`;
  return text
    .refine((value) => value === 'auto' || isWholeNumber(value, min, max), {
      error: ({ input }) => `${expected}, not ${JSON.stringify(input)}`,
      abort: true,
    })
    .transform((value) => (value === 'auto' ? value : Number(value)));
}

function isWholeNumber(value: string, min: number, max: number): boolean {
  return /^\d+$/.test(value) && Number(value) >= min && Number(value) <= max;
}

function numeric(what: string, min: number, max: number) {
  return text
    .refine(
      (value) => /^\d+(\.\d+)?$/.test(value) && Number(value) >= min && Number(value) <= max,
      {
        error: ({ input }) => `must be ${what}, not ${JSON.stringify(input)}`,
        abort: true,
      },
    )
    .transform(Number);
}

/** @param isSecret the value may contain a password, so errors do not quote it */
export function url(schemes: readonly string[], isSecret: boolean) {
  return text.trim().refine((value) => value === '' || schemes.includes(schemeOf(value)), {
    error: ({ input }) =>
      `is not a ${schemes[0]}:// URL${isSecret ? '' : `: ${JSON.stringify(input)}`}`,
  });
}

function schemeOf(value: string): string {
  return URL.canParse(value) ? new URL(value).protocol.slice(0, -1) : '';
}

export const exchangeUrl = url(['https', 'http'], false);
export const pgUrl = url(['postgresql', 'postgres'], true);
/** A proxy may be given as host:port without a scheme. */
export const proxyUrl = text
  .transform((value) => (value === '' || value.includes('://') ? value : `http://${value}`))
  .pipe(url(['http', 'https'], true));

export function oneOf<const T extends readonly string[]>(values: T) {
  return z.enum(values, {
    error: ({ input }) =>
      `must be one of ${values.filter(Boolean).join(', ')}, not ${JSON.stringify(input)}`,
  });
}

/** Ascending whole numbers. Trades below the first bound form a tier, too. */
export const tierBounds = text
  .refine(isTierBounds, {
    error: ({ input }) =>
      `must be up to ${MOST_TIERS} ascending whole numbers like ${DEFAULT_TIERS.slice(1).join(',')}, not ${JSON.stringify(input)}`,
    abort: true,
  })
  .transform((value): TierBounds => [0, ...value.split(',').map(Number)]);

function isTierBounds(value: string): boolean {
  const bounds = value.split(',').map((part) => part.trim());
  const isAscending = bounds.every((bound, index) => {
    return (
      /^[1-9]\d{0,14}$/.test(bound) && (index === 0 || Number(bound) > Number(bounds[index - 1]))
    );
  });
  return isAscending && bounds.length <= MOST_TIERS;
}

/** As browsers send them: without scheme and port, in ASCII. */
export const hostNames = text
  .transform((value) => value.split(',').map((name) => name.trim().toLowerCase()))
  .transform((names) => names.filter(Boolean))
  .refine((names) => names.every((name) => /^[a-z\d]([a-z\d.-]*[a-z\d])?$/.test(name)), {
    error: 'must be host names like cdvault.example.com, without scheme and port',
  });

/** Without a path, user or query: pages are at paths of their own. */
export const publicUrl = text
  .trim()
  .refine((value) => value === '' || isPlace(value), {
    error: 'must be a URL like https://cdvault.example.com, without user, path and query',
    abort: true,
  })
  .transform((value) => (value === '' ? undefined : new URL(value).origin));

function isPlace(value: string): boolean {
  if (!['https', 'http'].includes(schemeOf(value))) return false;
  const { href, origin } = new URL(value);
  return href === `${origin}/`;
}
