import path from 'node:path';
import { makeHome, writeWhole } from './home.ts';
import { probeRedis } from './probes.ts';
import type { NativeService, NativeSet } from './native-service.ts';

/**
 * The queue must survive a crash (AOF), and Redis must never drop a key to save memory (noeviction).
 * The process title contains the path of the configuration file, by which our own process is recognized.
 */
function configuration(set: NativeSet, dir: string): string {
  return [
    'bind 127.0.0.1',
    'protected-mode yes',
    `port ${set.ports.redis}`,
    `requirepass ${set.secrets.redis}`,
    `dir "${dir}"`,
    'daemonize no',
    'logfile ""',
    'save ""',
    'appendonly yes',
    'appendfsync everysec',
    'maxmemory-policy noeviction',
    'proc-title-template "{title} {config-file} {listen-addr}"',
    '',
  ].join('\n');
}

export function nativeRedis(set: NativeSet): NativeService {
  const dir = path.join(set.homeDir, 'redis');
  const configFile = path.join(dir, 'redis.conf');
  return {
    name: 'Redis',
    dir,
    mark: configFile,
    pidFile: path.join(dir, 'redis.pid'),
    logFile: path.join(dir, 'redis.log'),
    portNames: ['redis'],
    slowBecause: 'it is reading its append-only file',
    prepare: () => {
      makeHome(dir);
      writeWhole(configFile, configuration(set, dir), 0o600);
    },
    command: set.tools.redisServer,
    args: [configFile],
    probe: async () => probeRedis(set.urls.redisUrl),
  };
}
