import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';

const ROOT = path.join(import.meta.dirname, '../..');

test('docs/upgrading.md has a note for each migration, in order, and for no other', async () => {
  const files = (await readdir(path.join(ROOT, 'migrations'))).toSorted();
  const page = await readFile(path.join(ROOT, 'docs/upgrading.md'), 'utf8');
  const notes = page.split(/^### /m).slice(1);
  expect(notes.map((note) => `${note.split('\n')[0]}.sql`)).toEqual(files);
  for (const note of notes) {
    // How long it takes, and whether older releases may run beside it.
    expect(note).toMatch(/\b(?:At once|About \d+)\b/);
    expect(note).toMatch(/Older releases|For a new store only/);
  }
});
