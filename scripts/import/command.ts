import { ApiProblem, ConnectionError } from "./api-client.ts";
import { UsageError } from "./usage-error.ts";

const COMMAND_FAILED = 2;

/** Runs a command and returns its exit code. An error that the user can fix prints its message, a bug its stack trace. */
export async function exitCodeOf(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    console.error(isUserError(error) ? error.message : error);
    return COMMAND_FAILED;
  }
}

function isUserError(error: unknown): error is Error {
  const isFileError = error instanceof Error && "code" in error && "path" in error;
  return (
    isFileError ||
    error instanceof UsageError ||
    error instanceof ConnectionError ||
    error instanceof ApiProblem
  );
}
