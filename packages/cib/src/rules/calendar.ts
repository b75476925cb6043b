/**
 * Dates in rules: ISO 8601 as Pacemaker reads it (calendar, ordinal and week dates, `T` or a blank before the time, an
 * offset that may be apart), points in time as whole seconds since 1970, and the fields that a date specification asks
 * for. The calendar itself is Temporal's.
 */
import { Temporal } from 'temporal-polyfill';

const dateForms: readonly {
  readonly form: RegExp;
  readonly read: (match: RegExpExecArray) => Temporal.PlainDate;
}[] = [
  {
    form: /^(\d{4})-?W(\d{2})(?:-?([1-7]))?(?=$|[T ])/,
    read: ([, year, week, day]) => {
      // The fourth of January is always in the first week.
      const first = Temporal.PlainDate.from({ year: Number(year), month: 1, day: 4 });
      const monday = first.subtract({ days: first.dayOfWeek - 1 });
      return monday.add({ weeks: Number(week) - 1, days: Number(day ?? 1) - 1 });
    },
  },
  {
    form: /^(\d{4})-?(\d{3})(?=$|[T ])/,
    read: ([, year, day]) =>
      Temporal.PlainDate.from({ year: Number(year), month: 1, day: 1 }).add({ days: Number(day) - 1 }),
  },
  {
    form: /^(\d{1,4})-(\d{1,2})-(\d{1,2})(?=$|[T ])/,
    read: ([, year, month, day]) =>
      Temporal.PlainDate.from({ year: Number(year), month: Number(month), day: Number(day) }, { overflow: 'reject' }),
  },
  {
    form: /^(\d{4})(\d{2})(\d{2})(?=$|[T ])/,
    read: ([, year, month, day]) =>
      Temporal.PlainDate.from({ year: Number(year), month: Number(month), day: Number(day) }, { overflow: 'reject' }),
  },
];

const timeForm = /^(\d{1,2})(?::?(\d{2}))?(?::?(\d{2})(?:[.,]\d+)?)?\s*(Z|[+-]?\d{1,2}(?::?\d{2})?)?$/;

/** Seconds since 1970; undefined if `text` is no date. Without an offset the time is that of `timeZone`. */
export function parseDateTime(text: string, timeZone: string): number | undefined {
  const trimmed = text.trim();
  if (/^epoch(?:\s|$)/i.test(trimmed)) return 0;
  for (const { form, read } of dateForms) {
    const match = form.exec(trimmed);
    if (match === null) continue;
    try {
      return withTime(read(match), trimmed.slice(match[0].length).replace(/^[T ]/, ''), timeZone);
    } catch (error) {
      if (error instanceof RangeError) return undefined; // the 31st of February
      throw error;
    }
  }
  return undefined;
}

function withTime(date: Temporal.PlainDate, text: string, timeZone: string): number | undefined {
  const match = text === '' ? undefined : timeForm.exec(text);
  if (match === null) return undefined;
  const [hour, minute, second] = [match?.[1], match?.[2], match?.[3]].map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
  ];
  if (hour > 24 || minute > 59 || second > 59 || (hour === 24 && minute + second > 0)) return undefined;
  const midnight = date.toZonedDateTime(match?.[4] === undefined ? timeZone : 'UTC');
  const local = midnight.add({ hours: hour, minutes: minute, seconds: second });
  return Math.floor(local.epochMilliseconds / 1000) - offsetSeconds(match?.[4]);
}

function offsetSeconds(text: string | undefined): number {
  const match = /^([+-]?)(\d{1,2}):?(\d{2})?$/.exec(text ?? 'Z');
  if (match === null) return 0;
  const seconds = Number(match[2]) * 3600 + Number(match[3] ?? 0) * 60;
  return match[1] === '-' ? -seconds : seconds;
}

const durationUnits = ['years', 'months', 'weeks', 'days', 'hours', 'minutes', 'seconds'] as const;

/** `start` and a duration later; undefined if an amount is no whole number. The units are added from years down. */
export function addDuration(
  start: number,
  duration: Readonly<Record<string, string>>,
  timeZone: string,
): number | undefined {
  let end = atZone(start, timeZone);
  for (const unit of durationUnits) {
    const amount = duration[unit];
    if (amount === undefined) continue;
    if (!/^[+-]?\d{1,9}$/.test(amount.trim())) return undefined;
    end = end.add({ [unit]: Number(amount) });
  }
  return Math.floor(end.epochMilliseconds / 1000);
}

const atZone = (seconds: number, timeZone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(seconds * 1000).toZonedDateTimeISO(timeZone);

/** What each unit of a date specification is at that time. */
export function dateFields(seconds: number, timeZone: string): Readonly<Record<string, number>> {
  const at = atZone(seconds, timeZone);
  return {
    years: at.year,
    months: at.month,
    monthdays: at.day,
    hours: at.hour,
    minutes: at.minute,
    seconds: at.second,
    yeardays: at.dayOfYear,
    weekyears: at.yearOfWeek ?? at.year,
    weeks: at.weekOfYear ?? 0,
    weekdays: at.dayOfWeek,
  };
}
