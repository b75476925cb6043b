/** Writes values so that they read back as they are. */

/** Characters that need no quotes, anywhere in a word. */
const safe = /^[\p{L}\p{N}_.,:;/@%+=~^!?*$#&<>|-]+$/u;

/** Characters that other readers of this language would trip over. */
const wantsQuotes = /[;/*?<>|&$!~#]/;

/** A word on its own. */
export const quote = (text: string): string => (safe.test(text) && !wantsQuotes.test(text) ? text : inQuotes(text));

const inQuotes = (text: string): string => `"${text.replace(/["\\]/g, (character) => `\\${character}`)}"`;

/** `name=value` */
export const pairText = (name: string, value: string): string =>
  safe.test(name) ? `${name}=${quote(value)}` : inQuotes(`${name}=${value}`);
