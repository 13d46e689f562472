import { chmod, writeFile } from "node:fs/promises";
import { UsageFault } from "./exit-codes.ts";

/**
 * Writes a file that only its owner can read.
 * @throws UsageFault where it cannot be written.
 */
export async function writePrivate(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o600 });
    // A file that was there before keeps the mode that it had.
    await chmod(path, 0o600);
  } catch (error) {
    throw new UsageFault(`${path} cannot be written.`, { cause: error });
  }
}
