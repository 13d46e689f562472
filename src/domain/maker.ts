/** The model that made a prompt, an artifact or a verdict. A part is null if the caller did not name it. */
export interface Maker {
  model: string | null;
  modelRevision: string | null;
  agent: string | null;
  agentRevision: string | null;
  provider: string | null;
}

/** A maker without its model, for records that always name one. */
export type MakerDetails = Omit<Maker, "model">;
