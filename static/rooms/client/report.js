/**
 * An error of the app's code, or over something that somebody wrote: it shows in the console, and all goes on.
 * @param {unknown} error
 */
export function report(error) {
  console.error(error);
}
