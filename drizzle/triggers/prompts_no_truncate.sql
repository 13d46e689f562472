-- Nothing truncates prompts: the row trigger prompts_kept does not see a TRUNCATE. Rejected by refuse_change with
-- SQLSTATE SL001, for every role.

create or replace trigger prompts_no_truncate before truncate on prompts for each statement
  execute function refuse_change('Nothing deletes history.');
