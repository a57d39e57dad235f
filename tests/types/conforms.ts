// What hms.d.ts declares is what there is: these lines compile only then.

import type { Actions } from "../../static/rooms/client/actions.js";
import type { Polls } from "../../static/rooms/client/polls.js";
import * as selectors from "../../static/rooms/client/selectors.js";
import type { SessionStore } from "../../static/rooms/client/session_store.js";
import type * as declared from "../../static/rooms/hms.js";
import type { HMSActions, HMSInteractivityCenter, HMSSessionStoreActions } from "../../static/rooms/hms.js";

export const conforming: Pick<typeof declared, keyof typeof selectors> = selectors;

type Undeclared<Actual, Declared> = Exclude<keyof Actual, keyof Declared>;
type Nothing<Names extends never> = Names;
export type NoOtherActions = Nothing<Undeclared<Actions, HMSActions>>;
export type NoOtherPollActions = Nothing<Undeclared<Polls, HMSInteractivityCenter>>;
export type NoOtherSessionStoreActions = Nothing<Undeclared<SessionStore, HMSSessionStoreActions>>;
