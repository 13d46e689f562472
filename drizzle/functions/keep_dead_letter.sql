-- Stores a queue message that could not be processed, with the reason. A message that is stored already stays as it is,
-- so redelivery is harmless. A queue's messages have at most 128 KB; longer texts are cut.
--
-- Called by: the consumers, through keepDeadLetter (src/db/ledger/dead-letters.ts): for messages that do not parse, and
-- for those that a queue gave up on after its retries.
--
-- Security definer, because dead_letters belongs to no tenant and the application has no rights on it. The parameters
-- are qualified with the function's name, because the columns have the same names.

create or replace function keep_dead_letter(queue text, message_id text, reason text, body text) returns void
  language sql security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  insert into dead_letters (queue, message_id, reason, body)
  values (left(keep_dead_letter.queue, 200), left(keep_dead_letter.message_id, 200),
    left(keep_dead_letter.reason, 10000), left(keep_dead_letter.body, 200000))
  on conflict do nothing;
end;

revoke execute on function keep_dead_letter(text, text, text, text) from public;
grant execute on function keep_dead_letter(text, text, text, text) to stepledger_app;
