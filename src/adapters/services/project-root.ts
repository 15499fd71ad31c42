import path from 'node:path';

/** Where scripts/ and docker-compose.yml lie: three folders up. */
export const projectRoot = path.resolve(import.meta.dirname, '..', '..', '..');
