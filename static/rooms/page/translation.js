// The page's language: its words, from the catalogue that the server puts before this script, and how it writes
// numbers and times. Text in the script is English, and is the key to the others. Pure.

const { words, plural } = globalThis.hmsroomCatalogue ?? { words: {}, plural: (n) => Number(n !== 1) };

/**
 * A text in the page's language.
 * @param {string} text
 */
export const gettext = (text) => {
  const said = words[text];
  return typeof said === "string" ? said : text;
};

/**
 * The sentence about a number, in the form that the number takes.
 * @type {(one: string, many: string, count: number) => string}
 */
export const ngettext = (one, many, count) => {
  const forms = words[one];
  if (Array.isArray(forms)) return forms[plural(count)];
  return count === 1 ? one : many;
};

const language = globalThis.document?.documentElement.lang || "en";
const ofRegion = new RegExp(`^${language}(-[A-Za-z]{4})?-([A-Z]{2}|\\d{3})$`); // some browsers have tags that `Intl` refuses
const region = globalThis.navigator?.languages?.find((tag) => ofRegion.test(tag));

/** For `Intl`: the page's language as it is written where its reader lives, with the digits that the page has. */
export const LOCALE = new Intl.Locale(region ?? language, { numberingSystem: "latn" }).toString();
