import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..', '..');

/** Where an image is named: in compose, in a Dockerfile, for testcontainers, for a container engine, by our scripts. */
const NAMED = [
  /^\s*(?:-\s*)?image:\s*['"]?([^\s'"#]+)/gm,
  /^FROM\s+(?:--\S+\s+)*(\S+)/gm,
  /^COPY\s+--from=(\S+)/gm,
  /Container\(\s*['"`]([^'"`]+)/g,
  /^[^#\n]*?\b(?:docker|podman)\s+(?:image\s+)?pull\s+(?:-\S+\s+)*([^\s;&|]+)/gm,
  /^[^#\n]*?\b(?:make_image|has_image)\s+([\w./:-]+)/gm,
  // In any other place.
  /([\w./-]+:latest)\b/g,
];

/** The image that is built here. */
const OWN = '${CDVAULT_IMAGE:-cdvault}';

/** Images that are pulled: neither our own nor a stage of a Dockerfile. */
function imagesIn(text: string): string[] {
  const stages = [...text.matchAll(/^FROM\s.*\sAS\s+(\S+)/gim)].map(([, name]) => name);
  const names = NAMED.flatMap((form) => [...text.matchAll(form)].map(([, name = '']) => name));
  return [...new Set(names)].filter((name) => name !== OWN && !stages.includes(name));
}

const hasVersion = (image: string): boolean => /:v?\d[\w.-]*(@|$)/.test(image);

const imagesOf = (names: readonly string[]) =>
  names.flatMap((name) =>
    imagesIn(readFileSync(path.join(root, name), 'utf8')).map((image) => ({ name, image })),
  );

const shipped = imagesOf(['Dockerfile', 'docker-compose.yml']);

const others = imagesOf(
  globSync('{scripts,test}/**/*.{ts,sh,yml,yaml}', { cwd: root }).filter(
    (name) => path.join(root, name) !== import.meta.filename,
  ),
);

test('every image has a version', () => {
  expect([...shipped, ...others].filter(({ image }) => !hasVersion(image))).toEqual([]);
});

test('tests and scripts use the images that are shipped, and no others', () => {
  const known = new Set(shipped.map(({ image }) => image));
  expect(known.size).toBe(4);
  expect(others.length).toBeGreaterThan(0);
  expect(others.filter(({ image }) => !known.has(image))).toEqual([]);
});

test.each([
  ['    image: redis', 'redis'],
  ['    image: redis:alpine', 'redis:alpine'],
  ["  - image: 'grafana/grafana:latest'", 'grafana/grafana:latest'],
  ['    image: localhost:5000/redis', 'localhost:5000/redis'],
  ['    image: ${IMAGE}', '${IMAGE}'],
  ['FROM node', 'node'],
  ['FROM --platform=linux/amd64 node:lts AS packages', 'node:lts'],
  ['COPY --from=busybox /bin/sh /bin/sh', 'busybox'],
  ["new GenericContainer('questdb/questdb')", 'questdb/questdb'],
  ['new RedisContainer("redis:latest")', 'redis:latest'],
  ['docker pull --quiet redis', 'redis'],
  ['  make_image redis trixie redis-server', 'redis'],
  ['docker run --rm busybox:latest true', 'busybox:latest'],
])('an image without a version is seen: %s', (text, image) => {
  expect(imagesIn(text).filter((found) => !hasVersion(found))).toEqual([image]);
});

test.each([
  '    image: redis:8',
  '    image: questdb/questdb:9.3.4 # the tests run it',
  '    image: localhost:5000/redis:8@sha256:0123',
  '  image: ${CDVAULT_IMAGE:-cdvault}',
  'FROM node:24-bookworm-slim AS packages\nFROM packages\nCOPY --from=packages /app /app',
  "new GenericContainer('redis:8')",
  '  has_image redis:8 redis_image',
  'const url = "redis://localhost:6379"',
  '# make_image NAME SUITE',
  '  `SELECT a\n  FROM trades`',
])('an image with one passes: %s', (text) => {
  expect(imagesIn(text).every(hasVersion)).toBe(true);
});
