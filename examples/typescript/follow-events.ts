import { readFile, writeFile } from "node:fs/promises";
import { followFeed } from "../../client/index.ts";
import { stepledger } from "./service.ts";

// Writes down what happened since it last ran: every event once, however often it is stopped.
const [cursorPath = "feed.cursor"] = process.argv.slice(2);
const after = await readFile(cursorPath, "utf8").catch(() => undefined);

for await (const page of followFeed(stepledger, { after, waitSeconds: 1 })) {
  for (const event of page.data) {
    console.log(`${event.at} ${event.taskId} ${event.type} by ${event.actor.name}`);
  }
  // After the work, not before it: whoever dies between the two sees the page again and loses nothing.
  await writeFile(cursorPath, page.nextCursor);
  if (page.caughtUp) break;
}
