import type { Invariant } from "./invariant.ts";

export const TASK_KEY_INVARIANTS: readonly Invariant[] = [
  {
    name: "task-keys-match-their-texts",
    description:
      "The keys by which a task is sorted and found are not those of its title and its external id, or were never filled.",
    sql: `
      select tenant_id, id from tasks
      where title_key is distinct from left(text_fold(title), 600)
        or (external_id_key is not null and external_id_key is distinct from external_id_key(external_id))`,
  },
  {
    name: "external-ids-have-one-task",
    description:
      "Another task has the same external id in another spelling. Both are found only by their exact spelling. Give this one another external id.",
    sql: `select tenant_id, id from tasks where external_id is not null and external_id_key is null`,
  },
];
