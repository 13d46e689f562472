import { extname } from "node:path";
import { pipeline, Readable } from "node:stream";
import { CsvError, type Info, parse } from "csv-parse";
import { columnsOf, rowValue } from "./csv-columns.ts";
import { type Reading, RECORD_LENGTH_MAX } from "./reading.ts";
import { MalformedFile, readText } from "./text.ts";

/** What the parser yields for each row with the option `info`. */
interface Row {
  record: string[];
  info: Info;
}

/**
 * Reads a CSV file with a header; the separator is a tab if the name ends in `.tsv`. Yields each row as the body of
 * POST /v1/tasks.
 */
export async function* readCsv(path: string): AsyncGenerator<Reading> {
  const delimiter = extname(path).toLowerCase() === ".tsv" ? "\t" : ",";
  const parser = parse({
    delimiter,
    info: true,
    skip_empty_lines: true,
    max_record_size: RECORD_LENGTH_MAX,
  });
  // A read error destroys the parser, so the loop below throws it.
  pipeline(Readable.from(readText(path)), parser, () => {});

  let columns: ReturnType<typeof columnsOf> | null = null;
  let number = 0;
  let previous = { lines: 0, empty_lines: 0 };
  try {
    for await (const { record, info } of parser as AsyncIterable<Row>) {
      const line = previous.lines + (info.empty_lines - previous.empty_lines) + 1;
      previous = info;
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
