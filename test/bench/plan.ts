import { startArchiveServer } from '../exchange/archive-server.ts';
import { startExchange } from '../exchange/exchange.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { type Measurement, repeat } from './measurement.ts';
import { cdvault, freshStore } from './place.ts';

const SYMBOLS = 5;
const [FROM, TO] = ['2022-01-01', '2025-01-01'];

export const plan: Measurement = {
  name: 'plan',
  about:
    `\`bin/cdvault plan\` for three years of ${SYMBOLS} symbols without stored data: five listings of four pages each ` +
    'and the ids at both ends of the range, requested from the simulated exchange.',
  async run({ runs }) {
    await using store = await freshStore();
    const trades = syntheticTrades({
      seed: 71,
      fromMs: Date.parse(FROM),
      toMs: Date.parse(TO),
      tradesPerHour: 2,
      firstId: 0,
    });
    const symbols = Array.from({ length: SYMBOLS }, (_, index) => `PLAN${index}`);
    const traded = symbols.map((symbol) => ({ symbol, trades }));
    const archive = await startArchiveServer(traded);
    const exchange = await startExchange({ symbols: traded, enforceWeight: false });
    try {
      const host = { exchange: exchange.url, archive: archive.url, pid: process.pid };
      const samples = await repeat(runs, async () => {
        const { wallS, uses } = await cdvault(['plan', ...symbols, '--from', FROM, '--to', TO], {
          store,
          host,
        });
        return { value: wallS, uses };
      });
      return [{ what: 'plan, three years of five symbols', unit: 's', samples }];
    } finally {
      await exchange.close();
      await archive.close();
    }
  },
};
