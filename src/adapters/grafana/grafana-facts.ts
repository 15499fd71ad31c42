import { Agent } from 'undici';
import { z } from 'zod';
import { CdvaultError } from '../../domain/errors.ts';
import type { GrafanaFacts } from '../../ports/doctor.ts';

/** The uid of the data source in grafana/provisioning. */
const UID = 'cdvault';

const ANSWER_MS = 8_000;
const MOST_BYTES = 1024 * 1024;

const healthSchema = z.object({ database: z.string(), version: z.string().optional() });
const sourceSchema = z.object({ status: z.string().optional(), message: z.string().optional() });

interface Address {
  /** http(s)://user:password@host:port/path; user and password may be absent. */
  readonly url: string;
  /** Of a service account; '' when not given. */
  readonly token: string;
}

/** @throws CdvaultError GRAFANA_UNREACHABLE */
export async function grafanaFacts(address: Address, signal: AbortSignal): Promise<GrafanaFacts> {
  const agent = new Agent({ maxResponseSize: MOST_BYTES, connectTimeout: ANSWER_MS });
  try {
    const get = async (path: string) => answerOf(agent, address, path, signal);
    const health = await get('/api/health');
    const parsed = healthSchema.safeParse(health.body);
    if (health.status !== 200 || !parsed.success || parsed.data.database !== 'ok')
      throw unreachable(`its health check answered HTTP ${health.status}`);
    const version = parsed.data.version ?? 'unknown';
    // It needs no more than the right to query, which viewers have.
    const tried = await get(`/api/datasources/uid/${UID}/health`);
    const { status, message = '' } = sourceSchema.safeParse(tried.body).data ?? {};
    // Grafana answers HTTP 400 with a status when the data source does not; without one it knows no such source.
    if (status === undefined)
      return { version, dataSource: { isFound: false, status: tried.status } };
    const answers = tried.status === 200 && status.toUpperCase() === 'OK';
    return { version, dataSource: { isFound: true, answers, message } };
  } finally {
    await agent.destroy();
  }
}

async function answerOf(
  agent: Agent,
  { url, token }: Address,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const { origin, pathname, username, password } = new URL(url);
  const basic = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization =
    token !== '' ? `Bearer ${token}` : `Basic ${Buffer.from(basic).toString('base64')}`;
  try {
    const { statusCode, body } = await agent.request({
      origin,
      path: `${pathname.replace(/\/$/, '')}${path}`,
      method: 'GET',
      headers: token === '' && username === '' ? {} : { authorization },
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    });
    return { status: statusCode, body: jsonOf(await body.text()) };
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(error instanceof Error ? error.message : String(error), error);
  }
}

/** An answer that is no JSON, as of a proxy, counts as an empty one: its status says more. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(why: string, cause?: unknown): CdvaultError {
  return new CdvaultError('GRAFANA_UNREACHABLE', `Grafana does not answer: ${why}`, { cause });
}
