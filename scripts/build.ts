import { buildWorker } from "./stack/build.ts";

/** `npm run build`: builds the static files and the Worker under dist/, exactly as `wrangler deploy` would upload them. */
await buildWorker();
