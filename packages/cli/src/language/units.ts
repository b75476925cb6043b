/** Times as operators write them: a bare number is seconds. */

/** `10` becomes `10s`; what has a unit stays. */
export const addUnit = (value: string): string => (/^\d+$/.test(value) ? `${value}s` : value);
