import type { Wait } from "../team/engine.ts";
import type { Life } from "../team/life.ts";
import { contentOn } from "../words.ts";
import { stubOf } from "./data.ts";

/** A part of a task's course. Returns whether the task goes on: some end, and some wait for someone at the anchor. */
export type Passage = Generator<Wait, boolean, void>;

/** An author brings a task in. Returns whether it goes on. */
export function* takeIn(life: Life): Passage {
  const { author, traits } = life.role;
  const { content } = life.subject;
  const chance = life.chance("intake");
  yield* life.by(author, 0, { type: "create", fields: life.fields, content });
  if (chance.isHit(0.7)) {
    yield* life.by(author, chance.between(1, 4), stubOf(life, "source", chance));
  }
  yield* life.move(author, chance.between(1, 5), { type: "transition", status: "running" });
  const minutes = life.team.minutesAt("ingestion", chance);
  yield* life.move(author, minutes, { type: "transition", status: "awaiting_review" });
  if (traits.stall === "intake") return false;
  yield* life.move(author, chance.between(1, 6), { type: "transition", status: "approved" });
  yield* life.advance();
  return true;
}

/** The priority of tasks that turn out to be urgent. Reviewers take them first. */
const URGENT = 80;

/** Later texts of a task take less time than the first. */
const REWRITE_SHARE = 0.4;

/** An author writes a task, or writes it anew. Returns whether it goes on. */
export function* write(life: Life, round: number): Passage {
  const { author, traits } = life.role;
  const { team } = life;
  const chance = life.chance(`writing ${round}`);
  const isFirst = round === 1;
  const pause = chance.minutes({ medianMinutes: 40, sigma: 0.9 }) * team.options.pace.people;
  const changes = {
    ...(life.fields.assignee === null && { assignee: author.name }),
    ...(isFirst && life.fields.priority === 0 && chance.isHit(0.08) && { priority: URGENT }),
  };
  const isEdited = Object.keys(changes).length > 0;
  if (isEdited) {
    life.fields = { ...life.fields, ...changes };
    yield* life.by(author, pause, { type: "edit", changes });
  }
  yield* life.move(author, isEdited ? 1 : pause, { type: "transition", status: "running" });
  if (isFirst && traits.stall === "draft") return false;
  const minutes = team.minutesAt("authoring", chance, isFirst ? 1 : REWRITE_SHARE);
  if (isFirst && traits.stall === "author_asked") {
    const text = life.note("comment", chance);
    yield* life.by(author, minutes / 2, { type: "note", text });
    yield* life.move(author, 1, { type: "transition", status: "awaiting_input" });
    return false;
  }
  const isNoted = chance.isHit(isFirst ? 0.15 : 0.4);
  if (isNoted) {
    yield* life.by(author, minutes * 0.8, { type: "note", text: life.note("comment", chance) });
  }
  if (isFirst && chance.isHit(0.5)) {
    yield* life.by(author, minutes * 0.15, stubOf(life, "golden", chance));
  }
  const rest = Math.max(1, minutes * 0.1);
  yield* life.move(author, isNoted ? rest : minutes, { type: "transition", status: "approved" });
  yield* life.advance();
  return true;
}

/** An author answers a verdict with a new version, from the writing on or straight to the check. */
export function* newVersion(life: Life, round: number): Passage {
  const { author } = life.role;
  const chance = life.chance(`version ${round}`);
  const isSmall = chance.isHit(0.6);
  yield* life.move(author, life.team.minutesAt("authoring", chance, REWRITE_SHARE), {
    type: "version",
    content: contentOn(life.team.options.texts, life.subject, chance),
    reason: life.note("new_version", chance),
    firstKind: isSmall ? "pre_qa" : "authoring",
  });
  return isSmall ? true : yield* write(life, round);
}
