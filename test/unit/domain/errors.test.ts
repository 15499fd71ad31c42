import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../../src/domain/plan/backoff.ts';
import { ERRORS } from '../../../src/domain/error-catalogue.ts';
import { CdvaultError, classify } from '../../../src/domain/errors.ts';
import { EXIT } from '../../../src/domain/exit-codes.ts';

describe('errors', () => {
  it('carry code, cause, advice, retry and exit code', () => {
    const cause = new Error('ECONNREFUSED');
    const error = new CdvaultError('STORE_UNREACHABLE', 'no answer', { cause });
    expect(error).toMatchObject({
      code: 'STORE_UNREACHABLE',
      cause,
      retryable: true,
      exitCode: EXIT.outage,
    });
    expect(error.advice).toBe(ERRORS.STORE_UNREACHABLE.advice);
  });

  it('accept more specific advice, and a time to wait for', () => {
    const error = new CdvaultError('EXCHANGE_BANNED', 'banned', { advice: 'wait', untilMs: 5 });
    expect(error).toMatchObject({ advice: 'wait', untilMs: 5 });
  });

  it('are all CdvaultErrors: an unknown error becomes INTERNAL, with its cause', () => {
    const known = new CdvaultError('USAGE', 'x');
    expect(classify(known)).toBe(known);
    const unknown = new TypeError('undefined is not a function');
    expect(classify(unknown)).toMatchObject({
      code: 'INTERNAL',
      message: unknown.message,
      cause: unknown,
      retryable: false,
    });
    expect(classify('text')).toMatchObject({ code: 'INTERNAL', message: 'text' });
  });

  it('say when they happen and what to do, in sentences', () => {
    for (const facts of Object.values(ERRORS)) {
      expect(facts.when).toMatch(/^[A-Z“].*\.$/);
      expect(facts.advice).toMatch(/^[A-Z].*[^\s,;:]$/);
    }
  });
});

describe('backoffMs', () => {
  const policy = { firstMs: 100, maxMs: 1000 };

  it('doubles its ceiling up to the maximum', () => {
    expect([0, 1, 2, 3, 4, 50].map((attempt) => backoffMs(policy, attempt, 0.999_99))).toEqual([
      99, 199, 399, 799, 999, 999,
    ]);
  });

  it('draws from the whole range, and never below what the server asked for', () => {
    expect(backoffMs(policy, 3, 0)).toBe(0);
    expect(backoffMs(policy, 3, 0, 60_000)).toBe(60_000);
    expect(backoffMs(policy, 0, 0.5, 10)).toBe(50);
  });

  it('stays finite after a thousand attempts', () => {
    expect(backoffMs(policy, 2000, 0.5)).toBe(500);
  });
});
