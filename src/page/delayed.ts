/** Runs the last of many tasks, a moment after it was given. */
export class Delayed {
  readonly #ms: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  run(task: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(task, this.#ms);
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}
