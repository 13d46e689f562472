import type { SecondLine } from "./guard.ts";

/** The conditions that no test can show to be needed, because each is the second line of defense. */
export const SECOND_LINES: readonly SecondLine[] = [
  {
    condition: "the review is not withdrawn yet",
    file: "src/db/moves/move-statement.ts",
    text: " and r.withdrawn_seq is null",
    because: "A withdrawal is an event of the task, so a second one fails the check of the seq.",
  },
  {
    condition: "the lease of a slot that is taken over",
    file: "drizzle/functions/claim_reviews.sql",
    text: "      where s.lease_until <= now()\n",
    because: "The step before has compared it under the lock of the task.",
  },
  {
    condition: "the lock of an owner's secrets",
    file: "src/db/webhooks/signing-secrets.ts",
    text: "select pg_advisory_xact_lock(hashtextextended(${key}, 0))",
    because:
      "The lock of administration already puts rotations in order. This one is for `npm run seal`, which takes no other lock.",
  },
  {
    condition: "one product event for each bulk operation",
    file: "src/db/bulk/end-bulk.ts",
    text: "  on conflict do nothing\n",
    because: "A statement ends an operation only if it has not ended, so it ends once.",
  },
  {
    condition: "the delivery whose endpoint is gone has not ended",
    file: "src/db/webhooks/switch-off.ts",
    text: "\n    and d.state = 'pending'\n",
    because:
      "An attempt holds its lease after the end of its delivery only if the webhook was deleted, and then it is off.",
  },
  {
    condition: "nothing refers to the data that the sweep deletes",
    file: "drizzle/functions/sweep_declared_data.sql",
    text: "\n  where not exists (select from data_inputs i where i.tenant_id = o.tenant_id and i.parent_id = o.id)\n    and not exists (select from trials t where t.tenant_id = o.tenant_id and t.output_data_id = o.id);",
    because: "Foreign keys refuse the deletion. Without the condition, that sweep would fail.",
  },
  {
    condition: "the lock of the bucket, before declared data are deleted",
    file: "drizzle/functions/sweep_declared_data.sql",
    text: "  perform pg_advisory_xact_lock(hashtext('swept_objects'));\n",
    because: "The locks of the rows keep uploads out. This one gives both the same order of locks.",
  },
  {
    condition: "an object that was deleted is not deleted yet",
    file: "drizzle/functions/finish_sweep.sql",
    text: " and deleted_at is null",
    because: "Only the sweep that claimed an object finishes it.",
  },
  {
    condition: "the mark of an object that a row names again is removed while the bucket is read",
    file: "drizzle/functions/mark_orphans.sql",
    text: "where l.is_named and o.tenant_id",
    because: "`claim_due_orphans` removes such marks before it claims objects.",
  },
  {
    condition: "the role of the key that administers",
    file: "drizzle/functions/admit_administrator.sql",
    text: "if present_role <> 'admin' then",
    because: "The call has checked it, and the role of a key never changes.",
  },
  {
    condition: "the lock of a head of administration while it moves",
    file: "drizzle/functions/chain_admin_event.sql",
    text: " for update;",
    because:
      "`admit_administrator` has locked it. Past that, its trigger refuses to move it to one number twice.",
  },
  {
    condition: "the lock of a task that gets its keys",
    file: "drizzle/functions/fill_task_keys.sql",
    text: "\n    for no key update of t",
    because: "A trigger computes the keys from the row that is changed.",
  },
  {
    condition: "the person whose claim a review ends",
    file: "src/db/reviews/slots.ts",
    text: " and s.person = c.person",
    because: "A review is refused while someone else holds the claim.",
  },
];
