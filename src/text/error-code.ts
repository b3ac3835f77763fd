/** The code of an error of the system, such as ENOENT; the error itself as text where it has none. */
export const codeOfError = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);
