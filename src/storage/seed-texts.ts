import type { SeedTexts } from "../domain/seed/texts.ts";
import type { StaticFiles } from "../env.ts";
import { StorageUnavailable } from "./blobs.ts";

/** The path of the words of simulated teams among the static files. The host does not matter to the binding. */
const TEXTS_URL = "https://static.invalid/seed/texts.json";

const loaded = new WeakMap<StaticFiles, SeedTexts>();

/**
 * Returns the words of simulated teams. Each isolate reads them once. A test checks their format, so they are not checked
 * here, where it would take longer than to parse them.
 * @throws StorageUnavailable if the static files cannot be read.
 */
export async function loadSeedTexts(files: StaticFiles | undefined): Promise<SeedTexts> {
  if (files === undefined) throw new StorageUnavailable("There are no static files");
  const known = loaded.get(files);
  if (known !== undefined) return known;
  const response = await files.fetch(TEXTS_URL).catch(() => null);
  if (response?.status !== 200) throw new StorageUnavailable("The static files did not answer");
  const texts = (await response.json()) as SeedTexts;
  loaded.set(files, texts);
  return texts;
}
