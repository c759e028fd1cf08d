/** As `timeInZone`, with the day of the week before it, which many expressions are about: `Sat 2026-03-28 03:30 GMT+2`. */
export function dayInZone(instant: number, timeZone: string): string {
  return `${new Intl.DateTimeFormat("en", { timeZone, weekday: "short" }).format(new Date(instant))} ${timeInZone(instant, timeZone)}`;
}

/** An instant by a zone's clocks: `2026-03-28 03:30 GMT+2`, `2026-03-28 01:30 UTC`. */
export function timeInZone(instant: number, timeZone: string): string {
  const format = new Intl.DateTimeFormat("sv", { timeZone, dateStyle: "short", timeStyle: "short" });
  const zone = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "shortOffset" }).formatToParts(new Date(instant)).find(({ type }) => type === "timeZoneName")?.value ?? "";
  return `${format.format(new Date(instant))} ${zone.replace(/^GMT([+-]0)?$/, "UTC")}`;
}
