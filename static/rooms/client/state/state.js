// All changes of the state: those of changes.js, and of what not every page has.

import { addChanges } from "./changes.js";
import { POLLS_HEARD, POLLS_OWN } from "./polls.js";

export { apply } from "./changes.js";

addChanges({ ...POLLS_HEARD, ...POLLS_OWN });
