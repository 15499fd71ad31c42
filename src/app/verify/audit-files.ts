import {
  ArchiveAudit,
  type ArchiveContent,
  type AuditedFile,
  seams,
  unsettled,
} from '../../domain/archive/archive-audit.ts';
import type { ArchiveName } from '../../domain/archive/archive-name.ts';
import { CdvaultError } from '../../domain/errors.ts';
import type { ArchiveFacts, ArchiveReader } from '../../ports/archive-reader.ts';

export interface FileAudit extends ArchiveName {
  readonly path: string;
  /** undefined when the file could not be read to its end. */
  readonly content: ArchiveContent | undefined;
  readonly facts: ArchiveFacts | undefined;
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

/** Reads one archive file and checks its rows and its checksum. Needs no store and no network. */
export async function auditFile(
  reader: ArchiveReader,
  path: string,
  name: ArchiveName,
): Promise<FileAudit> {
  const audit = new ArchiveAudit(name);
  try {
    const facts = await reader.read(path, (rows) => audit.add(rows));
    const content = audit.finish();
    const checksum =
      facts.checksum === 'differs' ? ['its SHA-256 differs from its .CHECKSUM file'] : [];
    return {
      ...name,
      path,
      content,
      facts,
      problems: [...checksum, ...content.problems],
      notes: content.notes,
    };
  } catch (error) {
    if (!(error instanceof CdvaultError)) throw error;
    const { rows } = audit.finish();
    const problems = [`${error.code} after ${rows} rows: ${error.message}`];
    return { ...name, path, content: undefined, facts: undefined, problems, notes: [] };
  }
}

export interface Audit {
  /** Suspicions that a neighbouring file does not settle are among a file's problems. */
  readonly files: readonly FileAudit[];
  /** Missing and repeated ids between the files of each symbol. */
  readonly between: readonly string[];
}

/** Compares the files of each symbol with their neighbours. */
export function auditTogether(files: readonly FileAudit[]): Audit {
  const readable = files.filter(
    (file): file is FileAudit & AuditedFile => file.content !== undefined,
  );
  const groups = [...Map.groupBy(readable, ({ symbol }) => symbol).values()];
  const suspicions = new Map<FileAudit, readonly string[]>(
    groups.flatMap((group) => [...unsettled(group)]),
  );
  return {
    files: files.map((file) => ({
      ...file,
      problems: [...file.problems, ...(suspicions.get(file) ?? [])],
    })),
    between: groups.flatMap((group) => seams(group)),
  };
}
