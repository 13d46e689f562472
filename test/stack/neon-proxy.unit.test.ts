import { expect, test } from "vitest";
import { freshDatabase } from "../support/database.ts";

test("a fresh database answers", async () => {
  const database = await freshDatabase();
  expect(
    await database.query("application", "select current_user as who, $1::int as n", [4]),
  ).toEqual([{ who: "stepledger_app", n: "4" }]);
});
