import type { Statement } from "../../scripts/stack/neon-protocol.ts";
import { measureInTurns } from "../measure.ts";
import { tasksInReview, backAndForth } from "../moves.ts";
import { CHAINED_TENANT, UNCHAINED_TENANT } from "../populations.ts";
import { atMost, type Row } from "../row.ts";

const TASKS = 1_000;

export const hashChain: Row = {
  name: "hash-chain",
  about:
    "bulk execute of 1,000 tasks, against the same statement with canonical texts and hashes removed by the proxy",
  measure: async (environment) => {
    const chained = await environment.large();
    const unchained = await environment.large({ rewrite: removeChain });
    const idsOf = async (service: typeof chained, tenant: string) =>
      (await tasksInReview(service, tenant, TASKS)).map(({ id }) => id);
    const measured = await measureInTurns(
      backAndForth(chained, CHAINED_TENANT, await idsOf(chained, CHAINED_TENANT)),
      backAndForth(unchained, UNCHAINED_TENANT, await idsOf(unchained, UNCHAINED_TENANT)),
      { turns: 20, warmUpTurns: 4 },
    );
    return [atMost(1.2, "1000 tasks", measured)];
  },
};

/** The parts of the writing statement that compute the chain, and their replacements. */
const REPLACEMENTS: readonly [RegExp, string][] = [
  [/step_event_canonical\([^;]*?, at\) as canonical/, "''::text as canonical"],
  [/chain_link\(null, event_head, canonical\) as hash/, "event_head as hash"],
];

/**
 * Returns a writing statement without the hash chain, and any other statement unchanged.
 * @throws Error if a writing statement lacks one of the parts, because then this row must be adapted to it.
 */
function removeChain(statement: Statement): Statement {
  if (!statement.query.includes("step_event_canonical")) return statement;
  let { query } = statement;
  for (const [part, replacement] of REPLACEMENTS) {
    if (!part.test(query)) throw new Error(`The writing statement has no ${part.source}`);
    query = query.replace(part, replacement);
  }
  // Postgres cannot infer the types of parameters that are no longer used, so a CTE casts them.
  const unused = statement.values
    .map((_, index) => index + 1)
    .filter((number) => !new RegExp(`\\$${number}\\b`).test(query));
  const casts = unused.map((number) => `$${number}::text as p${number}`).join(", ");
  return casts === ""
    ? { ...statement, query }
    : { ...statement, query: query.replace("with\n", `with\nunused as (select ${casts}),\n`) };
}
