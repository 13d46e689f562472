/** A task of a story, as far as the record of actions knows it. */
export interface StoryTask {
  /** Its number in the team, counted from 0. */
  readonly task: number;
  /** The time of its last action in milliseconds, or 0. */
  lastAt: number;
}
