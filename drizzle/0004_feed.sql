-- Which database this is, as cursors of the feed name it: they hold transaction ids, which mean nothing anywhere else.
-- The random part is of these migrations' run, the rest tells a copy from its template and a restored dump from the
-- database that it was taken of.
do $$
begin
  execute format(
    $function$
      create function feed_generation() returns text language sql stable security definer
        set search_path = pg_catalog, public
        return md5(concat_ws('/', %L,
          (select system_identifier from pg_control_system()),
          (select oid from pg_database where datname = current_database())))
    $function$,
    gen_random_uuid());
end
$$;
--> statement-breakpoint
grant execute on function feed_generation() to stepledger_app;
