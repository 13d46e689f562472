import type { Statement } from "../../scripts/stack/neon-protocol.ts";
import { inTurn } from "../measure.ts";
import { tasksInReview, toAndFro } from "../moving.ts";
import { CHAINED_TENANT, UNCHAINED_TENANT } from "../populations.ts";
import { atMost, type Row } from "../row.ts";

const TASKS = 1_000;

export const hashChain: Row = {
  name: "hash-chain",
  about:
    "bulk execute of 1,000 tasks, against the same statement with every canonical text and hash taken out on its way",
  measure: async (stage) => {
    const whole = await stage.large();
    const without = await stage.large({ rewrite: unchained });
    const idsOf = async (service: typeof whole, tenant: string) =>
      (await tasksInReview(service, tenant, TASKS)).map(({ id }) => id);
    const measured = await inTurn(
      toAndFro(whole, CHAINED_TENANT, await idsOf(whole, CHAINED_TENANT)),
      toAndFro(without, UNCHAINED_TENANT, await idsOf(without, UNCHAINED_TENANT)),
      { turns: 20, unmeasured: 4 },
    );
    return [atMost(1.2, "1000 tasks", measured)];
  },
};

/** The parts of the writer that make the chain, and what stands there without it. */
const PARTS: readonly [RegExp, string][] = [
  [/step_event_canonical\([^;]*?, at\) as canonical/, "''::text as canonical"],
  [/chain_link\(null, event_head, canonical\) as hash/, "event_head as hash"],
];

/** @throws when a writing statement has not all of the parts: then it is another than is meant here. */
function unchained(statement: Statement): Statement {
  if (!statement.query.includes("step_event_canonical")) return statement;
  let { query } = statement;
  for (const [part, instead] of PARTS) {
    if (!part.test(query)) throw new Error(`The writer has no ${part.source}`);
    query = query.replace(part, instead);
  }
  // Parameters that are no longer named anywhere still have to have a type.
  const unused = statement.values
    .map((_, index) => index + 1)
    .filter((number) => !new RegExp(`\\$${number}\\b`).test(query));
  const kept = unused.map((number) => `$${number}::text as p${number}`).join(", ");
  return kept === ""
    ? { ...statement, query }
    : { ...statement, query: query.replace("with\n", `with\nunused as (select ${kept}),\n`) };
}
