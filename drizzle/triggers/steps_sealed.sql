-- A step of a sealed version never changes. Rejected by refuse_sealed_steps with SQLSTATE SL001, for every role.
--
-- A statement trigger with a transition table, because the check has to read task_versions.

create or replace trigger steps_sealed after update on steps
  referencing new table as changed for each statement execute function refuse_sealed_steps();
