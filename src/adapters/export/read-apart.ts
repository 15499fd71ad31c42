import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import type { Column, ColumnsRequest } from './parquet-columns.ts';

/** A row group of an export takes some 20 MB. */
const MOST_HEAP_MB = 512;
/** A row group takes some 20 ms. */
const GROUP_MS = 10_000;

/** TypeScript in a checkout, JavaScript in the package: as this file is. */
const CODE = path.join(import.meta.dirname, `parquet-process${path.extname(import.meta.filename)}`);

type Answer =
  | { readonly columns: readonly Column[] }
  | { readonly isEnd: true }
  | { readonly failure: string };

/**
 * The same as readColumns(), in a process of its own. A file that claims to repeat a value a billion times makes the
 * library fill its memory or loop: then that process ends, and not this one. A thread would end both.
 * @throws Error when the file is no Parquet file with these columns, or needs too much memory or time
 */
export async function* readApart(request: ColumnsRequest): AsyncGenerator<readonly Column[]> {
  const child = fork(CODE, [JSON.stringify(request)], {
    execArgv: [`--max-old-space-size=${MOST_HEAP_MB}`],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    // Ctrl-C ends it by its parent, or a sound file would count as a bad one.
    detached: true,
  });
  const gone = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    // It could not be started.
    child.once('error', () => resolve());
  });
  try {
    for (;;) {
      const answer = await nextOf(child);
      if ('isEnd' in answer) return;
      if ('failure' in answer) throw new Error(answer.failure);
      yield answer.columns;
    }
  } finally {
    child.kill('SIGKILL');
    await gone;
  }
}

async function nextOf(child: ChildProcess): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const late = setTimeout(
    () => reject(new Error(`a row group was not read in ${GROUP_MS / 1000} s`)),
    GROUP_MS,
  );
  const onExit = () => reject(new Error('its reader has ended: it needs too much memory'));
  const onMessage = (message: unknown) => resolve(message as Answer);
  child.once('message', onMessage);
  child.once('error', reject);
  child.once('exit', onExit);
  try {
    if (child.exitCode !== null || child.signalCode !== null) onExit();
    else child.send('next', (error) => (error === null ? undefined : reject(error)));
    return await promise;
  } finally {
    clearTimeout(late);
    child.off('message', onMessage);
    child.off('error', reject);
    child.off('exit', onExit);
  }
}
