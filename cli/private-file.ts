import { chmod, writeFile } from "node:fs/promises";
import { UsageError } from "./exit-codes.ts";

/**
 * Writes a file that only its owner can read.
 * @throws UsageError if it cannot be written.
 */
export async function writePrivate(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o600 });
    // writeFile applies the mode only to a file that it creates.
    await chmod(path, 0o600);
  } catch (error) {
    throw new UsageError(`Cannot write ${path}.`, { cause: error });
  }
}
