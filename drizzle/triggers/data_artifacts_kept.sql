-- Nothing deletes an artifact whose content is stored, or is elsewhere (`uri`): it is history. Rejected by
-- refuse_change with SQLSTATE SL001, for every role.
--
-- Only a row whose content never arrived may go. sweep_declared_data deletes those.

create or replace trigger data_artifacts_kept before delete on data for each row
  when (old.stored_at is not null or old.uri is not null)
  execute function refuse_change('Nothing deletes history.');
