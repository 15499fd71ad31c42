import { createSql } from '../../src/adapters/questdb/sql.ts';
import { dayFile, prepareDayFiles, SYMBOL } from './day-files.ts';
import { type Line, type Measurement, repeat, type Sample } from './measurement.ts';
import { BENCH_DIR, freshStore, type Store } from './place.ts';
import { whileWatching } from './process-meter.ts';
import { obtainPython, runPython } from './python.ts';

/** The same file through the usual tools, with cdvault not running. */
export const beside: Measurement = {
  name: 'beside',
  about:
    'The same file with other tools. *pandas*: the code of the notebook, which reads only the three columns that it ' +
    'needs, straight from the zip file; *program* includes the start of Python and its imports, *code* does not. It ' +
    'computes minute bars in binary floating point and **stores nothing**. *QuestDB client*: all columns from pandas ' +
    'by the Python client’s `dataframe()`, decimals from the file’s digits, into an empty table with the columns of cdvault’s trades in ' +
    'the same kind of store, until they can be queried. It builds no bars and **proves nothing**: it does not notice ' +
    'a trade that is missing in the file.',
  async run({ runs, say }) {
    const python = obtainPython(say);
    const file = dayFile(await prepareDayFiles(BENCH_DIR, say), 0);
    return [...(await byPandas(python, file, runs)), await byClient(python, file, runs)];
  },
};

async function byPandas(python: string, file: string, runs: number): Promise<Line[]> {
  const done = await repeat(runs, async () => runPython(python, 'notebook.py', [file]));
  const program = done.map(({ wallS, use, said: { rows } }) => ({
    value: wallS,
    rows,
    uses: { pandas: use },
  }));
  const code = done.map(({ use, said: { rows, wallS, cpuS } }) => ({
    value: wallS,
    rows,
    uses: { pandas: { ...use, cpuS } },
  }));
  const note = 'stores nothing';
  return [
    { id: 'pandas', what: 'pandas: program', unit: 's', samples: program, note },
    { id: 'pandas code', what: 'pandas: code', unit: 's', samples: code, note },
  ];
}

async function byClient(python: string, file: string, runs: number): Promise<Line> {
  const samples = await repeat(runs, async () => {
    await using store = await freshStore();
    return await loadByClient(python, file, store);
  });
  return { id: 'client', what: 'QuestDB client', unit: 's', samples, note: 'proves nothing' };
}

async function loadByClient(python: string, file: string, store: Store): Promise<Sample> {
  const table = 'beside';
  const sql = createSql(store.urls.questdbPgUrl, 1);
  try {
    await sql.query(
      `CREATE TABLE ${table} (ts TIMESTAMP, market SYMBOL, symbol SYMBOL, agg_id LONG, price DECIMAL(18,8), ` +
        'qty DECIMAL(28,8), first_id LONG, last_id LONG, is_buyer_maker BOOLEAN) ' +
        'TIMESTAMP(ts) PARTITION BY DAY WAL DEDUP UPSERT KEYS(ts, market, symbol, agg_id)',
    );
    const { host, username, password } = new URL(store.urls.questdbHttpUrl);
    const configuration = `http::addr=${host};username=${username};password=${password};`;
    const servers = { QuestDB: store.pids.QuestDB };
    const { result, wallS, uses } = await whileWatching(servers, async () => {
      const ran = await runPython(python, 'client.py', [file, table, SYMBOL, configuration]);
      await sql.waitApplied(table);
      return ran;
    });
    const { rows } = result.said;
    const [stored] = await sql.query(`SELECT count() rows FROM ${table}`);
    if (Number(stored?.['rows']) !== rows)
      throw new Error(`the client stored ${stored?.['rows']} of ${rows} trades`);
    return { value: wallS, rows, uses: { client: result.use, ...uses } };
  } finally {
    await sql.close();
  }
}
