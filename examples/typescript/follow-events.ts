import { readFile, writeFile } from "node:fs/promises";
import { followFeed } from "../../client/index.ts";
import { stepledger } from "./service.ts";

// Prints every event since the last run. A cursor file makes sure that no event is lost between runs.
const [cursorPath = "feed.cursor"] = process.argv.slice(2);
const after = await readFile(cursorPath, "utf8").catch(() => undefined);

for await (const page of followFeed(stepledger, { after, waitSeconds: 1 })) {
  for (const event of page.data) {
    console.log(`${event.at} ${event.taskId} ${event.type} by ${event.actor.name}`);
  }
  // Save the cursor after the work. After a crash in between, the page is processed again and nothing is lost.
  await writeFile(cursorPath, page.nextCursor);
  if (page.caughtUp) break;
}
