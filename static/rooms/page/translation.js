// The page's language: its words, which stand in the page, and how it writes numbers and times. Text in the script is
// English, and is the key to the others. Pure.

const { document: page, navigator: browser } = globalThis;
const language = page?.documentElement.lang || "en";

/** @type {Record<string, string | string[]>} texts by the English ones; of a plural all its forms */
const words = JSON.parse(page?.querySelector('[data-part="words"]')?.textContent || "{}");

// Forms as catalogues have them one after the other, each only where the language has it.
const FORMS = ["zero", "one", "two", "few", "many"];
const plural = new Intl.PluralRules(language);
const { pluralCategories } = plural.resolvedOptions();
const forms = FORMS.filter((form) => pluralCategories.some((one) => one === form));

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
  const said = words[one];
  if (Array.isArray(said)) return said.at(forms.indexOf(plural.select(count))) ?? one; // any other takes the last one
  return count === 1 ? one : many;
};

const ofRegion = new RegExp(`^${language}(-[A-Za-z]{4})?-([A-Z]{2}|\\d{3})$`); // some browsers have tags that `Intl` refuses
const region = browser?.languages?.find((tag) => ofRegion.test(tag));

/** For `Intl`: the page's language as it is written where its reader lives, with the digits that the page has. */
export const LOCALE = new Intl.Locale(region ?? language, { numberingSystem: "latn" }).toString();
