-- Returns the person of an event's actor: whose API key it was, or whose token. Null for a machine, for the service itself,
-- and for a credential that belongs to no person.
--
-- Called by: reads that show or compare people (src/db). Events name only the credential that acted, so that their hashes
-- never change; this is the one place that knows whose it is. Row security limits it to the caller's tenant.

create or replace function person_of(tenant uuid, actor_kind text, actor_id text) returns uuid
  language sql stable parallel safe
  return case actor_kind
    when 'key' then (select k.person_id from api_keys k where k.tenant_id = tenant
      and k.id = case when actor_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then actor_id::uuid end)
    when 'person' then (select p.id from people p where p.tenant_id = tenant and p.subject = actor_id)
  end;
