-- Of a row of `reviews`, only withdrawn_seq changes, and only once, from null: a verdict is history. Rejected by
-- refuse_change with SQLSTATE SL001, for every role.
--
-- The legal update is that of the writer (src/db/moves/move-statement.ts), with the event that withdraws the review. The
-- application is granted UPDATE on withdrawn_seq only.

create or replace trigger reviews_withdrawn_once before update on reviews for each row
  when ((old.withdrawn_seq is not null and new.withdrawn_seq is distinct from old.withdrawn_seq)
    or (new.tenant_id, new.id, new.task_id, new.version_id, new.step_id, new.kind, new.outcome, new.sequence, new.notes,
        new.reviewer_id, new.reviewer_name, new.created_at)
      is distinct from
      (old.tenant_id, old.id, old.task_id, old.version_id, old.step_id, old.kind, old.outcome, old.sequence, old.notes,
        old.reviewer_id, old.reviewer_name, old.created_at))
  execute function refuse_change('Of a review only its withdrawal is recorded, once.');
