import { minutes, type Progress } from './run.ts';
import type { ProcessSample, Sample } from './samples.ts';
import { FIRST_DAY_MS, HOUR_MS } from './story.ts';

/** One line of a short soak. */
export function seedLine({ story, outcome, samples }: Progress): string {
  const verdict =
    outcome === undefined
      ? 'not over'
      : outcome.wrong.length === 0
        ? 'no difference'
        : `WRONG: ${outcome.wrong.join('; ')}`;
  const requests = samples.reduce((sum, one) => sum + one.requests, 0);
  const settled =
    outcome === undefined ? '' : `, settled ${minutes(outcome.settledMs)} after the end`;
  return `seed ${story.seed}: ${verdict} (${requests} requests${settled})`;
}

/** The report of a long soak, or of the part of it that is done. */
export function reportOf(progress: Progress): string {
  const { story, samples, outcome } = progress;
  const doneHours = Math.floor((progress.nowMs - FIRST_DAY_MS) / HOUR_MS);
  const verdict =
    outcome === undefined
      ? `Not over: ${Math.min(doneHours, story.hours)} of ${story.hours} hours.`
      : outcome.wrong.length === 0
        ? `No gap and no difference: everything was proven and built ${minutes(outcome.settledMs)} after the end.`
        : `WRONG: ${outcome.wrong.join('; ')}`;
  return [
    `# Soak, seed ${story.seed}`,
    '',
    `${story.symbols} symbols, ${story.hours} hours at ${story.speed} times, ${story.workers} workers; ` +
      `${progress.killsDone} processes killed with -9; ${progress.workersEnded} times a worker ended by itself and was started again.`,
    '',
    verdict,
    '',
    ...lagTable(samples),
    '',
    ...processTable(samples),
    '',
  ].join('\n');
}

function lagTable(samples: readonly Sample[]): string[] {
  return [
    '| Hour | Lag, median | Lag, longest | Hours not proven | Requests | 429 and 418 | Most weight in a minute | Forbidden |',
    '| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...samples.map(({ atMs, lag, openHours, requests, refused, weight, violations }) =>
      row([
        ((atMs - FIRST_DAY_MS) / HOUR_MS).toFixed(1),
        lag === undefined ? 'no answer' : minutes(lag.medianMs),
        lag === undefined ? 'no answer' : minutes(lag.maxMs),
        openHours ?? '',
        requests,
        refused,
        weight,
        violations,
      ]),
    ),
  ];
}

/** What each process held at the start, in the middle and at the end; a new process begins anew. */
function processTable(samples: readonly Sample[]): string[] {
  const names = [...new Set(samples.flatMap(({ processes }) => Object.keys(processes)))];
  const [start, middle, end] = [1, samples.length >> 1, samples.length - 1];
  const cell = (name: string, index: number | undefined): string => {
    const found: ProcessSample | undefined = samples[index ?? 0]?.processes[name];
    if (found === undefined) return 'down';
    return `${Math.round(found.residentBytes / 2 ** 20)} MiB, ${found.openFiles}`;
  };
  return [
    '| Process: memory, open files | Start | Middle | End | Processes in all |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...names.map((name) => {
      const pids = new Set(samples.map(({ processes }) => processes[name]?.pid));
      pids.delete(undefined);
      return row([name, ...[start, middle, end].map((index) => cell(name, index)), pids.size]);
    }),
  ];
}

function row(cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`;
}
