import { AsyncLocalStorage } from 'node:async_hooks';

type Fields = Readonly<Record<string, unknown>>;

const fieldsOfWork = new AsyncLocalStorage<Fields>();

/**
 * Every line that is logged while `work` runs, in whatever part of the program, has these fields. Lines
 * are written far below a job, by what knows nothing of jobs and serves many at a time.
 */
export function withLogFields<T>(fields: Fields, work: () => T): T {
  return fieldsOfWork.run(fields, work);
}

export function logFields(): Fields {
  return fieldsOfWork.getStore() ?? {};
}
