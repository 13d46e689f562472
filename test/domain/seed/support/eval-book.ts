import { expect } from "vitest";
import { decideEvalChange } from "../../../../src/domain/evals/decide/change.ts";
import { decideEvalCreate } from "../../../../src/domain/evals/decide/create.ts";
import { decideRecord, readResults } from "../../../../src/domain/evals/decide/record.ts";
import { decideRetract } from "../../../../src/domain/evals/decide/trial.ts";
import { decideTrials } from "../../../../src/domain/evals/decide/trials.ts";
import type { EvalDecision } from "../../../../src/domain/evals/decision.ts";
import {
  type EvalState,
  foldEval,
  type RecordedEvalEvent,
} from "../../../../src/domain/evals/fold.ts";
import { slotKey } from "../../../../src/domain/evals/slot.ts";
import type { HeldTrial } from "../../../../src/domain/evals/snapshot.ts";
import type { PlannedAct } from "../../../../src/domain/seed/plan.ts";
import { expectAccepted } from "../../support/world.ts";

type EvalAct = Extract<
  PlannedAct,
  { type: "eval" | "moveEval" | "trials" | "retract" | "recordEvaluation" }
>;

const NO_OUTPUTS: ReadonlySet<string> = new Set();

/** The evals of a team, with their histories. Their state is always folded, so each event fits the one before. */
export class EvalBook {
  readonly histories = new Map<string, RecordedEvalEvent[]>();
  private readonly keys = new Map<string, string>();
  private ids = 0;

  act(task: number, versionId: string, act: EvalAct): void {
    const taskId = `task-${task}`;
    switch (act.type) {
      case "eval": {
        const { name, k, slotBy } = act;
        expect(this.find(versionId, name)).toBeUndefined();
        const input = { taskId, versionId, name, k, slotBy };
        const decision = decideEvalCreate(input, { newId: this.newId });
        this.keys.set(act.eval, decision.evalId);
        this.record(decision);
        return;
      }
      case "moveEval":
        this.record(expectAccepted(decideEvalChange(this.byKey(act.eval), { status: act.status })));
        return;
      case "trials": {
        const state = this.byKey(act.eval);
        const context = { live: liveOf(state), outputIds: NO_OUTPUTS, newId: this.newId };
        const where = { isList: true, pathOf: (index: number) => [index] };
        this.record(expectAccepted(decideTrials(state, act.trials, { ...context, ...where })));
        return;
      }
      case "retract": {
        const { trial, name, reason } = act;
        const evals = this.all().filter((one) => one.taskId === taskId && one.name === name);
        const found = evals.flatMap((state) =>
          liveOf(state)
            .filter((one) => slotKey(one, state.slotBy) === slotKey(trial, state.slotBy))
            .map((held) => ({ state, held })),
        );
        expect(found).toHaveLength(1);
        for (const { state, held } of found) {
          this.record(expectAccepted(decideRetract(state, held, { reason })));
        }
        return;
      }
      case "recordEvaluation":
        this.recordEvaluation(task, { versionId, act });
    }
  }

  all(): EvalState[] {
    return [...this.histories.values()].map(foldEval);
  }

  private recordEvaluation(
    task: number,
    { versionId, act }: { versionId: string; act: Extract<EvalAct, { type: "recordEvaluation" }> },
  ): void {
    const { name, k, slotBy, complete } = act;
    const own = act.results.filter((one) => one.task === task);
    const results = expectAccepted(readResults(own, k));
    const snapshot = this.find(versionId, name) ?? null;
    const { decision, outcomes } = decideRecord(
      {
        task: { id: `task-${task}`, versionId, isArchived: false },
        name,
        k,
        slotBy,
        complete,
        snapshot,
        live: snapshot === null ? [] : liveOf(snapshot),
        outputIds: NO_OUTPUTS,
      },
      results,
      this.newId,
    );
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(own.map(() => "recorded"));
    if (decision === null) expect.fail("new results are recorded");
    this.record(decision);
  }

  private readonly newId = (): string => `eval-id-${(this.ids += 1)}`;

  private byKey(key: string): EvalState {
    const history = this.histories.get(this.keys.get(key) ?? "");
    if (history === undefined) expect.fail(`${key} is not open`);
    return foldEval(history);
  }

  private find(versionId: string, name: string): EvalState | undefined {
    for (const history of this.histories.values()) {
      const created = history[0]?.payload as { versionId: string; name: string };
      if (created.versionId === versionId && created.name === name) return foldEval(history);
    }
    return undefined;
  }

  private record({ evalId, taskId, events }: EvalDecision): void {
    const history = this.histories.get(evalId) ?? [];
    for (const { type, trialId, fromStatus, toStatus, payload } of events) {
      const seq = history.length + 1;
      history.push({ evalId, taskId, trialId, seq, type, fromStatus, toStatus, payload });
    }
    this.histories.set(evalId, history);
  }
}

function liveOf({ trials }: EvalState): HeldTrial[] {
  return trials.filter(({ retracted }) => !retracted).map((trial) => ({ ...trial, usage: null }));
}
