import type { PeopleRole } from "../rights.ts";
import type { OfficeHours } from "./office-hours.ts";
import { type Streams, streamsOf } from "./random.ts";
import type { SeedLanguage, SeedTexts } from "./texts.ts";

/** What someone does in a team. The lead works on many tasks at once, delivers, and decides about exceptions. */
export type Duty = "author" | "reviewer" | "lead" | "admin";

/** A simulated person. The address at example.com marks that no one is behind the name. */
export interface SeedPerson {
  /** Unique in the team, such as `author-1`. */
  key: string;
  duty: Duty;
  role: PeopleRole;
  name: string;
  email: string;
  language: SeedLanguage;
  hours: OfficeHours;
}

const ROLES: Record<Duty, PeopleRole> = {
  author: "operator",
  reviewer: "reviewer",
  // Bulk changes need the role of a reviewer.
  lead: "reviewer",
  admin: "admin",
};

/** Each author and reviewer is one more actor, and so more batches when a plan is applied. */
const DUTIES: readonly Duty[] = [
  "author",
  "author",
  "author",
  "author",
  "reviewer",
  "reviewer",
  "reviewer",
  "lead",
  "admin",
];

/** Returns the people of a team. Teams of one run share no one until all names are used. */
export function peopleOf(seed: number, team: number, texts: SeedTexts): SeedPerson[] {
  const streams = streamsOf(seed);
  const teamsPerRound = Math.max(1, Math.floor(texts.people.length / DUTIES.length));
  const round = Math.floor(team / teamsPerRound);
  const first = (team % teamsPerRound) * DUTIES.length;
  const named = dealt(texts, streams(`people of round ${round}`)).slice(first);
  const chance = streams(`office hours of team ${team}`);
  const counts = new Map<Duty, number>();
  return DUTIES.flatMap((duty, index) => {
    const person = named[index];
    if (person === undefined) return [];
    const count = (counts.get(duty) ?? 0) + 1;
    counts.set(duty, count);
    const key = `${duty}-${count}`;
    // The names of later rounds are used again, with a number.
    const name = round === 0 ? person.name : `${person.name} ${round + 1}`;
    return {
      key,
      duty,
      role: ROLES[duty],
      name,
      email: `${key}.team-${team + 1}@example.com`,
      language: person.language,
      hours: hoursIn(person.zone, chance.below(SHIFTS)),
    };
  });
}

/** Returns the people in random order, with neighbors in different zones. */
function dealt(texts: SeedTexts, chance: ReturnType<Streams>): SeedTexts["people"] {
  const byZone = [...Map.groupBy(chance.shuffle(texts.people), ({ zone }) => zone).values()];
  const longest = Math.max(...byZone.map((people) => people.length));
  return Array.from({ length: longest }, (_, row) =>
    byZone.flatMap((people) => people.slice(row, row + 1)),
  ).flat();
}

const MONDAY_TO_FRIDAY = [1, 2, 3, 4, 5];
const SUNDAY_TO_THURSDAY = [0, 1, 2, 3, 4];

/** People begin at one of so many quarters of an hour. */
const SHIFTS = 5;
const FIRST_SHIFT_MINUTES = 8 * 60 + 30;
const SHIFT_MINUTES = 8 * 60 + 30;

function hoursIn(zone: string, shift: number): OfficeHours {
  const from = FIRST_SHIFT_MINUTES + shift * 15;
  const days = zone === "Africa/Cairo" ? SUNDAY_TO_THURSDAY : MONDAY_TO_FRIDAY;
  return { zone, days, from, to: from + SHIFT_MINUTES };
}
