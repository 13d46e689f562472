-- Nothing deletes a head of administration. Rejected by refuse_change with SQLSTATE SL001, for every role.

create or replace trigger admin_heads_kept before delete on admin_heads for each row
  execute function refuse_change('Nothing deletes history.');
