import { CdvaultError } from '../../domain/errors.ts';
import type { Checkpoint } from '../../ports/backup.ts';
import type { SchemaLock } from './series-tables.ts';
import type { Sql } from './sql.ts';

/** Under the lock of the schema: no table is made, changed or dropped while the states of all tables are noted. */
export function createCheckpoint({
  sql,
  lock,
}: {
  readonly sql: Sql;
  readonly lock: SchemaLock;
}): Checkpoint {
  const isOpen = async () => {
    const [row] = await sql.query('SELECT in_progress FROM checkpoint_status()');
    return row?.['in_progress'] === 't';
  };
  const release = async () => {
    if (await isOpen()) await sql.query('CHECKPOINT RELEASE');
  };
  return {
    release,
    async create(mayReplace, signal) {
      await lock(async () => {
        if (await isOpen()) {
          if (!mayReplace)
            throw new CdvaultError('BACKUP_BLOCKED', 'QuestDB is in a checkpoint already');
          await release();
        }
        await sql.query('CHECKPOINT CREATE');
      }, signal);
    },
  };
}
