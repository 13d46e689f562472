import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** Returns a function that writes files into a directory, which is removed when the calling test file ends. */
export function temporaryFiles(): (name: string, content: string | Uint8Array) => Promise<string> {
  const directory = mkdtemp(join(tmpdir(), "stepledger-test-"));
  afterAll(async () => rm(await directory, { recursive: true, force: true }));
  return async (name, content) => {
    const path = join(await directory, name);
    await writeFile(path, content);
    return path;
  };
}

/** Collects all values of a stream. */
export async function gather<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const gathered: Value[] = [];
  for await (const value of values) gathered.push(value);
  return gathered;
}

/** Streams the values of a list. */
export async function* streamOf<Value>(values: Iterable<Value>): AsyncGenerator<Value> {
  yield* values;
}
