-- People are never deleted: events name them. Someone who leaves is deactivated. Rejected by refuse_change with SQLSTATE
-- SL001, for every role.

create or replace trigger people_kept before delete on people for each row
  execute function refuse_change('Nothing deletes a person.');
