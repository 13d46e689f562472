-- Rejects the change that fired the trigger, with SQLSTATE SL001. The trigger's first argument becomes the error's
-- detail, and its name becomes the error's constraint, so a log line says which guard was hit.
--
-- Called by: the row and statement triggers in drizzle/triggers that guard history. All conditions are in their WHEN
-- clauses: a row that passes never enters PL/pgSQL, so a guard costs almost nothing.
--
-- The guards bind every role, including the owner, as long as the owner does not drop or disable them. Only a superuser
-- can bypass them (session_replication_role). The application also lacks most of these privileges; the triggers hold
-- even if a grant is widened by mistake. `npm run verify` compares each guard with drizzle/catalog.json.

create or replace function refuse_change() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception using
    errcode = 'SL001',
    message = format('%s refuses this %s', tg_table_name, tg_op),
    detail = tg_argv[0],
    table = tg_table_name,
    constraint = tg_name;
end
$$;
