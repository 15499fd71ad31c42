import { AsyncLocalStorage } from 'node:async_hooks';

type Fields = Readonly<Record<string, unknown>>;

const fieldsOfWork = new AsyncLocalStorage<Fields>();

/**
 * Adds these fields to every line that is logged while `work` runs, in any part of the program: code that
 * logs on behalf of a job often does not know about jobs and serves many at a time.
 */
export function withLogFields<T>(fields: Fields, work: () => T): T {
  return fieldsOfWork.run(fields, work);
}

export function logFields(): Fields {
  return fieldsOfWork.getStore() ?? {};
}
