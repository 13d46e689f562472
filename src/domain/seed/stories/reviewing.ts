import type { Chance } from "../random.ts";
import type { Colleague } from "../team/colleague.ts";
import type { Process, Wait } from "../team/engine.ts";
import type { Life } from "../team/life.ts";
import { passCheck } from "./checking.ts";
import { generateOutput } from "./output.ts";
import { newVersion, type Passage } from "./writing.ts";

/** Experts review a task until one approves it or ends it. Returns whether it goes on to the calibration. */
export function* passReview(life: Life): Passage {
  const { traits, outcome } = life.role;
  let isRevised = false;
  for (let round = 1; ; round += 1) {
    const chance = life.chance(`review ${round}`);
    const expert = yield* beginReview(life, chance);
    const isSentBack = round === 1 && traits.changesRequested;
    // What is in progress at the anchor stays so, however early it came here.
    if (outcome === "in_progress" && !isSentBack) return yield* leaveOpen(life, expert, chance);
    if (isSentBack) {
      yield* judge(life, { expert, chance, status: "changes_requested" });
      life.team.desk.release(expert);
      if (traits.stall === "changes" || !(yield* improve(life, chance))) return false;
      continue;
    }
    if (outcome === "rejected" || outcome === "duplicate") {
      yield* judge(life, { expert, chance, status: outcome });
      life.team.desk.release(expert);
      return false;
    }
    const isLast = isRevised || !traits.revised;
    if (isLast && traits.reviewWithdrawn) yield* changeMind(life, expert, chance);
    yield* judge(life, { expert, chance, status: "approved" });
    life.team.desk.release(expert);
    if (isLast) {
      life.isPassed = true;
      life.isEvaluable = true;
      return true;
    }
    isRevised = true;
    yield* reopen(life, chance);
  }
}

/** A reviewer takes the task from the queue, and begins to read. */
function* beginReview(life: Life, chance: Chance): Generator<Wait, Colleague, void> {
  const { desk, lead } = life.team;
  let expert = lead;
  const request = { author: life.role.author.key, priority: () => life.fields.priority };
  yield desk.request(request, (reviewer) => (expert = reviewer));
  yield* life.move(expert, chance.between(0.2, 5), { type: "transition", status: "in_review" });
  return expert;
}

type Verdict = "approved" | "changes_requested" | "rejected" | "duplicate";

/** The reviewer decides after reading. */
function* judge(
  life: Life,
  { expert, chance, status }: { expert: Colleague; chance: Chance; status: Verdict },
): Process {
  const minutes = life.team.minutesAt("expert_review", chance);
  const isNoted = chance.isHit(0.12);
  if (isNoted) {
    yield* life.by(expert, minutes / 2, { type: "note", text: life.note("comment", chance) });
  }
  yield* decide(life, { expert, chance, status }, isNoted ? minutes / 2 : minutes);
}

function* decide(
  life: Life,
  { expert, chance, status }: { expert: Colleague; chance: Chance; status: Verdict },
  minutes: number,
): Generator<Wait, string, void> {
  const notes = life.note(status, chance);
  const review = life.key("review");
  const duplicateOf = status === "duplicate" ? life.original?.task : undefined;
  yield* life.by(expert, minutes, {
    type: "review",
    review,
    kind: "expert",
    outcome: status === "approved" ? "passed" : "failed",
    notes,
    move: { status, reason: notes, ...(duplicateOf !== undefined && { duplicateOf }) },
  });
  return review;
}

/** The reviewer asks for changes, and sees a few minutes later that they read the wrong thing. */
function* changeMind(life: Life, expert: Colleague, chance: Chance): Process {
  const minutes = life.team.minutesAt("expert_review", chance, 0.5);
  life.isGuarded = true;
  const review = yield* decide(life, { expert, chance, status: "changes_requested" }, minutes);
  const reason = life.note("withdrawn", chance);
  yield* life.by(expert, chance.between(2, 9), { type: "withdraw", review, reason });
  life.isGuarded = false;
}

/** The reviewer waits for an answer that does not come before the anchor. */
function* leaveOpen(life: Life, expert: Colleague, chance: Chance): Passage {
  const minutes = life.team.minutesAt("expert_review", chance);
  const text = life.note("comment", chance);
  yield* life.by(expert, minutes, { type: "note", text });
  yield* life.move(expert, 1, {
    type: "transition",
    status: chance.isHit(0.7) ? "awaiting_input" : "paused",
  });
  life.team.desk.release(expert);
  return false;
}

/** The author answers a request for changes. Returns whether the task comes back to the review. */
function* improve(life: Life, chance: Chance): Passage {
  const { author } = life.role;
  const way = chance.weighted([
    ["version", 4],
    ["output", 3],
    ["answer", 3],
  ] as const);
  if (way === "version") {
    const goesOn = yield* newVersion(life, 8);
    return goesOn && (yield* passCheck(life, 8)) && (yield* generateOutput(life, 2));
  }
  if (way === "output") {
    yield* life.move(author, chance.between(20, 300), {
      type: "rework",
      toKind: "output_generation",
      reason: life.note("new_version", chance),
    });
    return yield* generateOutput(life, 2);
  }
  yield* life.by(author, chance.between(20, 300), {
    type: "note",
    text: life.note("comment", chance),
  });
  yield* life.move(author, 1, { type: "transition", status: "awaiting_review" });
  return true;
}

/** The lead finds that an approval came too early. */
function* reopen(life: Life, chance: Chance): Process {
  const toKind = chance.pick(["output_generation", "expert_review"] as const);
  const reason = life.note("rework", chance);
  yield* life.move(life.team.lead, chance.between(60, 900), { type: "rework", toKind, reason });
  if (toKind === "output_generation") yield* generateOutput(life, 3);
}
