import path from 'node:path';

/** The folder of scripts/ and docker-compose.yml: three folders up, from src/ and from dist/. */
export const projectRoot = path.resolve(import.meta.dirname, '..', '..', '..');
