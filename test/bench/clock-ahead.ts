/** Loaded before a program (`node --import`): sets its clock ahead by BENCH_CLOCK_AHEAD_MS. */
const aheadMs = Number(process.env['BENCH_CLOCK_AHEAD_MS']);
const TrueDate = Date;

class DateAhead extends TrueDate {
  constructor(...args: readonly unknown[]) {
    const given = args.length === 0 ? [DateAhead.now()] : args;
    super(...(given as [number]));
  }

  static override now(): number {
    return TrueDate.now() + aheadMs;
  }
}

globalThis.Date = DateAhead as DateConstructor;
