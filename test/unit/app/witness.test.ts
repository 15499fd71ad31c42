import { describe, expect, test } from 'vitest';
import { Witness } from '../../../src/app/witness.ts';
import { CdvaultError } from '../../../src/domain/errors.ts';

const SIGNAL = new AbortController().signal;

describe('a witness that does not answer', () => {
  test('is asked again after ten minutes and not before; until then it gives the same reason', async () => {
    let nowMs = 0;
    let asked = 0;
    let isUp = false;
    const witness = new Witness({ nowMs: () => nowMs });
    const ask = () =>
      witness.ask(async () => {
        asked += 1;
        if (!isUp) throw new CdvaultError('EXCHANGE_UNREACHABLE', 'refused');
        return 7;
      }, SIGNAL);
    const silent = { reason: 'EXCHANGE_UNREACHABLE: refused' };
    expect(await ask()).toMatchObject(silent);
    nowMs = 10 * 60_000 - 1;
    expect(await ask()).toMatchObject(silent);
    expect(asked).toBe(1);
    isUp = true;
    nowMs += 1;
    expect(await ask()).toEqual({ answer: 7 });
    expect(asked).toBe(2);
  });

  test('is asked again when a ban has ended', async () => {
    let nowMs = 0;
    let asked = 0;
    const witness = new Witness({ nowMs: () => nowMs });
    const ask = () =>
      witness.ask(async () => {
        asked += 1;
        throw new CdvaultError('EXCHANGE_BANNED', 'banned', { untilMs: 5_000 });
      }, SIGNAL);
    await ask();
    nowMs = 4_999;
    await ask();
    expect(asked).toBe(1);
    nowMs = 5_000;
    await ask();
    expect(asked).toBe(2);
  });

  test.each(['STORE_UNREACHABLE', 'INTERNAL'] as const)(
    '%s is not taken for a silent witness: it is thrown',
    async (code) => {
      const error = new CdvaultError(code, 'broken');
      const ask = new Witness({ nowMs: () => 0 }).ask(() => Promise.reject(error), SIGNAL);
      await expect(ask).rejects.toBe(error);
    },
  );

  test('an abort is not taken for a silent witness either', async () => {
    const controller = new AbortController();
    const reason = new CdvaultError('INTERRUPTED', 'interrupted');
    const ask = new Witness({ nowMs: () => 0 }).ask(async () => {
      controller.abort(reason);
      throw new CdvaultError('EXCHANGE_UNREACHABLE', 'cut');
    }, controller.signal);
    await expect(ask).rejects.toBe(reason);
  });
});
