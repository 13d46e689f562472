-- A head moves only to a newer event: seq must grow, and the time never falls. Rejected by refuse_change with SQLSTATE
-- SL001, for every role. With the deferred key admin_heads_newest_event_fk, the head is always an event's hash.

create or replace trigger admin_heads_move_with_event before update on admin_heads for each row
  when (new.seq <= old.seq or new.at < old.at or new.tenant_id <> old.tenant_id)
  execute function refuse_change('A head moves only together with a new event.');
