import path from 'node:path';
import { makeHome, QUESTDB_READER, QUESTDB_USER, writeWhole } from './home.ts';
import { probeQuestdb } from './probes.ts';
import type { NativeService, NativeSet } from './native-service.ts';

/**
 * The heap holds metadata, connections and plans of queries; columns are mapped files, and sorts use memory
 * off the heap. 500 series take about 150 MB, and the plans of open connections some 200 MB.
 */
const HEAP = '1g';
/**
 * Java 24 and later warn about operations that QuestDB needs; Java 17 does not know the switches that
 * silence them.
 */
const JAVA_WITH_WARNINGS = 24;

/** docker-compose.yml has the same settings as QDB_* variables. */
function serverConf(set: NativeSet): string {
  const { ports, secrets } = set;
  return [
    `http.bind.to=127.0.0.1:${ports.questdbHttp}`,
    `http.min.net.bind.to=127.0.0.1:${ports.questdbHealth}`,
    `pg.net.bind.to=127.0.0.1:${ports.questdbPg}`,
    `http.user=${QUESTDB_USER}`,
    `http.password=${secrets.questdb}`,
    'http.health.check.authentication.required=false',
    `pg.user=${QUESTDB_USER}`,
    `pg.password=${secrets.questdb}`,
    'pg.readonly.user.enabled=true',
    `pg.readonly.user=${QUESTDB_READER}`,
    `pg.readonly.password=${secrets.questdbReader}`,
    // With a folder here, even the read-only user could write files on the server with COPY … TO. /exp
    // does not need one.
    'cairo.sql.copy.export.root=',
    'line.tcp.enabled=false',
    'line.udp.enabled=false',
    'line.auto.create.new.columns=false',
    'line.auto.create.new.tables=false',
    'telemetry.enabled=false',
    'metrics.enabled=true',
    'cairo.commit.mode=sync',
    // What is laid out on disk for each column of each table, and once more for what is not applied yet. The defaults
    // (16 MB, 1 MB) are far too much for many small tables; with these a table takes 3 MB. The real day takes the same
    // CPU time with either.
    'cairo.writer.data.append.page.size=128K',
    'cairo.wal.writer.data.append.page.size=128K',
    'cairo.writer.data.index.value.append.page.size=1M',
    // An idle thread looks for work 7,000 times before it sleeps 1 ms between looks. That costs 15 CPU
    // milliseconds after each statement that comes alone, and 1.5 s while a busy day is loaded; with 100 looks a
    // statement takes 1 ms (measured on 2 cores).
    'shared.worker.nap.threshold=100',
    'wal.apply.worker.yield.threshold=10',
    'wal.apply.worker.nap.threshold=100',
    'config.validation.strict=true',
    '',
  ].join('\n');
}

/** At level INFO QuestDB logs a line for every query. */
const LOG_CONF = [
  'writers=stdout',
  'w.stdout.class=io.questdb.log.LogConsoleWriter',
  'w.stdout.level=ERROR',
  '',
].join('\n');

export function nativeQuestdb(set: NativeSet): NativeService {
  const dir = path.join(set.homeDir, 'questdb');
  const quiet =
    set.tools.javaMajor >= JAVA_WITH_WARNINGS
      ? ['--enable-native-access=io.questdb', '--sun-misc-unsafe-memory-access=allow']
      : [];
  return {
    name: 'QuestDB',
    dir,
    mark: `-d ${dir}`,
    pidFile: path.join(dir, 'questdb.pid'),
    logFile: path.join(dir, 'questdb.log'),
    portNames: ['questdbHttp', 'questdbHealth', 'questdbPg'],
    slowBecause: 'the first start unpacks its console, later starts open the tables',
    prepare: () => {
      makeHome(path.join(dir, 'conf'));
      writeWhole(path.join(dir, 'conf', 'server.conf'), serverConf(set), 0o600);
      writeWhole(path.join(dir, 'conf', 'log.conf'), LOG_CONF);
    },
    command: set.tools.java,
    args: [
      '-Xms64m',
      `-Xmx${HEAP}`,
      '-XX:+UseParallelGC',
      ...quiet,
      '-p',
      set.tools.questdbJar,
      '-m',
      'io.questdb/io.questdb.ServerMain',
      '-d',
      dir,
    ],
    probe: async () => probeQuestdb(set.urls),
  };
}
