/** An item's error, or undefined when its work is done. */
export type ItemError = { readonly error: unknown } | undefined;

/**
 * Does work for several callers together, without a timer: all that is asked for while work is under way goes
 * into the next piece of work.
 * @param work gets at least one item and returns what became of each, in their order; when it throws, all of
 *   them have failed
 * @param takes how many of the first waiting items go together; at least one, default: all
 */
export function gathering<T>(
  work: (items: readonly T[]) => Promise<readonly ItemError[]>,
  takes: (waiting: readonly T[]) => number = ({ length }) => length,
): (item: T) => Promise<void> {
  const waiting: { readonly item: T; readonly ended: PromiseWithResolvers<void> }[] = [];
  let isWorking = false;

  async function workAll(): Promise<void> {
    isWorking = true;
    while (waiting.length > 0) {
      const together = waiting.splice(0, takes(waiting.map(({ item }) => item)));
      try {
        const errors = await work(together.map(({ item }) => item));
        for (const [index, { ended }] of together.entries()) {
          const failed = errors[index];
          if (failed === undefined) ended.resolve();
          else ended.reject(failed.error);
        }
      } catch (error) {
        for (const { ended } of together) ended.reject(error);
      }
    }
    isWorking = false;
  }

  return async (item) => {
    const ended = Promise.withResolvers<void>();
    waiting.push({ item, ended });
    if (!isWorking) void workAll();
    return ended.promise;
  };
}
