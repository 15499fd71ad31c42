import { requireAnswers, urlsOfElsewhere } from '../src/adapters/services/environment.ts';
import { loadConfig } from '../src/config.ts';
import { classify } from '../src/domain/errors.ts';

/**
 * The image's HEALTHCHECK: exit code 0 if the Redis and the QuestDB in this container's environment answer and
 * accept its passwords, since it can't work without them. The engine itself checks whether the process lives.
 */
try {
  const urls = urlsOfElsewhere(loadConfig().services, true);
  if (urls !== undefined) await requireAnswers(urls);
} catch (error) {
  const { code, message } = classify(error);
  // The engine keeps the last lines; show them with docker inspect --format '{{json .State.Health}}'.
  console.error(`${code}: ${message}`);
  process.exitCode = 1;
}
