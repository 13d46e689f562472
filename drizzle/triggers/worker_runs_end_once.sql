-- A run ends once: it keeps the state, the verdict, the result and the error that it ended with. What is reported
-- afterwards is a row of run_late_reports. Rejected by refuse_change with SQLSTATE SL001, for every role.
--
-- Legal updates come from the writer of moves (src/db/moves/run-ctes.ts), reports without an event
-- (src/db/runs/worker-runs.ts), claims, deliveries and deadlines. All of them change open runs; only a delivery whose
-- run timed out detaches the ended run from its dispatch.

create or replace trigger worker_runs_end_once before update on worker_runs for each row
  when (old.state not in ('QUEUED', 'RUNNING')
    and (new.state, new.verdict, new.result, new.error)
      is distinct from (old.state, old.verdict, old.result, old.error))
  execute function refuse_change('A run that has ended keeps what it ended with.');
