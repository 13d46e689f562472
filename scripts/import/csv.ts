import { extname } from "node:path";
import { pipeline, Readable } from "node:stream";
import { CsvError, type Info, parse } from "csv-parse";
import { columnsOf, rowValue } from "./csv-columns.ts";
import { type Reading, RECORD_LENGTH_MAX } from "./reading.ts";
import { MalformedFile, readText } from "./text.ts";

/** What the parser gives for each row when it is asked where the row was. */
interface Row {
  record: string[];
  info: Info;
}

/**
 * Reads comma-separated rows under a header, and tab-separated ones where the name ends in `.tsv`. Each row comes
 * out in the shape of a task.
 */
export async function* readCsv(path: string): AsyncGenerator<Reading> {
  const delimiter = extname(path).toLowerCase() === ".tsv" ? "\t" : ",";
  const parser = parse({
    delimiter,
    info: true,
    skip_empty_lines: true,
    max_record_size: RECORD_LENGTH_MAX,
  });
  // What goes wrong while reading ends the parser too, and is thrown by the loop below.
  pipeline(Readable.from(readText(path)), parser, () => {});

  let columns: ReturnType<typeof columnsOf> | null = null;
  let number = 0;
  let before = { lines: 0, empty_lines: 0 };
  try {
    for await (const { record, info } of parser as AsyncIterable<Row>) {
      const line = before.lines + (info.empty_lines - before.empty_lines) + 1;
      before = info;
      if (columns === null) {
        columns = columnsOf(record, line);
        continue;
      }
      number += 1;
      yield { number, line, value: rowValue(columns, record) };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new MalformedFile({ line: lineOf(error), column: null }, error.message);
  }
}

function lineOf({ lines }: CsvError): number {
  return typeof lines === "number" ? lines : 1;
}
