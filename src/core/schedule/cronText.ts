import { cronRanges, type Cron, type CronFault, type CronField, type CronFieldName } from "./cron";

/** What is wrong with a field, and what to write instead. */
export function cronFaultText(fault: CronFault): string {
  switch (fault.code) {
    case "macro": return `${fault.part} is not supported. Write the five fields, such as "0 12 * * *" for every day at 12:00.`;
    case "field-count": return countText(fault.count);
    case "question-mark": return "? is not supported. Use * to leave a field to the others.";
    case "special": return `${fault.part} is not supported. Only * , - and / have a meaning here.`;
    case "unreadable": return `${fault.part === "" ? "A value is missing" : `${fault.part} can't be read`}. ${allowed(fault.field)}`;
    case "star-in-list": return `${fault.part} mixes * with other values. Use * alone for every value, or only the list.`;
    case "out-of-range": return fault.field === "day-of-week" && fault.value === 0 ? "0 is no day. Days are 1 = Monday to 7 = Sunday." : `${fault.value} is outside ${fault.min} to ${fault.max}.`;
    case "backwards": return `${fault.part} runs backwards. Write two ranges instead, one up to ${fault.max} and one from ${fault.min}.`;
    case "step": return `A step of ${fault.step} does not fit here. It can be 1 to ${fault.max}.`;
    case "never": return `No month of this expression has a day ${fault.day}, so it would never run.`;
  }
}

/** The expression in words, such as "At 12:00 on day 1 of the month and on every Friday". */
export function cronMeaning(cron: Cron): string {
  const sentence = [timeText(cron), dayText(cron), monthText(cron)].filter((part) => part !== "").join(" ");
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

function countText(count: number): string {
  const fields = "minute, hour, day of the month, month and day of the week";
  if (count === 6 || count === 7) return `There are ${count} fields. Seconds and years are not supported; the five are ${fields}.`;
  return `There ${count === 1 ? "is 1 field" : `are ${count} fields`}. Five are needed: ${fields}.`;
}

function allowed(field: CronFieldName): string {
  const { min, max, names } = cronRanges[field];
  return `Allowed are ${min} to ${max}${names.length === 0 ? "" : ` or ${names[0] ?? ""} to ${names[names.length - 1] ?? ""}`}.`;
}

const two = (value: number): string => String(value).padStart(2, "0");

function timeText({ minute, hour }: Cron): string {
  const clocks = minute.values.length * hour.values.length;
  if (clocks <= 4 && hour.restricted) return `at ${listed(hour.values.flatMap((h) => minute.values.map((m) => `${two(h)}:${two(m)}`)))}`;
  const minutes = minuteText(minute);
  return hour.restricted ? `${minutes}, ${hoursText(hour)}` : minute.restricted && !minutes.startsWith("every") ? `${minutes} of every hour` : minutes;
}

function minuteText(minute: CronField): string {
  const { values } = minute;
  const [first = 0, second = 0] = values;
  const last = values[values.length - 1] ?? 0;
  const step = second - first;
  if (values.length === 60) return "every minute";
  const even = values.length > 2 && values.every((value, at) => value === first + at * step);
  if (even && step > 1 && first === 0 && 60 % step === 0 && last === 60 - step) return `every ${step} minutes`;
  if (even && step === 1) return `every minute from minute ${first} to ${last}`;
  if (values.length === 2 && first === 0 && second === 30) return "every 30 minutes";
  return `at minute${values.length === 1 ? "" : "s"} ${listed(values.map(String))}`;
}

function hoursText({ values }: CronField): string {
  const [first = 0] = values;
  const last = values[values.length - 1] ?? 0;
  if (values.length > 1 && last - first === values.length - 1) return `from ${two(first)}:00 to ${two(last)}:59`;
  return values.length === 1 ? `from ${two(first)}:00 to ${two(first)}:59` : `in the hours ${listed(values.map(two))}`;
}

function dayText(cron: Cron): string {
  const ofMonth = cron["day-of-month"];
  const ofWeek = cron["day-of-week"];
  const month = ofMonth.restricted ? `on day${ofMonth.values.length === 1 ? "" : "s"} ${ranges(ofMonth.values, String)} of the month` : "";
  const days = ranges(ofWeek.values, (day) => dayNames[day - 1] ?? "");
  const week = ofWeek.restricted ? `on ${days.includes(" to ") ? "" : "every "}${days}` : "";
  if (month !== "" && week !== "") return `${month}, and ${week}`;
  if (month !== "" || week !== "") return month + week;
  return timeText(cron).startsWith("every") && !cron.hour.restricted ? "" : cron.month.restricted ? "on every day" : "every day";
}

function monthText({ month }: Cron): string {
  return month.restricted ? `in ${ranges(month.values, (value) => monthNames[value - 1] ?? "")}` : "";
}

const dayNames = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const monthNames = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/** Three or more values in a row as `a to b`, the rest one by one. */
function ranges(values: readonly number[], name: (value: number) => string): string {
  const texts: string[] = [];
  for (let at = 0; at < values.length;) {
    let end = at;
    while (end + 1 < values.length && (values[end + 1] ?? 0) === (values[end] ?? 0) + 1) end++;
    if (end - at >= 2) texts.push(`${name(values[at] ?? 0)} to ${name(values[end] ?? 0)}`);
    else for (let each = at; each <= end; each++) texts.push(name(values[each] ?? 0));
    at = end + 1;
  }
  return listed(texts);
}

function listed(texts: readonly string[]): string {
  return texts.length < 2 ? texts.join("") : `${texts.slice(0, -1).join(", ")} and ${texts[texts.length - 1] ?? ""}`;
}
