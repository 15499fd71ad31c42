import { FIELD_COUNT } from '../../domain/trade-block.ts';

/** Room for the rows of one block, a column for each field that is a number or a flag. */
export type Columns = ReturnType<typeof newColumns>;

export function newColumns(rows: number) {
  return {
    fieldAt: new Int32Array(rows * FIELD_COUNT),
    aggIds: new Float64Array(rows),
    firstIds: new Float64Array(rows),
    lastIds: new Float64Array(rows),
    timesUs: new Float64Array(rows),
    qtysE8: new Float64Array(rows),
    makers: new Uint8Array(rows),
    valids: new Uint8Array(rows),
  };
}
