import { Client } from "pg";
import { BARE_MOVES, BARE_STATEMENT, createBareTables } from "../bare.ts";
import { measureInTurns } from "../measure.ts";
import { tasksInReview, backAndForth } from "../moves.ts";
import { MOVED_TENANT } from "../populations.ts";
import { atMost, type Row } from "../row.ts";

const TASKS = 1_000;

export const bulkAgainstBare: Row = {
  name: "bulk-against-bare",
  about:
    "bulk execute of 1,000 tasks through the Worker, against the bare writes in one statement on a direct connection",
  measure: async (environment) => {
    const service = await environment.large();
    const { taskIds } = await createBareTables(service, MOVED_TENANT);
    const tasks = await tasksInReview(service, MOVED_TENANT, TASKS);
    const client = new Client({ connectionString: service.database.databaseUrl });
    await client.connect();
    let turn = 0;
    const bare = async () => {
      const { status, gate } = BARE_MOVES[turn % 2 === 0 ? 0 : 1];
      turn += 1;
      const ids = taskIds.slice(0, TASKS);
      const { rowCount } = await client.query(BARE_STATEMENT, [MOVED_TENANT, ids, status, gate]);
      if (rowCount !== TASKS) throw new Error(`Only ${rowCount} bare tasks were moved`);
    };
    try {
      const ids = tasks.map(({ id }) => id);
      const measured = await measureInTurns(backAndForth(service, MOVED_TENANT, ids), bare, {
        turns: 20,
        warmUpTurns: 4,
      });
      return [atMost(2, "1000 tasks", measured)];
    } finally {
      await client.end();
    }
  },
};
