-- Returns the place of a label in the order in which lists sort by it, starting with 1.
--
-- Called by: keep_labels, relabel_tasks, and filters, counts and statistics by label (src/db/tasks/task-filter.ts
-- and count-tasks.ts, src/db/stats/stage-times.ts). The index task_labels_rank holds ranks, not labels.
--
-- Generated from src/db/tasks/label-sql.ts and the rules that it reads, by `npm run generate`: do not edit. A migration
-- that changes this object must also run `select rebuild_labels();`.

create or replace function label_rank(label text) returns smallint language sql immutable parallel safe
  return array_position(array['DRAFT', 'CHECKING_QUALITY', 'QUALITY_CHECK_FAILED', 'READY_TO_SUBMIT', 'SUBMITTED', 'GENERATING_OUTPUT', 'OUTPUT_FAILED', 'IN_REVIEW', 'CHANGES_REQUESTED', 'PASSED', 'DELIVERED', 'REJECTED', 'DUPLICATE'], label)::smallint;
