/** Runs the last of many tasks later: the earlier ones are not needed any more. */
export class Delayed {
  readonly #ms: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #task: () => void = () => undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** When no other task has come for a while. */
  whenQuiet(task: () => void): void {
    this.cancel();
    this.soon(task);
  }

  /** After a while, also when tasks come all the time. */
  soon(task: () => void): void {
    this.#task = task;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#task();
    }, this.#ms);
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
