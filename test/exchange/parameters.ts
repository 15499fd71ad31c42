/** An error as the exchange words it: HTTP status, code and message. */
export interface ApiError {
  readonly status: number;
  readonly code: number;
  readonly message: string;
}

export interface Parameters {
  readonly symbol: string | undefined;
  readonly interval: string | undefined;
  readonly fromId: number | undefined;
  /** inclusive */
  readonly startUs: number | undefined;
  /** inclusive */
  readonly endUs: number | undefined;
  readonly limit: number;
}

export type Parsed =
  | { readonly ok: true; readonly values: Parameters }
  | { readonly ok: false; readonly error: ApiError };

export interface ParameterRules {
  readonly known: readonly string[];
  readonly mandatory: readonly string[];
  readonly nowMs: number;
  /** default 1000 */
  readonly maxLimit?: number;
  /** default false, as on spot: a higher limit is lowered to the maximum */
  readonly refusesAboveMax?: boolean;
}

const DEFAULT_LIMIT = 500;
const MAX_LIMIT = 1000;
const EARLIEST_US = Date.UTC(2017, 0, 1) * 1000;
const LATEST_AHEAD_US = 10_000_000;
const FIRST_MICROSECOND_VALUE = 100_000_000_000_000n;
const LARGEST_LONG = 9_223_372_036_854_775_807n;
const WHOLE_NUMBER = /^[0-9]{1,20}$/;
/** Upper-case letters, digits and, since 2025-12-02, letters of scripts without case. */
const SYMBOL = /^[\p{Lu}\p{Lo}\p{N}_.-]{1,20}$/u;

export function badRequest(code: number, message: string): ApiError {
  return { status: 400, code, message };
}

/** Checks in the exchange's order: sent at all, sent once, known, not empty, well formed. */
export function parseParameters(query: URLSearchParams, rules: ParameterRules): Parsed {
  const error = checkNames(query, rules) ?? checkValues(query) ?? checkLimit(query, rules);
  if (error !== undefined) return { ok: false, error };
  const number = (name: string): bigint | undefined => {
    const text = query.get(name);
    return text === null ? undefined : BigInt(text);
  };
  const { maxLimit = MAX_LIMIT } = rules;
  const limit = number('limit') ?? 0n;
  const fromId = number('fromId');
  const start = number('startTime');
  const end = number('endTime');
  return {
    ok: true,
    values: {
      symbol: query.get('symbol') ?? undefined,
      interval: query.get('interval') ?? undefined,
      fromId: fromId === undefined ? undefined : Number(fromId),
      startUs: start === undefined ? undefined : toMicroseconds(start, 0, rules.nowMs),
      endUs: end === undefined ? undefined : toMicroseconds(end, 999, rules.nowMs),
      // What limit=0 gives is not documented; here it means the default.
      limit: limit === 0n ? DEFAULT_LIMIT : Math.min(Number(limit), maxLimit),
    },
  };
}

function checkNames(query: URLSearchParams, rules: ParameterRules): ApiError | undefined {
  for (const name of rules.mandatory) {
    if (!query.has(name))
      return badRequest(
        -1102,
        `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`,
      );
  }
  const names = [...query.keys()];
  const distinct = new Set(names);
  if (distinct.size !== names.length)
    return badRequest(-1101, 'Duplicate values for a parameter detected.');
  const expected = names.filter((name) => rules.known.includes(name)).length;
  if (expected !== names.length)
    return badRequest(
      -1101,
      `Too many parameters; expected '${expected}' and received '${names.length}'.`,
    );
  return undefined;
}

function checkValues(query: URLSearchParams): ApiError | undefined {
  for (const [name, value] of query) {
    if (value === '') return badRequest(-1105, `Parameter '${name}' was empty.`);
    if (name === 'symbol' && !SYMBOL.test(value)) return illegal(name, '^[A-Z0-9-_.]{1,20}$');
    if (name === 'fromId' || name === 'startTime' || name === 'endTime' || name === 'limit') {
      if (!WHOLE_NUMBER.test(value)) return illegal(name, '^[0-9]{1,20}$');
      if (BigInt(value) > LARGEST_LONG) return badRequest(-1108, `Parameter '${name}' overflowed.`);
    }
  }
  return undefined;
}

function checkLimit(
  query: URLSearchParams,
  { maxLimit = MAX_LIMIT, refusesAboveMax = false }: ParameterRules,
): ApiError | undefined {
  if (!refusesAboveMax || Number(query.get('limit') ?? 0) <= maxLimit) return undefined;
  return badRequest(-1130, "Data sent for parameter 'limit' is not valid.");
}

function illegal(name: string, range: string): ApiError {
  return badRequest(
    -1100,
    `Illegal characters found in parameter '${name}'; legal range is '${range}'.`,
  );
}

/**
 * Accepts both units. `withinMs` is where a bound lies within its millisecond, in microseconds: 0 for a start,
 * 999 for an end. Times out of range are moved into range.
 */
function toMicroseconds(value: bigint, withinMs: number, nowMs: number): number {
  const timeUs = value >= FIRST_MICROSECOND_VALUE ? Number(value) : Number(value) * 1000 + withinMs;
  return Math.min(Math.max(timeUs, EARLIEST_US), nowMs * 1000 + LATEST_AHEAD_US);
}
