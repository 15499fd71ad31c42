import { createHook } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { describeRunning } from './command-line.ts';

/**
 * Fails a test file that leaves a socket, server, child process or timer that keeps the process alive, since
 * none may keep a command alive that has done its work.
 */

/** Time for what closes late on a busy machine: kept-alive connections, a process that is reaped. */
const PATIENCE_MS = 15_000;

/** Code of the test runner, whose timers do not count. */
const OF_RUNNER = /node_modules\/(?:vitest|@vitest)\//;

/** Pending timers, each with the place where it was set. */
const timers = new Map<number, { readonly timer: NodeJS.Timeout; readonly place: string }>();

const watching = createHook({
  init(id, type, _, resource) {
    if (type !== 'Timeout') return;
    timers.set(id, { timer: resource as NodeJS.Timeout, place: placeOf(new Error().stack) });
  },
  destroy: (id) => void timers.delete(id),
});

/** The first line of a stack that belongs neither to this file nor to Node.js. */
function placeOf(stack = ''): string {
  const lines = stack.split('\n').slice(1);
  return lines.find((line) => !/nothing-left|\(node:|at node:/.test(line))?.trim() ?? 'Node.js';
}

function timersLeft(): string[] {
  return [...timers.values()]
    .filter(({ timer, place }) => timer.hasRef() && !OF_RUNNER.test(place))
    .map(({ place }) => `timer set ${place}`);
}

/** Counts of other resources that keep a process alive, by kind, including those of the runner. */
function held(): Map<string, number> {
  const kinds = process.getActiveResourcesInfo().filter((kind) => kind !== 'Timeout');
  return new Map([...new Set(kinds)].map((kind) => [kind, kinds.filter((k) => k === kind).length]));
}

function left(before: ReadonlyMap<string, number>): string[] {
  const more = [...held()].map(([kind, count]) => [kind, count - (before.get(kind) ?? 0)] as const);
  return [
    ...more.filter(([, count]) => count > 0).map(([kind, count]) => `${count} × ${kind}`),
    ...timersLeft(),
  ];
}

let before: ReadonlyMap<string, number>;

beforeAll(() => {
  before = held();
  watching.enable();
});

afterEach(({ task }) => {
  const text = task.result?.state === 'fail' ? describeRunning() : '';
  // As an error of the test, so that it stands with the others at the end of the output.
  if (text !== '') throw new Error(text);
});

// afterAll hooks run in reverse order of registration, so this one runs after all hooks of the file.
afterAll(async () => {
  const endMs = performance.now() + PATIENCE_MS;
  while (left(before).length > 0 && performance.now() < endMs)
    // Without a reference, so that this timer does not count.
    await sleep(20, undefined, { ref: false });
  watching.disable();
  expect(left(before), 'resources that these tests left open').toEqual([]);
});
