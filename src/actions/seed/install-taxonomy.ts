import { addToTaxonomy, type Installation } from "../../db/taxonomy/install-taxonomy.ts";
import { notADemo, type Outcome, refuse } from "../../domain/refusals.ts";
import { starterTaxonomy } from "../../domain/seed/starter-taxonomy.ts";
import type { SeedTexts } from "../../domain/seed/texts.ts";
import { type AdministrativeCall, administrationOf, type Done } from "../call/call.ts";
import { asStored, conclude } from "../call/conclude.ts";

/** Writes the starter taxonomy to a demo, in one round trip. Entries that exist stay as they are. */
export async function installTaxonomy(
  call: AdministrativeCall,
  texts: Pick<SeedTexts, "domains">,
): Promise<Outcome<Done<Installation>>> {
  const { database, operation } = call;
  const by = administrationOf(call, "The starter taxonomy of demos.");
  const installed = await addToTaxonomy(database, starterTaxonomy(texts), by);
  return conclude(operation, installed, {
    result: ({ installation }) => installation,
    render: asStored,
    unwritten: () => refuse(notADemo()),
  });
}
