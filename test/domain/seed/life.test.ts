import { expect, test } from "vitest";
import { seedMix } from "../../../src/domain/seed/mix.ts";
import { peopleOf } from "../../../src/domain/seed/people.ts";
import { streamsOf } from "../../../src/domain/seed/random.ts";
import { colleagueOf } from "../../../src/domain/seed/team/colleague.ts";
import { Life } from "../../../src/domain/seed/team/life.ts";
import { rolesOf } from "../../../src/domain/seed/team/roles.ts";
import { Team } from "../../../src/domain/seed/team/team.ts";
import { TINY_TEXTS } from "./support/tiny-texts.ts";

const FROM = Date.parse("2026-11-02T00:00:00Z");
const ANCHOR = Date.parse("2026-11-30T00:00:00Z");

function givenLife(): Life {
  const people = peopleOf(1, 0, TINY_TEXTS).map(colleagueOf);
  const streams = streamsOf(1);
  const pace = { people: 1, workers: 1 };
  const span = { from: FROM, anchor: ANCHOR };
  const team = new Team({ people, texts: TINY_TEXTS, streams, ...span, pace, outage: null });
  const { authors } = team;
  const casting = { tasks: 1, ...span, youngestEnded: 0, authors, mix: seedMix.parse({}) };
  const [role] = rolesOf(casting, streams);
  if (role === undefined) return expect.fail("one task has one role");
  return new Life(team, { task: 0, role, original: null });
}

const note = (text: string) => ({ type: "note", text }) as const;

test("actions of a task in the same second follow each other by a second", () => {
  const life = givenLife();
  const { team } = life;
  for (const text of ["one", "two", "three"])
    team.engine.start(FROM, life.byService(5, note(text)));
  const at = team.lead.calendar.nextWorkingTime(FROM + 3_600_000);
  for (const text of ["four", "five"]) team.engine.start(at, life.by(team.lead, 0, note(text)));
  team.engine.runUntil(ANCHOR);
  const first = FROM + 5 * 60_000;
  expect(team.actions.map((action) => action.at)).toEqual([
    first,
    first + 1000,
    first + 2000,
    at,
    at + 1000,
  ]);
});

test("nothing happens to a task while a bulk change has it, and then people wait for their office hours", () => {
  const life = givenLife();
  const { team } = life;
  const shift = team.lead.calendar.shiftFrom(FROM);
  life.frozenUntil = shift.to;
  team.engine.start(shift.from, life.by(team.lead, 0, note("person")));
  team.engine.start(shift.from, life.byService(0, note("worker")));
  team.engine.runUntil(ANCHOR);
  expect(team.actions.map(({ actor, at }) => [actor, at])).toEqual([
    ["service", shift.to],
    ["lead-1", team.lead.calendar.nextWorkingTime(shift.to + 1000)],
  ]);
});
