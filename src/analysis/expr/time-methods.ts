// The methods that times and durations have in conditions.
import { BOOL, DURATION, FLOAT, INT, INT64, STRING, TIME, type Type, UNKNOWN } from './static-type.ts'

type Method = Readonly<{ result: Type }>

const table = (types: Readonly<Record<string, Type>>): ReadonlyMap<string, Method> =>
  new Map(Object.entries(types).map(([name, result]) => [name, { result }]))

/** Methods by name, with the type that they give. */
export const METHODS = {
  duration: table({
    Hours: FLOAT,
    Minutes: FLOAT,
    Seconds: FLOAT,
    Milliseconds: INT64,
    Microseconds: INT64,
    Nanoseconds: INT64,
    String: STRING,
    Abs: DURATION,
  }),
  time: table({
    Year: INT,
    Month: UNKNOWN,
    Day: INT,
    Hour: INT,
    Minute: INT,
    Second: INT,
    Nanosecond: INT,
    YearDay: INT,
    Weekday: UNKNOWN,
    Unix: INT64,
    UnixMilli: INT64,
    UnixNano: INT64,
    String: STRING,
    Format: STRING,
    Add: TIME,
    Sub: DURATION,
    Before: BOOL,
    After: BOOL,
    Equal: BOOL,
    IsZero: BOOL,
    UTC: TIME,
  }),
} as const
