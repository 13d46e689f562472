import { jsonLine } from "./render.ts";
import type { Terminal } from "./terminal.ts";

interface ItemsToWrite<Item> {
  /** At most this many. Pass one item more, if there is one, so that a note can say so. */
  max: number;
  /** Which items come first, such as `newest`. */
  first: string;
  plural: string;
  /** Whether each item is a line of JSON. */
  json: boolean;
  lineOf: (item: Item) => string;
}

/** Writes a line for each item, and a note if there are more or none. */
export async function writeItems<Item>(
  { write, note }: Pick<Terminal, "write" | "note">,
  items: AsyncIterable<Item>,
  { max, first, plural, json, lineOf }: ItemsToWrite<Item>,
): Promise<void> {
  let written = 0;
  for await (const item of items) {
    if (written === max) {
      note(`Showing the ${first} ${max}. Use --limit N or --all for more.`);
      break;
    }
    write(json ? jsonLine(item) : lineOf(item));
    written += 1;
  }
  if (written === 0) note(`No ${plural} match.`);
}
