import { AREAS } from "../../src/routes/app/areas.ts";

const HEAD = `import type { Area } from "./areas.ts";

// Generated from the contracts by \`npm run generate\`. Do not edit.

/** The method and path of every route, and the area that it is loaded from. */
export const PLACES: readonly { area: Area; method: string; path: string }[] = [
`;

const places = await Promise.all(
  Object.entries(AREAS).map(async ([area, load]) => {
    const routes = await load();
    return routes.map(({ contract: { method, path } }) => ({ area, method, path }));
  }),
);

/** src/routes/app/places.ts: the facts about each route that are needed before its file is loaded. */
export function generateRoutePlaces(): string {
  const lines = places
    .flat()
    .map(
      ({ area, method, path }) => `  { area: "${area}", method: "${method}", path: "${path}" },\n`,
    );
  return `${HEAD}${lines.join("")}];\n`;
}
