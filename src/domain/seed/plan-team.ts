import { DAY_MS } from "./office-hours.ts";
import { peopleOf, type SeedPerson } from "./people.ts";
import type { PlannedAction, TeamPlan } from "./plan.ts";
import { type Streams, streamsOf } from "./random.ts";
import type { SeedSettings, SeedTeam } from "./settings.ts";
import { makeMistake, retryAfter } from "./stories/exceptions.ts";
import { evaluateNightly } from "./stories/evaluating.ts";
import { live } from "./stories/live.ts";
import { type Colleague, colleagueOf } from "./team/colleague.ts";
import { Life } from "./team/life.ts";
import { busiestNight, type Night } from "./team/outage.ts";
import { canBeOriginal, type Role, rolesOf } from "./team/roles.ts";
import { Team, type TimedAction } from "./team/team.ts";
import type { SeedTexts } from "./texts.ts";

/**
 * Plans the story of one team. The same settings, team and texts always give the same plan. Everything that does not
 * depend on speed is decided here.
 */
export function planTeam(settings: SeedSettings, team: SeedTeam, texts: SeedTexts): TeamPlan {
  const people = peopleOf(settings.seed, team.index, texts);
  const colleagues = people.map(colleagueOf);
  const streams = (name: string) => streamsOf(settings.seed)(`team ${team.index}: ${name}`);
  const anchor = Math.floor(Date.parse(settings.anchor) / 1000) * 1000;
  const from = anchor - settings.days * DAY_MS;
  const story = { settings, team, texts, people, colleagues, streams, anchor, from };
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const plan = attemptPlan(story, attempt);
    if (plan !== null) return plan;
  }
  throw new Error("The story is too short for its tasks");
}

/** If the last tasks of a story do not end in time, it is planned again: at a quicker pace, and with an earlier last arrival. */
const ATTEMPTS_MAX = 12;
const QUICKER = 0.8;
const LAST_BEGINNING_DAYS = { first: 6, more: 1 };

interface Story {
  settings: SeedSettings;
  team: SeedTeam;
  texts: SeedTexts;
  people: readonly SeedPerson[];
  colleagues: readonly Colleague[];
  streams: Streams;
  from: number;
  anchor: number;
}

/** Returns the plan, or null if a task does not end before the anchor that should. */
function attemptPlan(story: Story, attempt: number): TeamPlan | null {
  const { settings, team, colleagues, streams, from, anchor } = story;
  const { first, more } = LAST_BEGINNING_DAYS;
  const roles = rolesOf(
    {
      tasks: team.tasks,
      from,
      anchor,
      youngestEnded: Math.min(first + attempt * more, settings.days * 0.6) * DAY_MS,
      authors: colleagues.filter(({ duty }) => duty === "author"),
      mix: settings.mix,
    },
    streams,
  );
  const pace = paceOf(story, QUICKER ** attempt);
  const calm = tell(story, { roles, pace, night: null });
  if (!calm.isComplete) return null;
  const night = busiestNight(nightsOf(story), calm.team.outage.checksAt);
  const told = night === null ? calm : tell(story, { roles, pace, night });
  if (!told.isComplete) return null;
  return {
    people: story.people,
    outcomes: roles.map(({ outcome }) => outcome),
    actions: inOrder(told.team.actions),
  };
}

/** Reviewers spend at most this share of their time on the reviews of a story. */
const BUSY_SHARE = 0.55;
const REVIEWS_PER_TASK = 1.3;
const SHIFT_MINUTES = 480;
const REVIEW_MINUTES = 46;

/** Returns how long work takes. A team that has more tasks than time works more quickly. */
function paceOf({ settings, team, colleagues }: Story, quicker: number) {
  const reviewers = colleagues.filter(({ duty }) => duty === "reviewer").length;
  const available = reviewers * SHIFT_MINUTES * ((settings.days * 5) / 7) * BUSY_SHARE;
  const needed = team.tasks * REVIEWS_PER_TASK * REVIEW_MINUTES;
  return { people: Math.min(1, available / needed) * quicker, workers: quicker };
}

function tell(
  story: Story,
  {
    roles,
    pace,
    night,
  }: { roles: readonly Role[]; pace: { people: number; workers: number }; night: Night | null },
): { team: Team; isComplete: boolean } {
  const { colleagues: people, texts, streams, from, anchor } = story;
  const team = new Team({ people, texts, streams, from, anchor, pace, outage: night });
  const lives: Life[] = [];
  const originals: Life[] = [];
  let unended = 0;
  for (const [task, role] of roles.entries()) {
    const isDuplicate = role.outcome === "duplicate" && originals.length > 0;
    const original = isDuplicate ? streams(`original of task ${task}`).pick(originals) : null;
    const life = new Life(team, { task, role, original });
    lives.push(life);
    if (canBeOriginal(role.outcome)) originals.push(life);
    const mustEnd = role.outcome !== "in_progress";
    if (mustEnd) unended += 1;
    team.engine.start(
      role.at,
      live(life, () => (unended -= mustEnd ? 1 : 0)),
    );
  }
  team.engine.start(from, evaluateNightly(team, lives));
  team.engine.start(from, makeMistake(team, lives));
  if (night !== null) team.engine.start(night.from, retryAfter(team, night));
  team.engine.runUntil(anchor);
  return { team, isComplete: unended === 0 };
}

/** Returns the nights between two working days of the lead, without the first and the last weeks of the story. */
function nightsOf({ colleagues, from, anchor }: Story): Night[] {
  const lead = colleagues.find(({ duty }) => duty === "lead");
  if (lead === undefined) return [];
  const nights: Night[] = [];
  const margin = (anchor - from) / 6;
  for (let at = from + margin; at < anchor - 1.5 * margin;) {
    const shift = lead.calendar.shiftFrom(at);
    const next = lead.calendar.shiftFrom(shift.to);
    if (next.from - shift.to < DAY_MS) nights.push({ from: shift.to, to: next.from });
    at = shift.to;
  }
  return nights;
}

/** The sort is stable, so actions of the same time stay in the order in which they were planned. */
function inOrder(actions: readonly TimedAction[]): PlannedAction[] {
  return actions
    .toSorted((one, other) => one.at - other.at)
    .map(({ at, ...action }) => ({
      at: new Date(at).toISOString().replace(".000Z", "Z"),
      ...action,
    }));
}
