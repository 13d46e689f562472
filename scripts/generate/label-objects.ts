import { labelFactsSql, labelFunctions } from "../../src/db/tasks/label-sql.ts";

/** The files under drizzle/ whose objects are compiled from the resolver's rules, by path. */
export const LABEL_OBJECTS: Readonly<Record<string, () => string>> = {
  "drizzle/functions/attention_of.sql": () =>
    definition(
      labelFunctions().attention_of,
      `Returns the attention codes of a step, such as errored or ready.

Called by: keep_labels, relabel_tasks and the invariant labels-match-resolver (src/db/invariants/labels.ts).
attentionOf in src/domain/status/attention.ts is the same function in TypeScript.`,
    ),
  "drizzle/functions/label_of.sql": () =>
    definition(
      labelFunctions().label_of,
      `Returns the label (the unified status) of a task from the facts that the view task_facts holds. The first rule that
matches wins.

Called by: keep_labels, relabel_tasks, lists that sort by live labels (src/db/tasks/list-tasks.ts) and the invariant
labels-match-resolver (src/db/invariants/labels.ts). resolve in src/domain/status/resolve.ts is the same function
in TypeScript.

Immutable: the label depends only on the arguments, never on the time.`,
    ),
  "drizzle/functions/label_rank.sql": () =>
    definition(
      labelFunctions().label_rank,
      `Returns the place of a label in the order in which lists sort by it, starting with 1.

Called by: keep_labels, relabel_tasks, and filters, counts and statistics by label (src/db/tasks/task-filter.ts
and count-tasks.ts, src/db/stats/stage-times.ts). The index task_labels_rank holds ranks, not labels.`,
    ),
  "drizzle/views/task_facts.sql": () =>
    definition(
      `create or replace view task_facts with (security_invoker = true) as
${labelFactsSql("tasks")};

grant select on task_facts to stepledger_app;`,
      `For each task, everything that its label depends on, and whether it is archived.

Read by: relabel_tasks, lookups of many tasks (src/db/tasks/tasks.ts), the invariant labels-match-resolver
(src/db/invariants/labels.ts) and \`npm run verify\` (scripts/verify/labels.ts). keep_labels holds the same query over the
rows that a statement has changed.

security_invoker, so that row security applies to the reader: the application sees its tenant's tasks, the owner all.`,
    ),
};

function definition(statement: string, description: string): string {
  const header = `${description}

Generated from src/db/tasks/label-sql.ts and the rules that it reads, by \`npm run generate\`: do not edit. A migration
that changes this object must also run \`select rebuild_labels();\`.`;
  const lines = header.split("\n").map((line) => `-- ${line}`.trimEnd());
  return `${lines.join("\n")}\n\n${statement}\n`;
}
