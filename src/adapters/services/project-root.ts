import path from 'node:path';

/** The folder of scripts/ and docker-compose.yml: three folders up. */
export const projectRoot = path.resolve(import.meta.dirname, '..', '..', '..');
