/** What Postgres says about one object, by property. A property that has its usual value is left out. */
export type Facts = Readonly<Record<string, string>>;

/** The objects of a database by kind and name, such as `policy steps_of_tenant on public.steps`. */
export type Catalog = ReadonlyMap<string, Facts>;
