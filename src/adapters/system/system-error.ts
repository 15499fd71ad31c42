/**
 * Whether an error came from the operating system: a full disk, a missing permission, a file where a
 * folder should be.
 */
export function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
