/** Whether the operating system said no: a full disk, a missing permission, a file where a folder should be. */
export function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
