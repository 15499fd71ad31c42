/** The process of readApart(): sends the columns of each row group when it is asked for them. */

import { type ColumnsRequest, readColumns } from './parquet-columns.ts';

const request = JSON.parse(process.argv[2] ?? '') as ColumnsRequest;
const groups = readColumns(request);

// Its parent has ended, or needs no more.
process.once('disconnect', () => process.exit(0));
process.on('message', () => {
  void (async () => {
    try {
      const next = await groups.next();
      process.send?.(next.done === true ? { isEnd: true } : { columns: next.value });
    } catch (error) {
      process.send?.({ failure: error instanceof Error ? error.message : String(error) });
    }
  })();
});
