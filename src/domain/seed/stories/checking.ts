import type { Chance } from "../random.ts";
import type { Colleague } from "../team/colleague.ts";
import type { Process, Wait } from "../team/engine.ts";
import type { Life } from "../team/life.ts";
import { newVersion, type Passage, write } from "./writing.ts";

/** A task passes its quality check, after as many attempts as it needs. Returns whether it goes on. */
export function* passCheck(life: Life, round: number): Passage {
  const { traits } = life.role;
  const isFirst = round === 1;
  if (isFirst && traits.optimistic !== null) return yield* passOptimistically(life);
  const chance = life.chance(`check ${round}`);
  const fails = isFirst && traits.checkFails;
  yield* runCheck(life, { verdict: fails ? "failed" : "passed", chance });
  if (isFirst && traits.endsEarly) return yield* endEarly(life, chance);
  if (!fails) {
    if (traits.stall === "ready") return false;
    yield* life.advance();
    return true;
  }
  if (traits.stall === "check_failed") return false;
  const next = round + 1;
  const goesOn = chance.isHit(0.6)
    ? yield* newVersion(life, next)
    : yield* rewrite(life, { round: next, chance });
  return goesOn ? yield* passCheck(life, next) : false;
}

/** The author sends the same version back to the writing, and writes again. */
function* rewrite(life: Life, { round, chance }: { round: number; chance: Chance }): Passage {
  yield* life.move(life.role.author, chance.between(10, 120), {
    type: "rework",
    toKind: "authoring",
    reason: life.note("check_failed", chance),
  });
  return yield* write(life, round);
}

const DOWN = "The checker did not answer: connection refused";

/** The checker reports a verdict. */
function* runCheck(
  life: Life,
  { verdict, chance }: { verdict: "passed" | "failed"; chance: Chance },
): Process {
  const run = yield* beginCheck(life, chance);
  const minutes = life.team.minutesAt("pre_qa", chance);
  yield* life.report(minutes, run, "SUCCEEDED", findings(life, verdict, chance));
}

/** Starts a run, and returns its key. During an outage it crashes, and the next one starts after the bulk retry. */
function* beginCheck(life: Life, chance: Chance): Generator<Wait, string, void> {
  const { engine, outage } = life.team;
  for (;;) {
    const run = life.key("check");
    yield* life.startRun("QUALITY_AUTOMATION", chance, run);
    outage.checksAt.push(engine.now);
    if (!outage.isDown(engine.now)) return run;
    yield* life.report(chance.between(0.5, 3), run, "FAILED", { error: DOWN });
    yield (resume) => outage.struck.push({ life, resume });
  }
}

/** Returns what the checker reports. */
function findings(life: Life, verdict: "passed" | "failed", chance: Chance) {
  const score = verdict === "passed" ? chance.between(0.7, 1) : chance.between(0.1, 0.6);
  const found = verdict === "passed" ? [] : [life.note("check_failed", chance)];
  return { verdict, result: { score: Math.round(score * 100) / 100, findings: found } };
}

/** An expert is sure and approves while the check runs. If the check disagrees, the lead sends the task back. */
function* passOptimistically(life: Life): Passage {
  const { team } = life;
  const { traits, author } = life.role;
  const chance = life.chance("optimistic");
  const run = yield* beginCheck(life, chance);
  let expert: Colleague = team.lead;
  const request = { author: author.key, priority: () => life.fields.priority };
  yield team.desk.request(request, (reviewer) => (expert = reviewer));
  const notes = life.note("approved", chance);
  yield* life.by(expert, chance.between(4, 15), {
    type: "review",
    review: life.key("review"),
    kind: "expert",
    outcome: "passed",
    notes,
    move: { status: "approved", reason: notes },
  });
  team.desk.release(expert);
  const agrees = traits.optimistic === "agrees";
  yield* life.report(
    chance.between(3, 40),
    run,
    "SUCCEEDED",
    findings(life, agrees ? "passed" : "failed", chance),
  );
  if (!agrees) {
    yield* life.move(team.lead, chance.between(20, 120), {
      type: "rework",
      toKind: "authoring",
      reason: life.note("check_failed", chance),
    });
    return (yield* write(life, 2)) ? yield* passCheck(life, 2) : false;
  }
  if (traits.endsEarly) return yield* endEarly(life, chance);
  if (traits.stall === "ready") return false;
  yield* life.advance();
  return true;
}

/** The lead ends a task before its output costs anything. */
function* endEarly(life: Life, chance: Chance): Passage {
  const { lead } = life.team;
  const pause = chance.between(20, 300);
  if (life.role.outcome === "duplicate") {
    const reason = life.note("duplicate", chance);
    const duplicateOf = life.original?.task;
    yield* life.move(lead, pause, {
      type: "transition",
      status: "duplicate",
      reason,
      ...(duplicateOf !== undefined && { duplicateOf }),
    });
    return false;
  }
  const notes = life.note("rejected", chance);
  yield* life.by(lead, pause, {
    type: "review",
    review: life.key("review"),
    kind: "expert",
    outcome: "failed",
    notes,
    move: { status: "rejected", reason: notes },
  });
  return false;
}
