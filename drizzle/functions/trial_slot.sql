-- Returns the slot of a trial: a JSON array of the members of its maker that tell trials of its eval apart, in the order of
-- evals.slot_by. Null if the eval has none, because the model alone then makes the slot.
--
-- Called by: the writer and the reads of trials (src/db/evals), and the invariants of evals (src/db/invariants/evals.ts).

create or replace function trial_slot(
  slot_by text[], model text, model_revision text, agent text, agent_revision text, provider text
) returns text language sql stable parallel safe
  return (select json_agg(case member
      when 'model' then model when 'modelRevision' then model_revision
      when 'agent' then agent when 'agentRevision' then agent_revision
      when 'provider' then provider end order by place)::text
    from unnest(slot_by) with ordinality as slot_member(member, place));
