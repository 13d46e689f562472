import { parseRecord } from "./json-record.ts";
import { RECORD_LENGTH_MAX, type Reading } from "./reading.ts";
import { MalformedFile, readText } from "./text.ts";

/** Reads one JSON value from each line. Blank lines are skipped. */
export async function* readJsonLines(path: string): AsyncGenerator<Reading> {
  let number = 0;
  for await (const { text, line } of readLines(path)) {
    if (text.trim() === "") continue;
    number += 1;
    yield parseRecord(text, number, { line, column: 1 });
  }
}

/** Splits only at line feeds, because a JSON string may contain other line separators. */
async function* readLines(path: string): AsyncGenerator<{ text: string; line: number }> {
  let line = 1;
  let rest = "";
  for await (const chunk of readText(path)) {
    const pieces = chunk.split("\n");
    // The last piece continues in the next chunk.
    for (const [index, piece] of pieces.entries()) {
      rest += piece;
      if (rest.length > RECORD_LENGTH_MAX) {
        const message =
          "The line is too long for a task. Does the file have one JSON value per line?";
        throw new MalformedFile({ line, column: null }, message);
      }
      if (index === pieces.length - 1) break;
      yield { text: rest, line };
      rest = "";
      line += 1;
    }
  }
  yield { text: rest, line };
}
