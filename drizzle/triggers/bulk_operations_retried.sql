-- An operation that was reverted is not retried. Rejected by refuse_retry_of_reverted with SQLSTATE SL001, for every role.
--
-- A revert also names its parent, and a retry of a revert continues to undo the same operation: both may.

create or replace trigger bulk_operations_retried before insert on bulk_operations for each row
  when (new.parent_id is not null and new.action is distinct from 'revert')
  execute function refuse_retry_of_reverted();
