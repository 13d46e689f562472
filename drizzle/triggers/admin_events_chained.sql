-- Every new event of administration gets its seq, time and hashes from the database, and moves its tenant's head.

create or replace trigger admin_events_chained before insert on admin_events for each row
  execute function chain_admin_event();
