import { parseRecord } from "./json-record.ts";
import { RECORD_LENGTH_MAX, type Reading } from "./reading.ts";
import { MalformedFile, readText } from "./text.ts";

/** Reads one JSON value from each line; blank lines are passed over. */
export async function* readJsonLines(path: string): AsyncGenerator<Reading> {
  let number = 0;
  for await (const { text, line } of readLines(path)) {
    if (text.trim() === "") continue;
    number += 1;
    yield parseRecord(text, number, { line, column: 1 });
  }
}

/** Splits at line feeds alone: other separators may stand in the midst of a JSON string. */
async function* readLines(path: string): AsyncGenerator<{ text: string; line: number }> {
  let line = 1;
  let rest = "";
  for await (const chunk of readText(path)) {
    const pieces = chunk.split("\n");
    // A chunk without a line feed is one piece, and only lengthens the line.
    for (const [index, piece] of pieces.entries()) {
      rest += piece;
      if (rest.length > RECORD_LENGTH_MAX) {
        const message = "The line is too long to be a task: is this one JSON value on each line?";
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
