import { buildWorker } from "./stack/build.ts";

/** `npm run build`: the static files and the Worker under dist/, exactly as `wrangler deploy` would send them. */
await buildWorker();
