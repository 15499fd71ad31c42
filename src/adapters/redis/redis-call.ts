import { CdvaultError } from '../../domain/errors.ts';
import { within } from '../system/within.ts';

/**
 * Redis answers in well under a millisecond. Five seconds cover a slow fork for its AOF rewrite and a
 * short reconnect, and the user still learns soon why nothing happens.
 */
const ANSWER_MS = 5_000;

/** Temporary error replies: Redis loads its data, changes roles or runs a long script. */
const PASSING_REPLIES = /^(LOADING|BUSY|MASTERDOWN|READONLY|TRYAGAIN|CLUSTERDOWN|UNBLOCKED)\b/;

interface CallLimits {
  readonly answerMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs one call to Redis with a deadline: a client that reconnects queues its commands without one.
 * Redis may still execute a command after the deadline has passed.
 * @param what completes the sentence "Redis did not …"
 * @throws CdvaultError REDIS_UNREACHABLE (no answer) or REDIS_REFUSED (an error reply), or the signal's reason
 */
export async function redisCall<T>(
  what: string,
  run: () => Promise<T>,
  { answerMs = ANSWER_MS, signal }: CallLimits = {},
): Promise<T> {
  signal?.throwIfAborted();
  const late = () =>
    new CdvaultError('REDIS_UNREACHABLE', `Redis did not ${what}: no answer in ${answerMs} ms`);
  try {
    return await within(run(), { ms: answerMs, signal, late });
  } catch (error) {
    signal?.throwIfAborted();
    throw toRedisError(what, error);
  }
}

function toRedisError(what: string, error: unknown): CdvaultError {
  if (error instanceof CdvaultError) return error;
  const reply = decisiveReply(error);
  const message = reply instanceof Error ? reply.message : String(reply);
  const refused =
    reply instanceof Error && reply.name === 'ReplyError' && !PASSING_REPLIES.test(message);
  return new CdvaultError(
    refused ? 'REDIS_REFUSED' : 'REDIS_UNREACHABLE',
    `Redis did not ${what}: ${message}`,
    {
      cause: error,
    },
  );
}

/** The error of a discarded transaction does not say why; the reply to one of its commands does. */
function decisiveReply(error: unknown): unknown {
  if (!(error instanceof Error) || !('previousErrors' in error)) return error;
  const [first] = error.previousErrors as readonly unknown[];
  return first ?? error;
}
