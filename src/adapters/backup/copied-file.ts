import { createHash } from 'node:crypto';
import { link, mkdir, open, stat, unlink, utimes } from 'node:fs/promises';
import path from 'node:path';

const PIECE_BYTES = 1 << 20;

/** SHA-256 (hex) and size of a file, read once; with `to`, what is read is written there. */
export async function hashFile(
  from: string,
  to: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly sha256: string; readonly bytes: number }> {
  const source = await open(from, 'r');
  try {
    const target = to === undefined ? undefined : await open(to, 'w', 0o600);
    try {
      const hash = createHash('sha256');
      const buffer = Buffer.allocUnsafe(PIECE_BYTES);
      let bytes = 0;
      for (;;) {
        signal.throwIfAborted();
        const { bytesRead } = await source.read(buffer, 0, PIECE_BYTES, null);
        if (bytesRead === 0) return { sha256: hash.digest('hex'), bytes };
        const piece = buffer.subarray(0, bytesRead);
        hash.update(piece);
        bytes += bytesRead;
        await target?.writeFile(piece);
      }
    } finally {
      await target?.close();
    }
  } finally {
    await source.close();
  }
}

interface EarlierCopy {
  readonly file: string;
  readonly sha256: string;
}

/**
 * Copies a file, or links it to an earlier copy with the same content. The content decides: times of files that a
 * server maps into memory may be late.
 */
export async function copyFile(
  from: string,
  to: string,
  earlier: EarlierCopy | undefined,
  signal: AbortSignal,
): Promise<{ readonly sha256: string; readonly bytes: number; readonly isLinked: boolean }> {
  await mkdir(path.dirname(to), { recursive: true, mode: 0o700 });
  if (earlier !== undefined && (await isSameSize(from, earlier.file))) {
    const now = await hashFile(from, undefined, signal);
    if (now.sha256 === earlier.sha256 && (await linked(earlier.file, to)))
      return { ...now, isLinked: true };
  }
  const copied = await hashFile(from, to, signal);
  if (copied.sha256 === earlier?.sha256) {
    await unlink(to);
    if (await linked(earlier.file, to)) return { ...copied, isLinked: true };
    return { ...(await hashFile(from, to, signal)), isLinked: false };
  }
  const { atime, mtime } = await stat(from);
  await utimes(to, atime, mtime);
  return { ...copied, isLinked: false };
}

async function isSameSize(left: string, right: string): Promise<boolean> {
  const [one, other] = await Promise.all(
    [left, right].map(async (file) => stat(file).catch(() => undefined)),
  );
  return one !== undefined && one.size === other?.size;
}

/** Not every file system has links. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch {
    return false;
  }
}
