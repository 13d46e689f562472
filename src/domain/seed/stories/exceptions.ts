import { DAY_MS, MINUTE_MS } from "../office-hours.ts";
import type { Process } from "../team/engine.ts";
import type { Life } from "../team/life.ts";
import type { Night } from "../team/outage.ts";
import type { Team } from "../team/team.ts";
import { noteOn } from "../words.ts";

/** The morning after the checker was down: one bulk retry of every check that failed that night. */
export function* retryAfter(team: Team, night: Night): Process {
  const { lead, outage, options } = team;
  const chance = options.streams("outage");
  yield lead.calendar.addWorkingMinutes(night.to, chance.between(10, 45));
  const struck = outage.struck.splice(0);
  if (struck.length === 0) return;
  const { language } = lead;
  const reason = noteOn(options.texts, { topic: "outage_retry", language }, chance);
  const lives = struck.map(({ life }) => life);
  team.record(lead, lives, {
    type: "bulk",
    bulk: "bulk-retry",
    intent: { action: "retry" },
    reason,
  });
  for (const { resume } of struck) resume();
}

const MISTAKEN_MIN = 20;
const MISTAKEN_MAX = 40;
/** When the lead may make the mistake, as a share of the story. */
const EARLIEST_SHARE = 0.6;

/**
 * The lead rejects approved tasks by mistake, and reverts that some minutes later. If there are too few approved tasks
 * until shortly before the anchor, the mistake is a wrong priority of other tasks.
 */
export function* makeMistake(team: Team, everyone: readonly Life[]): Process {
  const { engine, lead, options } = team;
  const { from, anchor, streams } = options;
  const chance = streams("mistake");
  const wanted = MISTAKEN_MIN + chance.below(MISTAKEN_MAX - MISTAKEN_MIN + 1);
  for (let at = from + (anchor - from) * EARLIEST_SHARE; ;) {
    const shift = lead.calendar.shiftFrom(at);
    yield shift.from + Math.round(chance.between(30, 150)) * MINUTE_MS;
    const passed = everyone.filter((life) => life.isPassed && isFree(life));
    const isLastChance = lead.calendar.shiftFrom(shift.to).from > anchor - DAY_MS;
    if (passed.length >= MISTAKEN_MIN) {
      const taken = chance.shuffle(passed).slice(0, wanted);
      yield* undoLater(team, taken, { targetStatus: "REJECTED" });
      return;
    }
    if (isLastChance) {
      const free = everyone.filter((life) => life.lastAt > 0 && isFree(life));
      const taken = chance.shuffle(free).slice(0, wanted);
      const changes = { priority: 100 };
      if (taken.length > 0) yield* undoLater(team, taken, { action: "edit", changes });
      return;
    }
    at = Math.max(shift.to, engine.now);
  }
}

function isFree(life: Life): boolean {
  return !life.isGuarded && !life.isOriginal && life.lastAt < life.team.engine.now;
}

type Mistake = { targetStatus: "REJECTED" } | { action: "edit"; changes: { priority: number } };

function* undoLater(team: Team, taken: readonly Life[], intent: Mistake): Process {
  const { engine, lead, options } = team;
  const { texts } = options;
  const chance = options.streams("undo");
  const lives = taken.toSorted((one, other) => one.task - other.task);
  const { language } = lead;
  const undoneAt = lead.calendar.addWorkingMinutes(engine.now, chance.between(6, 25));
  for (const life of lives) life.frozenUntil = undoneAt + 1000;
  const reason = noteOn(texts, { topic: "bulk_mistake", language }, chance);
  team.record(lead, lives, { type: "bulk", bulk: "bulk-mistake", intent, reason });
  yield undoneAt;
  const why = noteOn(texts, { topic: "bulk_undo", language }, chance);
  team.record(lead, lives, { type: "revert", bulk: "bulk-mistake", reason: why });
}
