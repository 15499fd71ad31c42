import { requireAnswers, urlsOfElsewhere } from '../src/adapters/services/environment.ts';
import { loadConfig } from '../src/config.ts';
import { classify } from '../src/domain/errors.ts';

/**
 * The image's HEALTHCHECK: exit code 0 when the Redis and the QuestDB that this container is told of
 * answer with its passwords. That is what it can't work without; whether its process lives, the
 * engine sees by itself.
 */
try {
  const urls = urlsOfElsewhere(loadConfig().services, true);
  if (urls !== undefined) await requireAnswers(urls);
} catch (error) {
  const { code, message } = classify(error);
  // The engine keeps the last lines: docker inspect --format '{{json .State.Health}}'.
  console.error(`${code}: ${message}`);
  process.exitCode = 1;
}
