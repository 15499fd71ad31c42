import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('the command serves, logs, and ends on SIGTERM', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'exchange-'));
  const [csv, log, faults, dataFaults] = ['t.csv', 'log', 'faults.json', 'data-faults.json'].map(
    (name) => join(folder, name),
  ) as [string, string, string, string];
  writeFileSync(csv, '7,1.5,2,10,12,1704067200000,True,True\n');
  writeFileSync(
    faults,
    JSON.stringify([{ name: 'busy', kind: 'serverBusy', when: { request: 2 } }]),
  );
  writeFileSync(dataFaults, JSON.stringify({ BTCUSDT: [{ kind: 'gap', fromId: 501, toId: 510 }] }));
  const program = join(import.meta.dirname, '../../exchange/main.ts');
  const args = [
    '--trades',
    csv,
    '--symbol',
    'OLDUSDT',
    '--synthetic',
    'BTCUSDT:7:2024-01-01T00:00:00Z:2024-01-02:1000:500',
    '--synthetic',
    'cm/BTCUSD_PERP:8:2024-01-01T00:00:00Z:2024-01-02:1000',
    '--log',
    log,
    '--faults',
    faults,
    '--weight-window',
    '10S',
    '--now',
    '2024-01-01T12:00:00Z',
    '--repeat-days',
    '2',
    '--data-faults',
    dataFaults,
  ];
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const url = /^exchange listening on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(line.toString())?.[1];
    const first = await fetch(`${url}/api/v3/aggTrades?symbol=BTCUSDT&fromId=0&limit=2`);
    expect(await first.json()).toMatchObject([{ a: 500 }, { a: 511 }]);
    expect(first.headers.get('x-mbx-used-weight-10s')).toBe('4');
    expect((await fetch(`${url}/api/v3/aggTrades?symbol=OLDUSDT`)).status).toBe(503);
    expect(await (await fetch(`${url}/api/v3/aggTrades?symbol=OLDUSDT`)).json()).toMatchObject([
      { a: 7, p: '1.50000000' },
    ]);
    const coin = await fetch(`${url}/dapi/v1/aggTrades?symbol=BTCUSD_PERP&fromId=1&limit=1`);
    expect(await coin.json()).toMatchObject([
      { a: 1, q: expect.stringMatching(/^\d+$/) as string },
    ]);
  } finally {
    child.kill('SIGTERM');
  }
  expect(await once(child, 'exit')).toEqual([0, null]);
  const lines = readFileSync(log, 'utf8').trim().split('\n');
  expect(lines).toHaveLength(4);
  expect(lines[1]).toContain('fault busy');
});
