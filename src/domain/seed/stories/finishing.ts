import type { Chance } from "../random.ts";
import { DAY_MS, MINUTE_MS } from "../office-hours.ts";
import type { Process } from "../team/engine.ts";
import type { Life } from "../team/life.ts";
import type { Team } from "../team/team.ts";
import { stubOf } from "./data.ts";
import { scoreByRubric } from "./evaluating.ts";

const CRASH = "The scorer ran out of memory on the longest answer";

/** An approved task is calibrated and delivered, or waits for that. */
export function* finish(life: Life): Process {
  const chance = life.chance("finish");
  const isDelivered = life.role.outcome === "delivered";
  const rest = isDelivered ? "none" : chance.pick(["approved", "calibration", "delivery"] as const);
  if (rest === "approved") return;
  yield* life.advance();
  yield* calibrate(life, chance);
  if (rest === "calibration") return;
  yield* life.advance();
  if (isDelivered) yield* deliver(life, chance);
}

function* calibrate(life: Life, chance: Chance): Process {
  const { team } = life;
  const fault = life.role.traits.scoringFails ? chance.pick(["crash", "verdict"] as const) : null;
  if (fault === "crash") {
    const run = life.key("scoring");
    yield* life.startRun("POST_QA_SCORING", chance, run);
    yield* life.report(team.minutesAt("calibration", chance), run, "FAILED", { error: CRASH });
    yield* life.move(team.lead, chance.between(5, 90), { type: "transition", status: "queued" });
  }
  const run = life.key("scoring");
  yield* life.startRun("POST_QA_SCORING", chance, run);
  const minutes = team.minutesAt("calibration", chance);
  if (chance.isHit(0.5)) {
    yield* life.byService(minutes * 0.9, stubOf(life, "calibrated", chance));
  }
  if (chance.isHit(0.15)) yield* life.byService(0.1, insightOf(life, chance));
  const verdict = fault === "verdict" ? "failed" : "passed";
  const score = Math.round(chance.between(0.3, 1) * 1000) / 1000;
  yield* life.report(minutes * 0.1, run, "SUCCEEDED", { verdict, result: { score } });
  if (chance.isHit(0.04)) yield* scoreByRubric(life, chance);
  if (verdict === "failed") {
    const reason = life.note("waived", chance);
    yield* life.move(team.lead, chance.between(10, 200), {
      type: "transition",
      status: "approved",
      reason,
    });
  }
}

function insightOf(life: Life, chance: Chance) {
  const maker = life.team.makerBy(chance);
  const inputTokens = 400 + chance.below(3000);
  return {
    type: "insight",
    kind: "difficulty",
    maker,
    input: { question: "How hard is this task for the models of the team?" },
    output: { difficulty: Math.round(chance.uniform() * 100) / 100 },
    usage: { inputTokens, outputTokens: 20 + chance.below(200) },
  } as const;
}

/** The lead delivers twice a week, one task after another. */
function* deliver(life: Life, chance: Chance): Process {
  const { team } = life;
  const { lead } = team;
  yield deliveryAfter(team) + chance.below(90) * MINUTE_MS;
  const share = Math.min(10, team.minutesAt("delivery", chance));
  yield* life.move(lead, 0, { type: "transition", status: "running" });
  yield* life.byService(share / 2, stubOf(life, "delivery", chance));
  yield* life.move(lead, share / 2, { type: "transition", status: "approved" });
  life.isPassed = false;
}

const TUESDAY = 2;
const THURSDAY = 4;
/** Deliveries begin four hours before the end of the lead's day. */
const BEFORE_END_MS = 4 * 60 * MINUTE_MS;

function deliveryAfter({ engine, lead }: Team): number {
  for (let at = engine.now; ;) {
    const shift = lead.calendar.shiftFrom(at);
    const begins = shift.to - BEFORE_END_MS;
    const day = new Date(begins).getUTCDay();
    if ((day === TUESDAY || day === THURSDAY) && begins > engine.now) return begins;
    at = Math.max(shift.to, at + DAY_MS / 24);
  }
}
