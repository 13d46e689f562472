-- Returns an identifier of this database. Cursors of the event feed contain it, and a cursor from any other database is
-- rejected: cursors hold transaction ids, which mean nothing elsewhere
-- (docs/adr/0018-the-feed-stops-before-open-transactions.md).
--
-- Called by: readFeed and readFeedEnd (src/db/history/feed.ts), as the application.
--
-- The UUID is drawn when the migration runs, so the file needs dynamic SQL, and check:database ignores the UUID. It
-- distinguishes databases that were migrated separately. The cluster's identifier and the database's oid distinguish a
-- copy from its template, and a restored dump from its original.
--
-- Do not run this file on a live database: it draws a new UUID, and every cursor that clients hold becomes invalid.

do $$
begin
  execute format(
    $function$
      create or replace function feed_generation() returns text language sql stable security definer
        set search_path = pg_catalog, public, pg_temp
        return md5(concat_ws('/', %L,
          (select system_identifier from pg_control_system()),
          (select oid from pg_database where datname = current_database())))
    $function$,
    gen_random_uuid());
end
$$;

revoke execute on function feed_generation() from public;
grant execute on function feed_generation() to stepledger_app;
