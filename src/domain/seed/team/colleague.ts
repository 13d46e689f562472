import { type Calendar, calendarOf } from "../office-hours.ts";
import type { SeedPerson } from "../people.ts";

/** A person with a calendar. */
export interface Colleague extends SeedPerson {
  calendar: Calendar;
}

export function colleagueOf(person: SeedPerson): Colleague {
  return { ...person, calendar: calendarOf(person.hours) };
}
