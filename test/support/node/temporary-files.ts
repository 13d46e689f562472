import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** Gives a function that writes files into a directory of the calling test file, which goes when it ends. */
export function temporaryFiles(): (name: string, content: string | Uint8Array) => Promise<string> {
  const directory = mkdtemp(join(tmpdir(), "stepledger-test-"));
  afterAll(async () => rm(await directory, { recursive: true, force: true }));
  return async (name, content) => {
    const path = join(await directory, name);
    await writeFile(path, content);
    return path;
  };
}

/** Everything that a stream of values gives. */
export async function gather<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const gathered: Value[] = [];
  for await (const value of values) gathered.push(value);
  return gathered;
}

/** A list as a stream. */
export async function* streamOf<Value>(values: Iterable<Value>): AsyncGenerator<Value> {
  yield* values;
}
