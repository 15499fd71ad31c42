let waits = 0;

/** Shows that something is awaited. */
export async function awaited<T>(answer: Promise<T>): Promise<T> {
  waits += 1;
  document.body.dataset['loading'] = '';
  try {
    return await answer;
  } finally {
    waits -= 1;
    if (waits === 0) delete document.body.dataset['loading'];
  }
}
