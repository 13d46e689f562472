import { ApiProblem, ConnectionFault } from "./api-client.ts";
import { UsageFault } from "./usage-fault.ts";

const NOTHING_COULD_BE_DONE = 2;

/** Runs a command to its exit code. What a person can mend is told in a sentence; all else is a defect, with its trace. */
export async function exitCodeOf(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    console.error(isForPeople(error) ? error.message : error);
    return NOTHING_COULD_BE_DONE;
  }
}

function isForPeople(error: unknown): error is Error {
  const isFile = error instanceof Error && "code" in error && "path" in error;
  return (
    isFile ||
    error instanceof UsageFault ||
    error instanceof ConnectionFault ||
    error instanceof ApiProblem
  );
}
