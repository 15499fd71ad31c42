import { createHook } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';

/**
 * A file of tests ends with what it began with: no socket, no server, no child process and no timer of
 * its own holds the process up, as none must hold up a command that has done its work.
 */

/** What closes in its own time: the last bytes of a connection, a process that is reaped. */
const PATIENCE_MS = 5_000;

/** What the runner has for itself. */
const OF_RUNNER = /node_modules\/(?:vitest|@vitest)\//;

/** Timers that are still to come, each with where it was set. */
const timers = new Map<number, { readonly timer: NodeJS.Timeout; readonly place: string }>();

const watching = createHook({
  init(id, type, _, resource) {
    if (type !== 'Timeout') return;
    timers.set(id, { timer: resource as NodeJS.Timeout, place: placeOf(new Error().stack) });
  },
  destroy: (id) => void timers.delete(id),
});

/** The first line of a stack that is neither of this file nor of Node.js. */
function placeOf(stack = ''): string {
  const lines = stack.split('\n').slice(1);
  return lines.find((line) => !/nothing-left|\(node:|at node:/.test(line))?.trim() ?? 'Node.js';
}

function timersLeft(): string[] {
  return [...timers.values()]
    .filter(({ timer, place }) => timer.hasRef() && !OF_RUNNER.test(place))
    .map(({ place }) => `timer set ${place}`);
}

/** Other resources that keep a process alive, by kind; those of the runner are there before. */
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

// Hooks of the end run in the reverse order of their registration: this one after all of the file's.
afterAll(async () => {
  const endMs = performance.now() + PATIENCE_MS;
  while (left(before).length > 0 && performance.now() < endMs)
    // Of its own timer nothing is to be seen.
    await sleep(20, undefined, { ref: false });
  watching.disable();
  expect(left(before), 'what these tests have left open').toEqual([]);
});
