import {
  type Arrow,
  type Box,
  HEADER_HEIGHT,
  type KeyRow,
  layOut,
  type Panel,
  type TableBox,
} from "./table-map/layout.ts";

const STYLE = `
    .bg { fill: #ffffff } .panel { fill: #f4f6f9; stroke: #dbe1ea } .box { fill: #ffffff; stroke: #b8c2cf }
    .head { fill: #e8eef7 } .ink { fill: #1c2430 } .soft { fill: #5b6778 } .line { stroke: #8490a3 } .tip { fill: #8490a3 }
    .promise { fill: #2563eb } .promise-line { stroke: #2563eb }
    @media (prefers-color-scheme: dark) {
      .bg { fill: #11161d } .panel { fill: #171e27; stroke: #2a3442 } .box { fill: #1d2530; stroke: #465469 }
      .head { fill: #243145 } .ink { fill: #e6ebf2 } .soft { fill: #9aa7b8 } .line { stroke: #75839a } .tip { fill: #75839a }
      .promise { fill: #7fabff } .promise-line { stroke: #7fabff }
    }`;

/** docs/tables.svg: every table and every foreign key, from the schema and the migrations. */
export function generateTableMap(): string {
  const { width, height, panels, tables, arrows } = layOut();
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="ui-sans-serif, system-ui, sans-serif" role="img" aria-labelledby="title description">
  <!-- Generated from src/db/schema and drizzle by \`npm run generate\`. Do not edit. -->
  <title id="title">The tables of Stepledger and their foreign keys</title>
  <desc id="description">${description(tables)}</desc>
  <style>${STYLE}
  </style>
  <defs>
    <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" class="tip"/></marker>
    <marker id="promise-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" class="promise"/></marker>
  </defs>
  <rect class="bg" width="${width}" height="${height}" rx="12"/>
${legend()}
${panels.map(panelOf).join("\n")}
  <g fill="none" stroke-width="1.5">
${arrows.map(arrowOf).join("\n")}
  </g>
${tables.map(boxOf).join("\n")}
</svg>
`;
}

function description(tables: readonly TableBox[]): string {
  return tables
    .map(({ name, about, rows }) => {
      const columns = rows.map(({ column }) => column);
      return columns.length === 0
        ? `${name}: ${about}.`
        : `${name}: ${about}; references by ${columns.join(", ")}.`;
    })
    .join(" ");
}

function legend(): string {
  return `  <text x="24" y="38" class="ink" font-size="20" font-weight="600">Tables and foreign keys</text>
  <g font-size="13" class="soft">
    <path d="M24 64h34" class="line" stroke-width="1.5" marker-end="url(#tip)"/><text x="66" y="68">foreign key, from the referencing column</text>
    <path d="M360 64h34" class="promise-line" stroke-width="2" marker-end="url(#promise-tip)"/><text x="402" y="68">deferred key, checked at commit: no pointer, status or gate without its event</text>
    <text x="24" y="92">Keys to tenants are not drawn: nearly every table, and every key, begins with tenant_id.</text>
  </g>`;
}

function panelOf({ title, x, y, width, height }: Panel): string {
  return `  <rect x="${x}" y="${y}" width="${width}" height="${height}" rx="10" class="panel"/>
  <text x="${x + 14}" y="${y + 24}" class="soft" font-size="14" font-weight="600">${title}</text>`;
}

const CORNER = 5;

/** The arrow as a path with rounded corners. */
function arrowOf({ startX, startY, laneX, endX, endY, isDeferred }: Arrow): string {
  const down = Math.sign(endY - startY);
  const corner = Math.min(CORNER, Math.abs(endY - startY) / 2);
  const [into, out] = [Math.sign(laneX - startX), Math.sign(endX - laneX)];
  const path =
    `M${startX} ${startY}H${laneX - into * corner}q${into * corner} 0 ${into * corner} ${down * corner}` +
    `V${endY - down * corner}q0 ${down * corner} ${out * corner} ${down * corner}H${endX}`;
  const look = isDeferred
    ? 'class="promise-line" stroke-width="2" marker-end="url(#promise-tip)"'
    : 'class="line" marker-end="url(#tip)"';
  return `    <path d="${path}" ${look}/>`;
}

function boxOf({ name, about, rows, x, y, width, height }: TableBox): string {
  return `  <rect x="${x}" y="${y}" width="${width}" height="${height}" rx="7" class="box"/>
  <path d="${headPath({ x, y, width, height })}" class="head"/>
  <text x="${x + 12}" y="${y + 20}" class="ink" font-size="15" font-weight="600">${name}</text>
  <text x="${x + 12}" y="${y + 37}" class="soft" font-size="12.5">${about}</text>
${rows.map((row) => rowOf(row, { x, width })).join("\n")}`.trimEnd();
}

/** The header's area; its lower corners are round if nothing is below it. */
function headPath({ x, y, width, height }: Box): string {
  const upper = `V${y + 8}q0 -7 7 -7H${x + width - 8}q7 0 7 7`;
  return height === HEADER_HEIGHT
    ? `M${x + 8} ${y + height - 1}q-7 0 -7 -7${upper}V${y + height - 8}q0 7 -7 7z`
    : `M${x + 1} ${y + HEADER_HEIGHT}${upper}V${y + HEADER_HEIGHT}z`;
}

function rowOf(
  { column, side, isDeferred, isSelf, y }: KeyRow,
  { x, width }: { x: number; width: number },
): string {
  const place = side === "left" ? `x="${x + 12}"` : `x="${x + width - 12}" text-anchor="end"`;
  const text = isSelf ? `${column} (same table)` : column;
  return `  <text ${place} y="${y + 4}" class="${isDeferred ? "promise" : "ink"}" font-size="13">${text}</text>`;
}
